/**
 * The analysis of the traffic, without a clock and without I/O: events go in, and out come proposals of decisions, windows and points. Time is that
 * of the events, and goes on with `advance` when there are none.
 */
import type { UnixMs } from "../core/time.ts";
import type { Proposal } from "../services/safe-protector/decision.ts";
import { Offenders } from "./offenders.ts";
import type { ReadEvents } from "./read-events.ts";
import type { Scenario } from "./scenario.ts";
import { shownPoint, shownWindow } from "./shown.ts";
import { type Slice, SliceBuilder } from "./slice.ts";
import type { TrafficPoint, TrafficWindow } from "./traffic-now.ts";
import { Windows } from "./windows.ts";

export interface AnalysisSettings {
  readonly scenarios: readonly Scenario[];
  /** See `hashText`. */
  readonly seed: number;
}

export class Analysis {
  readonly #seed: number;
  readonly #offenders: Offenders;
  readonly #windows = new Windows();
  #gathering: SliceBuilder;
  #slices: Slice[] = [];
  #points: TrafficPoint[] = [];

  constructor({ scenarios, seed }: AnalysisSettings) {
    this.#seed = seed;
    this.#offenders = new Offenders(scenarios);
    this.#gathering = new SliceBuilder(seed);
  }

  /** Of the cells in which scenarios count. */
  get bytes(): number {
    return this.#offenders.bytes;
  }

  /** Gathers events; nothing is looked at before `slices`. */
  add(page: ReadEvents): void {
    for (let row = 0; row < page.count; row += 1) this.#gatheringIn(page.at[row] as UnixMs).addRow(page, row);
    for (const event of page.rest) this.#gatheringIn(event.at).add(event);
  }

  /** What has gathered. */
  slices(): readonly Slice[] {
    this.#endSlice();
    const slices = this.#slices;
    this.#slices = [];
    return slices;
  }

  /** Counts what was gathered, here or elsewhere, and says who has crossed a line by it. */
  merge(slices: readonly Slice[]): Proposal[] {
    return slices.flatMap((slice) => {
      this.#advanceTo(slice.second);
      this.#windows.add(slice.summary, slice.second);
      return this.#offenders.take(slice);
    });
  }

  /** The points of the seconds that are over, each once. */
  advance(now: UnixMs): readonly TrafficPoint[] {
    this.#advanceTo(Math.floor(now / 1_000));
    const points = this.#points;
    this.#points = [];
    return points;
  }

  windows(): readonly TrafficWindow[] {
    return this.#windows.windows().map(shownWindow);
  }

  #gatheringIn(at: UnixMs): SliceBuilder {
    if (!this.#gathering.hasRoomFor(Math.floor(at / 1_000))) this.#endSlice();
    return this.#gathering;
  }

  #endSlice(): void {
    if (this.#gathering.isEmpty) return;
    this.#slices.push(this.#gathering.build());
    this.#gathering = new SliceBuilder(this.#seed);
  }

  #advanceTo(second: number): void {
    for (const over of this.#windows.advance(second)) this.#points.push(shownPoint(over.second, over.summary));
  }
}

/**
 * One of several analyses of one traffic: reads its part of the gates' records, tells a digest of each slice, and merges what all of them tell,
 * itself included. While Redis is away nothing is read, and what was gathered waits; whatever nobody has acknowledged is read again. That it is away
 * is told to the operator.
 */
import { Failure } from "../core/failure.ts";
import type { DurationMs } from "../core/time.ts";
import { SeldomTold } from "../edge/seldom-told.ts";
import { systemClock } from "../edge/system-clock.ts";
import { type AccessEntry, TrafficStreams } from "../edge/traffic-streams.ts";
import { ACCESS_STREAM_FLUSH_MS, RECORDS_HAND_OVER_MS } from "../limits/records.ts";
import { SLICE_MS, TRAFFIC_CLAIM_MS, TRAFFIC_POLL_MS, UNTOLD_SLICES_MAX } from "../limits/traffic.ts";
import { type Doors, decodeDigest, encodeDigest } from "../traffic/digest.ts";
import { Door } from "../traffic/door.ts";
import type { TrafficGreeting } from "../traffic/report.ts";
import type { Slice } from "../traffic/slice.ts";
import type { Watch } from "../traffic/watch.ts";

/** A record waits at the gate, for the look of its worker, for the end of the slice, and for the look of all others. */
export const SHARED_LATE_MS: DurationMs = RECORDS_HAND_OVER_MS + ACCESS_STREAM_FLUSH_MS + 3 * TRAFFIC_POLL_MS + 2 * SLICE_MS;

const LOOKS_PER_SLICE = Math.max(1, Math.round(SLICE_MS / TRAFFIC_POLL_MS));
const LOOKS_PER_CLAIM = Math.round(TRAFFIC_CLAIM_MS / 3 / TRAFFIC_POLL_MS);

export class TrafficFollower {
  readonly #watch: Watch;
  readonly #streams: TrafficStreams;
  readonly #doors: Doors = { address: new Door(), network: new Door(), account: new Door() };
  /** Read, and not told yet. */
  #read: Pick<AccessEntry, "key" | "id">[] = [];
  #untold: Uint8Array[] = [];
  #looks = 0;
  #isLooking = false;
  readonly #trouble: SeldomTold;

  /** @param onTrouble takes a sentence for the operator */
  constructor(watch: Watch, { redis, consumer }: NonNullable<TrafficGreeting["shared"]>, onTrouble: (message: string) => void) {
    this.#watch = watch;
    this.#trouble = new SeldomTold(systemClock, onTrouble);
    this.#streams = new TrafficStreams(redis, consumer);
  }

  /** To be called every `TRAFFIC_POLL_MS`. Rejects when there is a bug: what this thread has in memory is not to be relied on then. */
  async look(): Promise<void> {
    if (this.#isLooking || !this.#streams.isReady) return;
    this.#isLooking = true;
    try {
      await this.#lookOnce();
      this.#trouble.over("the analysis of the traffic reaches Redis again");
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      // The connection comes back by itself. What was not told is told then.
      this.#trouble.say(
        "the analysis of the traffic does not reach Redis: nothing is learned meanwhile; what gates write there is read when it is back",
      );
    } finally {
      this.#isLooking = false;
    }
  }

  async #lookOnce(): Promise<void> {
    this.#looks += 1;
    if (this.#untold.length >= UNTOLD_SLICES_MAX) return this.#tell();
    const entries = await this.#streams.read(this.#looks % LOOKS_PER_CLAIM === 0);
    const known = new Set(this.#read.map(({ key, id }) => `${key} ${id}`));
    for (const { key, id, records } of entries) {
      // Its own, which it could not acknowledge for long.
      if (known.has(`${key} ${id}`)) continue;
      this.#watch.take(records);
      this.#read.push({ key, id });
    }
    if (this.#looks % LOOKS_PER_SLICE === 0) await this.#tell();
    this.#watch.merge((await this.#streams.digests()).flatMap((digest) => this.#sliceOf(digest)));
  }

  /** One that cannot be read costs what it says, and not the analysis. */
  #sliceOf(digest: Uint8Array): readonly Slice[] {
    try {
      return [decodeDigest(digest)];
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#trouble.say(
        `a digest of the traffic cannot be read (${why}) and is left out; all that analyse one traffic have to be of one version`,
      );
      return [];
    }
  }

  async #tell(): Promise<void> {
    if (this.#untold.length < UNTOLD_SLICES_MAX)
      this.#untold.push(...this.#watch.gathered().map((slice) => encodeDigest(slice, this.#doors)));
    for (let [first] = this.#untold; first !== undefined; [first] = this.#untold) {
      await this.#streams.tell(first);
      this.#untold.shift();
    }
    const read = this.#read;
    if (read.length === 0) return;
    await this.#streams.acknowledge(read);
    this.#read = this.#read.slice(read.length);
  }
}

/**
 * One of several analyses of one traffic: reads its part of the gates' records, tells a digest of each slice, and merges what all of them tell,
 * itself included. While Redis is away nothing is read, and what was gathered waits; whatever nobody has acknowledged is read again.
 */
import type { DurationMs } from "../core/time.ts";
import { type AccessEntry, TrafficStreams } from "../edge/traffic-streams.ts";
import { SLICE_MS, TRAFFIC_CLAIM_MS, TRAFFIC_POLL_MS } from "../limits/traffic.ts";
import { type Doors, decodeDigest, encodeDigest } from "../traffic/digest.ts";
import { Door } from "../traffic/door.ts";
import type { TrafficGreeting } from "../traffic/report.ts";
import type { Watch } from "../traffic/watch.ts";

/** A record waits at the gate, for the look of its worker, for the end of the slice, and for the look of all others. */
export const SHARED_LATE_MS: DurationMs = 100 + 3 * TRAFFIC_POLL_MS + 2 * SLICE_MS;

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

  constructor(watch: Watch, { redis, consumer }: NonNullable<TrafficGreeting["shared"]>) {
    this.#watch = watch;
    this.#streams = new TrafficStreams(redis, consumer);
  }

  /** To be called every `TRAFFIC_POLL_MS`. */
  async look(): Promise<void> {
    if (this.#isLooking || !this.#streams.isReady) return;
    this.#isLooking = true;
    try {
      await this.#lookOnce();
    } catch {
      // Redis is away, and its connection comes back by itself. What was not told is told then.
    } finally {
      this.#isLooking = false;
    }
  }

  async #lookOnce(): Promise<void> {
    this.#looks += 1;
    const entries = await this.#streams.read(this.#looks % LOOKS_PER_CLAIM === 0);
    const known = new Set(this.#read.map(({ key, id }) => `${key} ${id}`));
    for (const { key, id, records } of entries) {
      // Its own, which it could not acknowledge for long.
      if (known.has(`${key} ${id}`)) continue;
      this.#watch.take(records);
      this.#read.push({ key, id });
    }
    if (this.#looks % LOOKS_PER_SLICE === 0) await this.#tell();
    this.#watch.merge((await this.#streams.digests()).map(decodeDigest));
  }

  async #tell(): Promise<void> {
    this.#untold.push(...this.#watch.gathered().map((slice) => encodeDigest(slice, this.#doors)));
    while (this.#untold.length > 0) {
      await this.#streams.tell(this.#untold.slice(0, 1));
      this.#untold.shift();
    }
    const read = this.#read;
    if (read.length === 0) return;
    await this.#streams.acknowledge(read);
    this.#read = this.#read.slice(read.length);
  }
}

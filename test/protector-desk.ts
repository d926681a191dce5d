/** SafeProtector over a store of a test, with a clock of its own, and lives as many as wanted. */
import type { IpAddress, SessionId, UserId } from "../src/core/ids.ts";
import { Throttle } from "../src/core/throttle.ts";
import { type SafeCheck, SafeProtector } from "../src/services/safe-protector/service.ts";
import type { OpenStore, Store } from "./table-stores.ts";

export const check = (userId: string, clientIp: string): SafeCheck => ({
  sessionId: "s" as SessionId,
  userId: userId as UserId,
  clientIp: clientIp as IpAddress,
});

export class ProtectorDesk {
  nowMs = 1_000;
  readonly #clock = { now: () => this.nowMs, monotonicUs: () => this.nowMs * 1_000 };

  private constructor(
    readonly store: Store,
    readonly burst: number | null,
    public protector: SafeProtector,
  ) {}

  static async open(open: OpenStore, burst: number | null = null): Promise<ProtectorDesk> {
    const desk = new ProtectorDesk(await open(), burst, null as never);
    await desk.restart();
    return desk;
  }

  /** Another life over the same store. */
  async restart(): Promise<SafeProtector> {
    const bucket = this.burst === null ? { ratePerSecond: null, burst: 1 } : { ratePerSecond: 1, burst: this.burst };
    this.protector = new SafeProtector(await this.store.decisions(), new Throttle(bucket, this.#clock), this.#clock);
    return this.protector;
  }

  async listed(): Promise<string[]> {
    const lists = await Promise.all((["u", "i"] as const).map((list) => this.protector.listBlocked(list, null, 100)));
    return lists.flat().map(({ value }) => value);
  }
}

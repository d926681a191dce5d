/** Gives Redis back what it has lost, and says so: to the operator in a line, and in the metrics. */
import type { UnixMs } from "../core/time.ts";
import type { ServiceMetrics } from "../edge/metrics.ts";
import type { OpenedRedisLedger } from "../ledger/redis/open-redis-ledger.ts";

export class Restores {
  readonly #ledger: Pick<OpenedRedisLedger, "restore">;
  readonly #report: (message: string) => void;
  #restores = 0;
  #things = 0;
  #left = 0;
  #isPostgresBehind = false;

  constructor(ledger: Pick<OpenedRedisLedger, "restore">, report: (message: string) => void) {
    this.#ledger = ledger;
    this.#report = report;
  }

  async restore(now: UnixMs): Promise<void> {
    const restored = await this.#ledger.restore(now);
    if (restored === null) return;
    const { things, left, isPostgresBehind } = restored;
    if (isPostgresBehind && !this.#isPostgresBehind)
      this.#report("Postgres lacks events that it had taken over from Redis: it has lost data, and nothing is given back to Redis from it");
    this.#isPostgresBehind = isPostgresBehind;
    this.#left = left;
    if (things === 0) return;
    this.#restores += 1;
    this.#things += things;
    const more = left === 0 ? "" : `; ${left} more cannot be given back yet and are tried again`;
    this.#report(`Redis had lost data: ${things} of its goods, order records and unpaid orders are there again, from Postgres${more}`);
  }

  describe(metrics: ServiceMetrics): void {
    metrics.counter("doorbuster_ledger_restores_total", "How often this process gave Redis back what it had lost.", () => this.#restores);
    metrics.counter(
      "doorbuster_ledger_restored_things_total",
      "Goods, order records and parts of unpaid orders given back.",
      () => this.#things,
    );
    metrics.gauge(
      "doorbuster_ledger_unrestored_things",
      "What Redis lacked at this process's last look and could not get back.",
      () => this.#left,
    );
    metrics.gauge("doorbuster_postgres_behind", "Whether Postgres has lost what it had: 1 or 0.", () => (this.#isPostgresBehind ? 1 : 0));
  }
}

/** Refunds that many processes share, over a real Postgres: what every book of them promises, and what two processes add to that. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { ORDER, payment, type RefundProcess, type RefundsUnderTest, toldIn } from "../../test/refund-shop.ts";
import { refundSuite } from "../../test/refund-suite.ts";
import { hasPostgres, NEEDS_POSTGRES, PATIENT, type PostgresServer, startPostgres } from "../../test/servers/postgres.ts";
import { Failure } from "../core/failure.ts";
import type { SqlDatabase } from "../core/sql.ts";
import { Postgres } from "../edge/postgres.ts";
import { systemClock } from "../edge/system-clock.ts";
import { PostgresOutbox } from "../events/postgres-outbox.ts";
import { MIGRATIONS } from "../migrations/all.ts";
import { migrate } from "../migrations/migrate.ts";
import { PostgresRefundBook } from "./postgres-refund-book.ts";
import type { PaymentProvider } from "./provider.ts";
import { type RefundParts, Refunds } from "./refunds.ts";

// The bound is only there to end a broken run: a server that starts on a busy machine takes its time.
setDefaultTimeout(60_000);

class InPostgres implements RefundsUnderTest {
  readonly #db: Postgres;
  readonly #outbox: PostgresOutbox;

  constructor(db: Postgres) {
    this.#db = db;
    this.#outbox = new PostgresOutbox(db, "eur");
  }

  open(parts: Omit<RefundParts, "book">): RefundProcess & { readonly book: PostgresRefundBook } {
    const real = this.#db;
    let isDead = false;
    const stopped = () => Promise.reject(new Failure("store-unavailable", "the process is dead", false));
    const db: SqlDatabase = {
      read: real.read,
      transaction: (work, options) => (isDead ? stopped() : real.transaction(work, options)),
    };
    const book = new PostgresRefundBook({ db, tell: (tx, events) => this.#outbox.append(tx, events) });
    const refunds = new Refunds({ book, ...parts });
    return {
      refunds,
      book,
      request: (...payments) =>
        db.transaction(async (tx) => {
          for (const one of payments) await book.request(tx, refunds.requested(one, ORDER));
        }),
      requestInVain: async (one) => {
        const work = db.transaction(async (tx) => {
          await book.request(tx, refunds.requested(one, ORDER));
          throw new Error("the order was changed meanwhile");
        });
        await expect(work).rejects.toThrow("changed meanwhile");
      },
      die: () => {
        isDead = true;
      },
    };
  }

  async told() {
    await this.#outbox.tick();
    return toldIn(await this.#outbox.read(0, 1_000));
  }

  close(): void {}
}

describe.skipIf(!hasPostgres)(`Postgres ${hasPostgres ? "" : NEEDS_POSTGRES}`, () => {
  let server: PostgresServer;
  let db: Postgres;
  beforeAll(async () => {
    server = await startPostgres();
    db = new Postgres(server.url, PATIENT);
    await migrate(db, MIGRATIONS, systemClock, () => undefined);
  });
  afterAll(async () => {
    await db?.close();
    await server?.stop();
  });
  const openEmpty = async (): Promise<InPostgres> => {
    await db.transaction((tx) =>
      tx.script("truncate refunds, outbox, outbox_arrivals restart identity; update outbox_head set last_id = 0, at_ms = 0"),
    );
    return new InPostgres(db);
  };

  refundSuite("Postgres", openEmpty);

  const parts = (refund: PaymentProvider["refund"]): Omit<RefundParts, "book"> => {
    const provider: PaymentProvider = {
      name: "stripe",
      canRefund: true,
      start: () => Promise.reject(new Error("not asked for")),
      readNotification: () => ({ kind: "other" }),
      refund,
    };
    return { providers: new Map([["stripe", provider]]), clock: { now: () => 1_000, monotonicUs: () => 0 }, chance: () => 0 };
  };

  test("a refund that two processes request at once is requested once, and told once", async () => {
    const store = await openEmpty();
    const processes = Array.from({ length: 4 }, () => store.open(parts(() => Promise.resolve())));
    await Promise.all(processes.map((process) => process.request(payment("pi_1"))));
    expect((await store.told()).map(({ type }) => type)).toEqual(["payment.refund-requested"]);
  });

  test("a refund that an operator marks at another process while it is asked for is done once, and told once", async () => {
    const store = await openEmpty();
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    const leading = store.open(
      parts(() => {
        asked.resolve();
        return answer.promise;
      }),
    );
    const other = store.open(parts(() => Promise.reject(new Error("not asked for"))));
    await other.request(payment("pi_1"));
    const working = leading.refunds.work();
    await asked.promise;
    expect(await other.refunds.markDone(1)).toMatchObject({ state: "done" });
    answer.resolve();
    await working;
    expect((await store.told()).map(({ type }) => type)).toEqual(["payment.refund-requested", "payment.refunded"]);
  });

  test("the counts for the metrics are as of the last counting", async () => {
    const store = await openEmpty();
    const { book, request } = store.open(parts(() => Promise.resolve()));
    await request(payment("pi_1"), payment("pi_2"));
    expect(book.count("due")).toBe(0);
    await book.recount();
    expect([book.count("due"), book.count("given-up")]).toEqual([2, 0]);
  });
});

/** Two processes over one Postgres: one leads, and the other takes over with all that was not done yet. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { payment } from "../../test/refund-shop.ts";
import { hasPostgres, NEEDS_POSTGRES, PATIENT, type PostgresServer, startPostgres } from "../../test/servers/postgres.ts";
import { waitFor } from "../../test/wait.ts";
import type { OrderId, UserId } from "../core/ids.ts";
import { Postgres } from "../edge/postgres.ts";
import { systemClock } from "../edge/system-clock.ts";
import type { Post, PostAnswer } from "../events/courier.ts";
import type { Order } from "../ledger/ledger.ts";
import { MIGRATIONS } from "../migrations/all.ts";
import { migrate } from "../migrations/migrate.ts";
import type { PaymentProvider } from "../payment/provider.ts";
import { Refunds } from "../payment/refunds.ts";
import { SharedBooks } from "./shared-books.ts";

// The bound is only there to end a broken run: a server that starts on a busy machine takes its time.
setDefaultTimeout(60_000);

describe.skipIf(!hasPostgres)(`books that processes share ${hasPostgres ? "" : NEEDS_POSTGRES}`, () => {
  let server: PostgresServer;
  const opened: Process[] = [];
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(async () => {
    await Promise.all(opened.map((process) => process.close()));
    await server?.stop();
  });

  class Process {
    readonly db: Postgres;
    readonly books: SharedBooks;
    readonly refunds: Refunds;
    readonly posts: Post[] = [];
    readonly refunded: string[] = [];
    readonly reported: string[] = [];
    readonly bugs: unknown[] = [];

    constructor(url: string) {
      this.db = new Postgres(url, PATIENT);
      this.books = new SharedBooks({
        ...{ db: this.db, url, currency: "eur", clock: systemClock },
        send: async (post): Promise<PostAnswer> => {
          this.posts.push(post);
          return { status: 200 };
        },
        report: (message) => this.reported.push(message),
        onBug: (error) => this.bugs.push(error),
      });
      const provider: PaymentProvider = {
        name: "stripe",
        canRefund: true,
        start: () => Promise.reject(new Error("not asked for")),
        readNotification: () => ({ kind: "other" }),
        refund: async ({ paymentId }) => void this.refunded.push(paymentId),
      };
      const providers = new Map([["stripe", provider]]);
      this.refunds = new Refunds({ book: this.books.refundBook, providers, clock: systemClock, chance: () => 0 });
      opened.push(this);
    }

    async close(): Promise<void> {
      await this.refunds.close();
      await this.books.close();
      await this.db.close();
    }

    /** An order that was paid for when the goods were gone. */
    async owes(paymentId: string): Promise<void> {
      const order: Order = {
        ...{ orderId: `O-${paymentId}` as OrderId, userId: "u" as UserId, userLevel: 0, items: [], state: "refund-due" },
        ...{ placedAt: 1, payUntil: 2, since: 3, payment: payment(paymentId) },
      };
      const event = { type: "order.refund-due", at: systemClock.now(), order } as const;
      await this.db.transaction((tx) => this.books.tell(tx, [event], (owed, orderId) => this.refunds.requested(owed, orderId)));
    }

    /** The types of events, each event once: after a loss of the leadership some come again. */
    get delivered(): string[] {
      const byId = new Map(this.posts.map(({ headers, body }) => [headers["webhook-id"], (JSON.parse(body) as { type: string }).type]));
      return [...byId.values()];
    }
  }

  test("the one that leads makes refunds and delivers events, and the other goes on when it has ended, or the database was away", async () => {
    const url = await server.freshDatabase();
    const [first, second] = [new Process(url), new Process(url)];
    await migrate(first.db, MIGRATIONS, systemClock, () => undefined);
    await second.books.webhooks.add({ url: "https://shop.example/hook" });
    first.books.start(first.refunds);
    await waitFor(() => first.books.isLeading, "the first leads");
    second.books.start(second.refunds);

    await second.owes("pi_1");
    const told = ["order.refund-due", "payment.refund-requested", "payment.refunded"];
    await waitFor(() => first.delivered.length === 3, "all is told");
    expect([first.delivered.toSorted(), first.refunded, second.refunded, second.posts]).toEqual([told, ["pi_1"], [], []]);
    await waitFor(() => second.books.outgoing.outbox.lastId === 3, "the other has heard of it");

    await first.close();
    await second.owes("pi_2");
    await waitFor(() => second.delivered.length === 3, "the other does what the first does no more");
    expect([second.delivered.toSorted(), second.refunded, first.refunded]).toEqual([told, ["pi_2"], ["pi_1"]]);

    await server.kill();
    await waitFor(() => !second.books.isReachable, "it has noticed");
    await server.restart();
    await waitFor(() => second.books.isReachable, "it has found the database again");
    await second.owes("pi_3");
    await waitFor(() => second.delivered.length === 6, "all goes on");
    expect(second.refunded).toEqual(["pi_2", "pi_3"]);
    expect(second.reported).toEqual([expect.stringContaining("the database is away ("), "the database is there again"]);
    expect([first.bugs, second.bugs]).toEqual([[], []]);
  });
});

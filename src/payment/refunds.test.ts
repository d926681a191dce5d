/** Refunds over a real file. */
import { Database } from "bun:sqlite";
import { expect } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ORDER, type RefundProcess, type RefundsUnderTest, toldIn } from "../../test/refund-shop.ts";
import { refundSuite } from "../../test/refund-suite.ts";
import { GroupCommit } from "../edge/group-commit.ts";
import { OUTBOX_SCHEMA, Outbox } from "../events/outbox.ts";
import { EmbeddedRefundBook } from "./refund-book.ts";
import { REFUNDS_SCHEMA, RefundStore } from "./refund-store.ts";
import { type RefundParts, Refunds } from "./refunds.ts";

class InFile implements RefundsUnderTest {
  readonly #folder = mkdtempSync(join(tmpdir(), "doorbuster-refunds-"));
  readonly #path = join(this.#folder, "db");
  readonly #opened: Database[] = [];

  constructor() {
    const db = new Database(this.#path);
    db.run("pragma journal_mode = wal");
    db.run(REFUNDS_SCHEMA + OUTBOX_SCHEMA);
    db.close();
  }

  open(parts: Omit<RefundParts, "book">): RefundProcess {
    const db = new Database(this.#path);
    this.#opened.push(db);
    const turns = new GroupCommit(db, (failure) => {
      throw failure;
    });
    const outbox = new Outbox(db, turns, "eur");
    const book = new EmbeddedRefundBook({
      store: new RefundStore(db),
      turns,
      emit: (event) => {
        expect(db.inTransaction).toBe(true);
        outbox.add(event);
      },
    });
    const refunds = new Refunds({ book, ...parts });
    return {
      refunds,
      request: (...payments) =>
        turns.turn(() => {
          for (const payment of payments) book.request(refunds.requested(payment, ORDER));
        }),
      requestInVain: async (payment) => {
        db.run("begin");
        book.request(refunds.requested(payment, ORDER));
        db.run("rollback");
      },
      die: () => turns.close(),
    };
  }

  async told() {
    const db = new Database(this.#path);
    const outbox = new Outbox(db, new GroupCommit(db, () => undefined), "eur");
    const told = toldIn(outbox.read(0, 1_000));
    db.close();
    return told;
  }

  close(): void {
    for (const db of this.#opened) db.close();
    rmSync(this.#folder, { recursive: true });
  }
}

refundSuite("a file", async () => new InFile());

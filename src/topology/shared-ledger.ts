/** The ledger that many processes share, as one of them has it: goods and holds in Redis, orders and what is told of them in Postgres. */
import { Failure } from "../core/failure.ts";
import type { OrderId } from "../core/ids.ts";
import type { Tx } from "../core/sql.ts";
import type { Clock } from "../core/time.ts";
import { Postgres } from "../edge/postgres.ts";
import { timers } from "../edge/timers.ts";
import type { Told } from "../ledger/holds-together.ts";
import type { Payment } from "../ledger/ledger.ts";
import { type OpenedRedisLedger, openRedisLedger } from "../ledger/redis/open-redis-ledger.ts";
import { MIGRATIONS } from "../migrations/all.ts";
import { refuseUnlessMigrated } from "../migrations/migrate.ts";
import type { NewRefund } from "../payment/refund-book.ts";
import type { Settings } from "../settings/table.ts";
import { complain, reportBug } from "./process.ts";
import { Restores } from "./restores.ts";
import { SharedBooks } from "./shared-books.ts";
import { type SharedStores, whyNot } from "./shared-stores.ts";
import { sender } from "./shop.ts";

export interface SharedLedger extends OpenedRedisLedger {
  readonly db: Postgres;
  readonly books: SharedBooks;
  readonly restores: Restores;
  close(): Promise<void>;
}

/** @param refundOf what is to be saved when a payment is due back
 *  @throws Error with one line for the operator when there is no database, or one that is not up to date */
export async function openSharedLedger(
  settings: Settings,
  role: string,
  { stores, clock }: { readonly stores: SharedStores; readonly clock: Clock },
  refundOf: (payment: Payment, orderId: OrderId) => NewRefund,
): Promise<SharedLedger> {
  const { postgres: url } = settings;
  if (url === null) throw new Error(`${role} in a process of its own shares orders with others: give --postgres`);
  const db = new Postgres(url);
  try {
    await migrated(db, url, stores);
    const { currency } = settings.shop;
    const books = new SharedBooks({ db, url, currency, send: sender(settings), clock, report: complain, onBug: reportBug });
    const options = {
      ...{ redis: stores.redis, postgres: db, after: timers.after },
      tell: (tx: Tx, events: readonly Told[]) => books.tell(tx, events, refundOf),
    };
    const opened = await stores.patience.until(() => openRedisLedger(options));
    // Whichever process is first: nothing is decided before somebody has looked at a Redis that was started again.
    const restores = new Restores(opened, complain);
    await stores.patience.until(() => restores.restore(clock.now()));
    const close = async (): Promise<void> => {
      await books.close();
      await db.close();
    };
    return { ...opened, db, books, restores, close };
  } catch (error) {
    await db.close();
    throw error;
  }
}

async function migrated(db: Postgres, url: string, { patience }: SharedStores): Promise<void> {
  const why = (error: Error) => whyNot("Postgres", [url], error);
  try {
    await patience.until(() => refuseUnlessMigrated(db, MIGRATIONS), why);
  } catch (error) {
    throw error instanceof Failure ? new Error(`Postgres cannot be used: ${await why(error)}`) : error;
  }
}

/**
 * How long a shop is closed whose Redis comes back with nothing: `bun bench/restore.ts [ORDERS]`. One node over a Redis and a Postgres of its own, with so
 * many orders of one SKU, a quarter of them unpaid. Prints the seconds from Redis's return to the first purchase, and until all figures are as before.
 */
import { SQL } from "bun";
import { Postgres } from "../src/edge/postgres.ts";
import { systemClock } from "../src/edge/system-clock.ts";
import { MIGRATIONS } from "../src/migrations/all.ts";
import { migrate } from "../src/migrations/migrate.ts";
import { startPostgres } from "../test/servers/postgres.ts";
import { startRedis } from "../test/servers/redis.ts";
import { cleanUp, makeFolder } from "./processes.ts";
import { System } from "./system.ts";

const SKU = "SKU0001";
const UNPAID_SHARE = 1 / 4;
const HOUR_MS = 3_600_000;
const PRICE_CENTS = 9_990;
const WAIT_MS_MAX = 120_000;
const ASKED_AGAIN_MS = 20;

/** What Postgres would have after so many customers. */
async function fillOrders(db: SQL, orders: number, unpaid: number, now: number): Promise<void> {
  const items = JSON.stringify([{ sku: SKU, quantity: 1, priceCents: PRICE_CENTS, heldUntil: now + HOUR_MS }]);
  const state = `case when n <= ${unpaid} then 'payment-pending' else 'paid' end`;
  const ofPayment = (value: string): string => `case when n > ${unpaid} then ${value} end`;
  const payment = ["'generic'", "'payment' || n", `${PRICE_CENTS}`, "'EUR'"].map(ofPayment).join(", ");
  await db.unsafe(`insert into orders (order_id, user_id, user_level, items, state, placed_at, pay_until, since, provider, payment_id, amount_cents, currency)
    select lpad(to_hex(n), 32, '0'), 'customer' || n, 1, '${items}', ${state}, ${now}, ${now + HOUR_MS}, ${now}, ${payment} from generate_series(1, ${orders}) as n`);
  await db.unsafe(`insert into ledger_lines (user_id, sku, ordered, user_level)
    select 'customer' || n, '${SKU}', 1, 1 from generate_series(${unpaid + 1}, ${orders}) as n`);
  await db.unsafe(`update ledger_goods set sold = ${orders - unpaid} where sku = '${SKU}'`);
}

/** @returns seconds until `isSo` */
async function secondsUntil(isSo: () => Promise<boolean>, what: string): Promise<number> {
  const startedAt = performance.now();
  while (!(await isSo())) {
    if (performance.now() - startedAt > WAIT_MS_MAX) throw new Error(`${what}: not within ${WAIT_MS_MAX / 1_000} s`);
    await Bun.sleep(ASKED_AGAIN_MS);
  }
  return (performance.now() - startedAt) / 1_000;
}

async function measure(orders: number): Promise<void> {
  const unpaid = Math.floor(orders * UNPAID_SHARE);
  const [redis, postgres] = [await startRedis(), await startPostgres()];
  const migrated = new Postgres(postgres.url);
  await migrate(migrated, MIGRATIONS, systemClock, () => undefined);
  await migrated.close();
  const system = await System.start(makeFolder("restore"), ["--redis", redis.url, "--postgres", postgres.url]);
  const db = new SQL(postgres.url);
  try {
    await system.putGoods(SKU, 2 * orders);
    await system.putPolicy(SKU, 5, 5);
    // Postgres hears of the goods a moment later.
    await secondsUntil(async () => (await db`select 1 from ledger_goods where sku = ${SKU}`).length === 1, "Postgres has the goods");
    await fillOrders(db, orders, unpaid, Date.now());
    await redis.kill();
    await redis.restart({ isEmpty: true });
    const hasBought = async (): Promise<boolean> => (await system.buy("the-first", SKU, "10.0.0.1")).isAccepted;
    const first = await secondsUntil(hasBought, "the first purchase");
    const isWhole = async (): Promise<boolean> => {
      const { onHand, frozen } = await system.stock(SKU);
      return onHand === orders + unpaid && frozen === unpaid + 1;
    };
    const whole = first + (await secondsUntil(isWhole, "all figures as before"));
    console.log(
      `${orders} orders, ${unpaid} of them unpaid: the first purchase after ${first.toFixed(1)} s, all figures after ${whole.toFixed(1)} s`,
    );
  } finally {
    await db.close();
    await system.stop();
    await redis.stop();
    await postgres.stop();
  }
}

if (import.meta.main) {
  try {
    await measure(Number(process.argv[2] ?? 40_000));
  } finally {
    cleanUp();
  }
  process.exit(0);
}

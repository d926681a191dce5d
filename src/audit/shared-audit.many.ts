/** The audit of a Redis and a Postgres that the ledger itself has filled: silent while all is well, and each check finds what it is there for. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { hasStores, type LedgerStores, NEEDS_STORES, SERVERS_MS_MAX, startLedgerStores } from "../../test/ledger-stores.ts";
import type { OrderId, Sku } from "../core/ids.ts";
import { timers } from "../edge/timers.ts";
import { type OpenedRedisLedger, openRedisLedger } from "../ledger/redis/open-redis-ledger.ts";
import { type KeyKind, Partitions } from "../ledger/redis/partitions.ts";
import { holdCommand, MINUTE, payCommand, placeCommand, Shop } from "../ledger/suite/shop.ts";
import { SHARED_CHECKS, type SharedCheck } from "./findings.ts";
import { auditShared } from "./shared-audit.ts";

const PARTITIONS = 3;
const ALL = Object.keys(SHARED_CHECKS).length;
const passed = `audit: all ${ALL} checks passed`;

let stores: LedgerStores;
let ledger: OpenedRedisLedger;
let shop: Shop;
let partitions: Partitions;
let prefix = "";
let shops = 0;

async function openShop(): Promise<void> {
  shops += 1;
  prefix = `audit ${shops}`;
  partitions = new Partitions(prefix, PARTITIONS);
  await stores.fresh();
  await stores.postgres.transaction((tx) => tx.script("truncate refunds, outbox; update outbox_head set last_id = 0"));
  const { redis, postgres } = stores;
  ledger = await openRedisLedger({ redis, postgres, prefix, partitions: PARTITIONS, after: timers.after, tell: async () => {} });
  shop = new Shop({ ledger: ledger.ledger, sweep: ledger.sweep, events: () => [], close: async () => {} });
}

/** Of everything that the checks look at, something. */
async function fill(): Promise<void> {
  await shop.put(10);
  await shop.put(10, "sofa");
  await shop.put(3, "vase");
  shop.now += 1;
  await shop.hold("ann", 3);
  await shop.hold("bob", 2);
  await shop.hold("bob", 1, { sku: "sofa" });
  await shop.place("bob", "O-unpaid", { skus: ["lamp", "sofa"] });
  await shop.hold("cat", 1);
  await shop.place("cat", "O-paid");
  await shop.pay("O-paid");
  await shop.hold("dan", 1);
  await shop.place("dan", "O-due");
  await shop.pay("O-due", { isAmountRight: false, paymentId: "payment 2" });
  await shop.hold("fay", 1, { sku: "sofa" });
  await shop.place("fay", "O-cancelled", { skus: ["sofa"] });
  await shop.cancel("O-cancelled");
  await shop.record("eve", 2);
  await shop.hold("gus", 1, { frozenForMs: MINUTE / 2 });
  shop.now += MINUTE;
  // What has lapsed lies about until the sweeper comes, and the goods have seen its end.
  await shop.hold("hal", 1);
  while (await ledger.relay());
  await stores.postgres.transaction((tx) =>
    tx.script(`
      insert into refunds (provider, payment_id, order_id, amount_cents, currency, state, attempts, try_until_ms, since_ms)
        values ('test', 'payment 2', 'O-due', 19980, 'eur', 'due', 0, 0, 0);
      insert into outbox (first_id, at_ms, count, entries) values (1, 0, 2, 'a'), (3, 0, 1, 'b'), (4, 0, 2, 'c');
      update outbox_head set last_id = 5`),
  );
}

async function audit(): Promise<{ readonly exitCode: number; readonly broken: readonly string[]; readonly lines: readonly string[] }> {
  const lines: string[] = [];
  const { redis, postgres } = stores;
  const of = { redis, postgres, now: shop.now, prefix, partitions: PARTITIONS, pause: async () => {} };
  const exitCode = await auditShared(of, (line) => void lines.push(line));
  const broken = lines.filter((line) => line.startsWith("BROKEN ")).map((line) => line.slice(7).replace(/ \(\d+ looked at\)$/, ""));
  return { exitCode, broken, lines };
}

const keyOf = (kind: KeyKind, sku: string): string => partitions.keyOf(partitions.of(sku as Sku), kind);
/** Changes a row of Redis as a bug, or somebody's hand, would. @param lua what is done to `row` */
async function edit(kind: "goods" | "lines", sku: string, user: string, lua: string): Promise<void> {
  const goodsText = `local row = cmsgpack.unpack(redis.call('HGET', KEYS[1], ARGV[1]))
    ${lua}
    redis.call('HSET', KEYS[1], ARGV[1], cmsgpack.pack(row))`;
  const lineText = `local text = redis.call('HGET', KEYS[1], ARGV[2])
    local book, row = text and cmsgpack.unpack(text) or {}, nil
    for n = 1, #book, 2 do if book[n] == ARGV[1] then row = book[n + 1] end end
    if not row then
      row = { 0, 0, 0, 0, -1, '', {}, false }
      book[#book + 1], book[#book + 2] = ARGV[1], row
    end
    ${lua}
    redis.call('HSET', KEYS[1], ARGV[2], cmsgpack.pack(book))`;
  await stores.redis.client.eval(kind === "goods" ? goodsText : lineText, 1, keyOf(kind, sku), sku, user);
}
const goods = (lua: string, sku = "lamp") => edit("goods", sku, "", lua);
const line = (user: string, lua: string, sku = "lamp") => edit("lines", sku, user, lua);
const sql = (text: string): Promise<void> => stores.postgres.transaction((tx) => tx.script(text));
const client = () => stores.redis.client;
const newestOf = async (sku: string): Promise<string> => (await client().xadd(keyOf("stream", sku), "*", "events", "[]")) as string;

/** What an operator's hand, a bug or a lost disk could do, and which promises it breaks. */
const breaches: readonly (readonly [what: string, damage: () => Promise<unknown>, broken: readonly SharedCheck[]])[] = [
  ["more is frozen than is on hand", () => goods("row[1], row[3] = 5, 6"), ["oversold", "stocked"]],
  ["less than nothing is on hand", () => goods("row[1] = -1", "vase"), ["oversold", "stocked"]],
  ["more is frozen than anybody holds", () => goods("row[2] = row[2] + 1"), ["frozen", "deadlines"]],
  ["more is unpaid than orders have", () => goods("row[7] = row[7] + 1"), ["frozen"]],
  ["a hold has grown by itself", () => line("ann", "row[1] = row[1] + 1"), ["frozen", "deadlines"]],
  ["a hold has got another deadline", () => line("ann", "row[2] = row[2] + 1"), ["deadlines"]],
  [
    "a deadline frees less than is held",
    () =>
      client().eval(
        "for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do redis.call('HINCRBY', KEYS[1], name, -1) end",
        1,
        keyOf("sums", "sofa"),
      ),
    ["deadlines"],
  ],
  ["the first deadline is forgotten", () => goods("row[6] = 0"), ["deadlines"]],
  ["a hold of goods that are gone", () => line("ann", "row[1], row[2] = 1, 1800009000000", "tent"), ["holds"]],
  ["a hold without a deadline", () => line("ida", "row[1] = 1", "vase"), ["holds"]],
  ["a hold of less than nothing", () => line("ida", "row[1] = -1", "vase"), ["holds"]],
  ["goods are not listed", () => client().zrem(keyOf("names", "vase"), "vase"), ["listed"]],
  ["an order record is not listed", () => client().zrem(keyOf("records", "lamp"), "eve\nlamp"), ["listed"]],
  ["a deadline that nothing is known of", () => client().zadd(keyOf("due", "vase"), 0, "vase\n001800009000000"), ["listed"]],
  ["a unit has vanished from Redis", () => goods("row[1] = row[1] - 1"), ["stocked"]],
  [
    "goods have vanished from Redis",
    () => Promise.all([client().hdel(keyOf("goods", "vase"), "vase"), client().zrem(keyOf("names", "vase"), "vase")]),
    ["stocked"],
  ],
  ["goods have vanished from Postgres", () => sql("delete from ledger_goods where sku = 'vase'"), ["stocked"]],
  ["the price differs", () => sql("update ledger_goods set price_cents = 1 where sku = 'vase'"), ["stocked"]],
  ["Redis has forgotten what a user ordered", () => line("cat", "row[4] = 0"), ["ordered"]],
  [
    "Redis has forgotten a user",
    () =>
      client()
        .hdel(keyOf("lines", "lamp"), "cat")
        .then(() => client().zrem(keyOf("records", "lamp"), "cat\nlamp")),
    ["ordered"],
  ],
  ["Postgres has forgotten a record", () => sql("delete from ledger_lines where user_id = 'eve'"), ["ordered"]],
  ["a user's level differs", () => sql("update ledger_lines set user_level = 9 where user_id = 'eve'"), ["ordered"]],
  [
    "an unpaid order freezes for another time than its own",
    () => sql("update orders set pay_until = pay_until + 1 where order_id = 'O-unpaid'"),
    ["parts"],
  ],
  [
    "an unpaid order freezes less than it has",
    () => sql(`update orders set items = replace(items, '"quantity":2', '"quantity":3') where order_id = 'O-unpaid'`),
    ["parts"],
  ],
  ["an unpaid order freezes nothing of its goods", () => line("bob", "row[7] = {}"), ["frozen", "deadlines", "parts"]],
  ["an order that was cancelled freezes still", () => sql("update orders set state = 'cancelled' where order_id = 'O-unpaid'"), ["ended"]],
  ["an order that there is not freezes", () => sql("delete from orders where order_id = 'O-unpaid'"), ["ended"]],
  ["an order of nothing", () => sql("update orders set items = '[]' where order_id = 'O-cancelled'"), ["orders"]],
  ["an order whose items nobody can read", () => sql("update orders set items = '[[' where order_id = 'O-cancelled'"), ["orders"]],
  ["an unpaid order gives something back", () => sql("update orders set give_back = 'free' where order_id = 'O-unpaid'"), ["orders"]],
  ["more was sold than was paid for", () => sql("delete from orders where order_id = 'O-paid'"), ["paid"]],
  ["more was paid for than was sold", () => sql("update orders set state = 'paid' where order_id = 'O-due'"), ["paid"]],
  ["half a payment", () => sql("update orders set currency = null where order_id = 'O-paid'"), ["payments"]],
  ["money is due back and nobody asks for it", () => sql("delete from refunds"), ["refunds"]],
  [
    "Postgres has lost what it had taken over",
    () => newestOf("lamp").then((id) => client().xdel(keyOf("stream", "lamp"), id)),
    ["streams"],
  ],
  [
    "the position is further than the stream will go on from",
    () => sql("update ledger_streams set last_id = '99999999999999-0'"),
    ["streams"],
  ],
  ["an event is missing", () => sql("delete from outbox where first_id = 3"), ["events"]],
  ["the newest event is missing", () => sql("delete from outbox where first_id = 4"), ["events"]],
];

describe.skipIf(!hasStores)(`the audit of Redis and Postgres ${NEEDS_STORES}`, () => {
  beforeAll(async () => {
    stores = await startLedgerStores();
  }, SERVERS_MS_MAX);
  afterAll(() => stores.stop(), SERVERS_MS_MAX);
  beforeEach(async () => {
    await openShop();
    await fill();
  });

  test("passes when all is well, has looked at something for each check, and has changed nothing", async () => {
    const dump = async () => {
      const keys = (await stores.redis.client.keys(`*${prefix}*`)).sort();
      return Promise.all(keys.map(async (key) => [key, (await client().dumpBuffer(key))?.toString("hex")]));
    };
    const before = await dump();
    const { exitCode, lines } = await audit();
    expect(lines.filter((text) => !text.startsWith("ok "))).toEqual([passed]);
    expect([exitCode, lines.filter((text) => text.includes("(0 looked at)"))]).toEqual([0, []]);
    expect(await dump()).toEqual(before);
  });

  test.each(breaches)("finds that %s", async (_, damage, broken) => {
    await damage();
    const found = await audit();
    expect(found.broken).toEqual(broken.map((check) => SHARED_CHECKS[check]));
    expect([found.exitCode, found.lines.at(-1)]).toEqual([1, `audit: ${broken.length} of ${ALL} checks FAILED`]);
    const evidence = found.lines[found.lines.findIndex((text) => text.startsWith("BROKEN ")) + 1] as string;
    expect(Object.keys(JSON.parse(evidence.trim())).length).toBeGreaterThan(1);
  });

  test("passes while others buy, order and pay, and has looked at what stood still", async () => {
    const { ledger: selling } = shop;
    const isDone = { now: false };
    await shop.put(5_000, "drop");
    const buyers = Array.from({ length: 4 }, async (_, buyer) => {
      for (let n = 0; !isDone.now || n < 20; n += 1) {
        shop.now += 1;
        const [user, orderId] = [`buyer ${buyer} ${n}`, `O-${buyer}-${n}`];
        await selling.hold([holdCommand(user, 1, { sku: "drop" })], shop.now);
        await selling.place([placeCommand(user, orderId, { skus: ["drop"] })], shop.now);
        await (n % 3 === 0
          ? selling.cancel([{ verb: "cancel", orderId: orderId as OrderId, to: "free" }], shop.now)
          : selling.pay([payCommand(orderId, { paymentId: `payment ${user}` })], shop.now));
        await ledger.relay();
      }
    });
    const audits = [await audit(), await audit(), await audit()];
    isDone.now = true;
    await Promise.all(buyers);
    while (await ledger.relay());
    for (const { lines } of [...audits, await audit()]) expect(lines.filter((text) => !/^(ok|note) /.test(text))).toEqual([passed]);
  }, 60_000);

  test("can find each of what it checks", () => {
    expect(new Set(breaches.flatMap(([, , broken]) => broken))).toEqual(new Set(Object.keys(SHARED_CHECKS) as SharedCheck[]));
  });
});

describe.skipIf(!hasStores)(`the audit of a Redis Cluster and Postgres ${NEEDS_STORES}`, () => {
  beforeAll(async () => {
    stores = await startLedgerStores({ isCluster: true });
  }, SERVERS_MS_MAX);
  afterAll(() => stores.stop(), SERVERS_MS_MAX);

  test("passes when all is well, and finds what is not, on whichever node it lies", async () => {
    await openShop();
    await fill();
    expect((await audit()).lines.at(-1)).toBe(passed);
    for (const sku of ["lamp", "sofa", "vase"]) await goods("row[1] = row[1] - 1", sku);
    const { exitCode, lines } = await audit();
    expect([exitCode, lines.filter((text) => text.startsWith("      ")).length]).toEqual([1, 3]);
  });
});

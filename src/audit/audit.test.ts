/** The audit of a store that the system itself has filled: silent while all is well, and each check finds what it is there for. */
import { Database } from "bun:sqlite";
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NO_SALES } from "../../test/sale-desk.ts";
import type { OrderId, SessionId, Sku, UserId } from "../core/ids.ts";
import { Throttle } from "../core/throttle.ts";
import { GroupCommit } from "../edge/group-commit.ts";
import { openSqliteFile, openSqliteFileReadOnly } from "../edge/sqlite-file.ts";
import { EmbeddedLedger } from "../ledger/embedded/embedded-ledger.ts";
import { SqliteJournal } from "../ledger/embedded/sqlite-journal.ts";
import { embeddedPolicies } from "../services/policy-controller/policy-store.ts";
import { PolicyController } from "../services/policy-controller/service.ts";
import { STORE_SCHEMA } from "../topology/embedded-process.ts";
import { audit } from "./audit.ts";
import { CHECKS } from "./checks.ts";

const [A, B] = ["SKU-A", "SKU-B"] as [Sku, Sku];
const NOW = 1_000_000;
const MINUTE = 60_000;
const PAYMENT = { provider: "test", paymentId: "P1", amountCents: 200, currency: "eur" };
const FILE_IS_SOUND = "the database file is sound (SQLite's integrity check)";

const root = mkdtempSync(join(tmpdir(), "doorbuster-audit-"));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;
let folder = "";
beforeEach(() => {
  folders += 1;
  folder = join(root, String(folders));
});

/** A store in use, as the process that sells from it has it open. */
function openShop() {
  const { db, close } = openSqliteFile(folder, STORE_SCHEMA);
  const turns = new GroupCommit(db, (failure) => {
    throw failure;
  });
  const ledger = new EmbeddedLedger(new SqliteJournal(db, turns));
  const clock = { now: () => NOW, monotonicUs: () => 0 };
  const throttle = new Throttle({ ratePerSecond: null, burst: 1 }, clock);
  const policies = new PolicyController(embeddedPolicies(db, turns), ledger, throttle, clock, NO_SALES);
  const hold = (userId: string, sku: Sku, quantity: number, { now = NOW, key = false } = {}) => {
    const command = { sku, userId: userId as UserId, quantity, limit: 0, opensAt: 0, closesAt: 0, frozenForMs: 30 * MINUTE };
    const sessionId = `session of ${userId}` as SessionId;
    return ledger.hold([{ verb: "hold", ...command, sessionId, key: key ? { text: `key of ${userId}`, fingerprint: "f" } : null }], now);
  };
  const place = (orderId: string, userId: string, ...skus: readonly Sku[]) => {
    const items = skus.map((sku) => ({ sku, priceCents: 100 }));
    return ledger.place(
      [{ verb: "place", orderId: orderId as OrderId, userId: userId as UserId, userLevel: 1, items, windowMs: 10 * MINUTE }],
      NOW,
    );
  };
  return { db, ledger, policies, hold, place, close };
}
type Shop = ReturnType<typeof openShop>;

/** Of everything that the checks look at, something. */
async function fill({ ledger, policies, hold, place }: Shop): Promise<void> {
  for (const sku of [A, B]) await ledger.stock([{ verb: "stock", mode: "put", sku, onHand: 10, priceCents: 100 }], NOW);
  await hold("ann", A, 3, { key: true });
  await hold("bob", A, 2);
  await hold("bob", B, 1);
  await place("O-unpaid", "bob", A, B);
  await hold("cat", A, 1);
  await place("O-paid", "cat", A);
  await ledger.pay([{ verb: "pay", orderId: "O-paid" as OrderId, payment: PAYMENT, isAmountRight: true, limits: new Map() }], NOW + 1);
  await hold("dan", B, 1);
  await hold("fay", B, 99, { key: true });
  await ledger.record([{ verb: "record", mode: "put", sku: A, userId: "eve" as UserId, userLevel: 1, ordered: 4 }], NOW);
  await policies.put(A, { userLevel: 1, quantityLimit: 5 }, "add");
}

async function filledShop(): Promise<Shop> {
  const shop = openShop();
  await fill(shop);
  return shop;
}

interface Report {
  readonly exitCode: number;
  readonly lines: readonly string[];
  readonly broken: readonly string[];
}
function auditOf(db: Database): Report {
  const lines: string[] = [];
  const exitCode = audit(db, (line) => lines.push(line));
  const broken = lines.filter((line) => line.startsWith("BROKEN ")).map((line) => line.slice(7).replace(/ \(\d+ looked at\)$/, ""));
  return { exitCode, lines, broken };
}
/** As `audit --data` does it. */
function auditFolder(): Report {
  const db = openSqliteFileReadOnly(folder);
  try {
    return auditOf(db);
  } finally {
    db.close();
  }
}
const passed = `audit: all ${CHECKS.length + 1} checks passed`;

describe("a store in which all is well", () => {
  test("passes when it is empty", () => {
    openShop().close();
    const { exitCode, broken, lines } = auditFolder();
    expect([exitCode, broken, lines.at(-1)]).toEqual([0, [], passed]);
  });

  test("passes when it is full, and every check has had something to look at", async () => {
    (await filledShop()).close();
    const { exitCode, lines } = auditFolder();
    expect(exitCode).toBe(0);
    const promises = [...CHECKS.map(({ promise }) => promise), FILE_IS_SOUND];
    expect(lines.map((line) => line.replace(/\d+ looked at/, "n looked at"))).toEqual([
      ...promises.map((promise) => (promise === FILE_IS_SOUND ? `ok     ${promise}` : `ok     ${promise} (n looked at)`)),
      passed,
    ]);
    expect(lines.filter((line) => line.includes("(0 looked at)"))).toEqual([]);
  });

  test("passes while holds and unpaid orders lie past their deadline and no sweeper has come, and their goods are held by others", async () => {
    const shop = await filledShop();
    const later = NOW + 31 * MINUTE;
    expect(await shop.hold("gus", A, 9, { now: later })).toMatchObject([{ kind: "held" }]);
    expect(auditFolder().lines.at(-1)).toBe(passed);
    // The goods' own time may be older than that of their lines: the latest counts.
    shop.db.run(`update goods set clock_ms = ${NOW}`);
    expect(auditFolder().lines.at(-1)).toBe(passed);
    while (await shop.ledger.sweep(later));
    shop.close();
    expect(auditFolder().lines.at(-1)).toBe(passed);
  });

  test("passes while a process sells from it: the audit sees what is committed, and keeps nobody from selling", async () => {
    const shop = await filledShop();
    const reader = openSqliteFileReadOnly(folder);
    shop.db.run("begin immediate");
    shop.db.run("update goods set sold = -1");
    expect(auditOf(reader).lines.at(-1)).toBe(passed);
    shop.db.run("rollback");
    await shop.hold("gus", A, 1);
    expect(auditOf(reader).lines).toContain(
      "ok     every hold is of goods that exist, has a deadline, and names its purchase (3 looked at)",
    );
    reader.close();
    shop.close();
  });
});

const [OVERSOLD, STOCKED, PAID, ONE_LINE, HOLDS, UNPAID, ORDERS, PAYMENTS, ONE_REPLY, FINDABLE, POLICY] = CHECKS.map(
  ({ promise }) => promise,
) as string[];
const UNPAY = "provider = null, payment_id = null, amount_cents = null, currency = null";
const PAID_BY = "provider = 'p', payment_id = 'i', amount_cents = 1, currency = 'eur'";
const aliveLine = (user: string, held: number, sku = A) =>
  `insert into lines (sku, user_id, held, held_until_ms, session_id, ordered, user_level, clock_ms)
   values ('${sku}', '${user}', ${held}, ${NOW + MINUTE}, 's', 0, null, ${NOW})`;

const setItem = (orderId: string, path: string, value: number | string) =>
  `update orders set items = json_set(items, '${path}', ${value}) where order_id = '${orderId}'`;

/** What an operator's hand, a bug or a bad disk could do, and which promise it breaks. */
const breaches: readonly (readonly [what: string, sql: string, promise: string | undefined])[] = [
  ["more is held than is on hand", "update lines set held = 8 where user_id = 'ann'", OVERSOLD],
  ["more is in unpaid orders than is on hand", setItem("O-unpaid", "$[0][1]", 8), OVERSOLD],
  ["one hold too many", aliveLine("gus", 5), OVERSOLD],
  ["less on hand than is frozen", "update goods set on_hand = 4, stocked = sold + 4 where sku = 'SKU-A'", OVERSOLD],
  ["less than nothing is on hand", "update goods set on_hand = -1, stocked = -1 where sku = 'SKU-B'", OVERSOLD],
  ["a unit has vanished", "update goods set on_hand = on_hand - 1 where sku = 'SKU-A'", STOCKED],
  ["a unit came from nowhere", "update goods set stocked = stocked - 1 where sku = 'SKU-B'", STOCKED],
  ["less than nothing was sold", "update goods set sold = -1, stocked = on_hand - 1 where sku = 'SKU-B'", STOCKED],
  ["more was paid for than was sold", setItem("O-paid", "$[0][1]", 2), PAID],
  ["an order was paid and not sold", "update goods set sold = 0, stocked = on_hand where sku = 'SKU-A'", PAID],
  ["a user holds the same goods twice", aliveLine("ann", 1), ONE_LINE],
  ["a hold of goods that are gone", aliveLine("gus", 1, "SKU-C" as Sku), HOLDS],
  ["a hold without a deadline", "update lines set held_until_ms = 0 where user_id = 'ann'", HOLDS],
  ["a hold without its purchase", "update lines set session_id = null where user_id = 'dan'", HOLDS],
  ["a hold of less than nothing", "update lines set held = -1 where user_id = 'dan'", HOLDS],
  ["less than nothing was ordered", "update lines set ordered = -1 where user_id = 'eve'", HOLDS],
  ["an unpaid order of goods that are gone", setItem("O-unpaid", "$[0][0]", "'SKU-C'"), UNPAID],
  ["an order in a state that there is not", "update orders set state = 'lost' where order_id = 'O-unpaid'", ORDERS],
  ["an order of none of its goods", setItem("O-unpaid", "$[1][1]", 0), ORDERS],
  ["an order of nothing", "update orders set items = '[]' where order_id = 'O-unpaid'", ORDERS],
  ["an order of the same goods twice", setItem("O-unpaid", "$[1][0]", "'SKU-A'"), ORDERS],
  ["an order whose items nobody can read", "update orders set items = '[[' where order_id = 'O-unpaid'", ORDERS],
  ["a paid order without its payment", `update orders set ${UNPAY} where order_id = 'O-paid'`, PAYMENTS],
  ["an unpaid order with a payment", `update orders set ${PAID_BY} where order_id = 'O-unpaid'`, PAYMENTS],
  ["half a payment", "update orders set currency = null where order_id = 'O-paid'", PAYMENTS],
  ["a key with two first replies", "insert into replies select id + 100, at_ms, hashes, entries from replies limit 1", ONE_REPLY],
  ["a reply that cannot be found", "update replies set hashes = x'00' where id = (select min(id) from replies)", FINDABLE],
  ["a policy that allows nothing", "update policies set quantity_limit = 0", POLICY],
  ["a policy below every level", "update policies set user_level = -1", POLICY],
];

describe("a store in which", () => {
  test.each(breaches)("%s fails, and the promise that was broken is named", async (_, sql, promise) => {
    (await filledShop()).close();
    const db = new Database(join(folder, "doorbuster.db"));
    db.run(sql);
    db.close();
    const { exitCode, broken, lines } = auditFolder();
    expect([exitCode, broken, lines.at(-1)]).toEqual([1, [promise as string], `audit: 1 of ${CHECKS.length + 1} checks FAILED`]);
    // Under the promise stands what breaks it, as JSON.
    const evidence = lines[lines.findIndex((line) => line.startsWith("BROKEN ")) + 1] as string;
    expect(Object.keys(JSON.parse(evidence.trim())).length).toBeGreaterThan(1);
  });

  test("there is a breach above for every check that there is", () => {
    expect(new Set(breaches.map(([, , promise]) => promise))).toEqual(new Set(CHECKS.map(({ promise }) => promise)));
  });

  test("an index names a row otherwise than its table fails: the file is not sound", async () => {
    const shop = await filledShop();
    const { page } = shop.db.query("select rootpage as page from sqlite_schema where name = 'order_records'").get() as { page: number };
    const { size } = shop.db.query("select page_size as size from pragma_page_size").get() as { size: number };
    shop.close();
    const path = join(folder, "doorbuster.db");
    const bytes = readFileSync(path);
    const at = bytes.indexOf("eve", (page - 1) * size);
    expect(at).toBeLessThan(page * size);
    bytes.write("evf", at);
    writeFileSync(path, bytes);
    expect(auditFolder()).toMatchObject({ exitCode: 1, broken: [FILE_IS_SOUND] });
  });

  test("very much is wrong is told in a few lines, every broken promise with no more than ten breaches", async () => {
    const shop = await filledShop();
    for (let user = 0; user < 12; user += 1) shop.db.run(aliveLine(`U${user}`, 1).replace("'s'", "null"));
    shop.db.run("update goods set sold = 7");
    shop.close();
    const { exitCode, broken, lines } = auditFolder();
    expect([exitCode, broken]).toEqual([1, [OVERSOLD, STOCKED, HOLDS] as string[]]);
    const afterHolds = lines.slice(lines.findIndex((line) => line.includes(HOLDS as string)) + 1);
    expect(afterHolds.findIndex((line) => line.trim() === "... and more")).toBe(10);
    expect(lines.at(-1)).toBe(`audit: 3 of ${CHECKS.length + 1} checks FAILED`);
  });
});

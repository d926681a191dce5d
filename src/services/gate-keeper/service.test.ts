/** The gate with the real services behind it, over a ledger in memory: its turns, its keys, its bounds, and its access records. */
import { Database } from "bun:sqlite";
import { describe, expect, test } from "bun:test";
import { NO_SALES } from "../../../test/sale-desk.ts";
import type { HttpReply } from "../../core/endpoint.ts";
import type { IpAddress, Sku, UserId } from "../../core/ids.ts";
import { parseIpAddress } from "../../core/ip-address.ts";
import { Throttle } from "../../core/throttle.ts";
import { traceIds } from "../../core/trace-id.ts";
import { GroupCommit } from "../../edge/group-commit.ts";
import type { Shopper } from "../../identity/identity.ts";
import { EmbeddedLedger } from "../../ledger/embedded/embedded-ledger.ts";
import { MemoryJournal } from "../../ledger/embedded/memory-journal.ts";
import { PURCHASES_IN_FLIGHT_MAX, TURN_LOOKS_MAX, TURN_PURCHASES_MAX } from "../../limits.ts";
import type { Outcome, PurchaseServices } from "../../purchase.ts";
import { InventoryManager } from "../inventory-manager/service.ts";
import { embeddedPolicies, POLICIES_SCHEMA } from "../policy-controller/policy-store.ts";
import { PolicyController } from "../policy-controller/service.ts";
import { DECISIONS_SCHEMA, embeddedDecisions } from "../safe-protector/decision-store.ts";
import { SafeProtector } from "../safe-protector/service.ts";
import { ShoppingCart } from "../shopping-cart/service.ts";
import type { BuyBody } from "./api.ts";
import { GateKeeper } from "./service.ts";

const SKU = "SKU1" as Sku;
const sample = {
  ...{ sessionID: "given by the client", clientIP: "::ffff:1.2.3.4", userID: "U1", userLevel: 1 },
  ...{ goodsSKU: SKU as string, goodsQuantity: 1 },
};

interface AccessRecord {
  readonly steps: readonly { readonly step: string; readonly outcome: string; readonly us: number }[];
  readonly reason: string | null;
  readonly traceId: string;
}

class Gate {
  nowMs = Date.UTC(2026, 10, 22, 12, 0, 0);
  #us = 0;
  readonly clock = {
    now: () => this.nowMs,
    monotonicUs: () => {
      this.#us += 1.5;
      return this.#us;
    },
  };
  readonly ledger = new EmbeddedLedger(new MemoryJournal());
  readonly protector: SafeProtector;
  readonly policies: PolicyController;
  readonly lines: string[] = [];
  readonly counted: [Outcome["kind"], number][] = [];
  readonly bugs: unknown[] = [];
  readonly keeper: GateKeeper;
  /** What runs in the next turn of the event loop; the tests are the event loop. */
  readonly nextTurn: (() => void)[] = [];
  looks = 0;

  constructor(alter: (services: PurchaseServices) => PurchaseServices = (services) => services, burst: number | null = null) {
    const { clock, ledger } = this;
    const db = new Database(":memory:");
    db.run(POLICIES_SCHEMA + DECISIONS_SCHEMA);
    const turns = new GroupCommit(db, (failure) => {
      throw failure;
    });
    const unlimited = new Throttle({ ratePerSecond: null, burst: 1 }, clock);
    const throttle = burst === null ? unlimited : new Throttle({ ratePerSecond: 1, burst }, clock);
    this.protector = new SafeProtector(embeddedDecisions(db, turns), unlimited, clock);
    this.policies = new PolicyController(embeddedPolicies(db, turns), ledger, unlimited, clock, NO_SALES);
    this.keeper = new GateKeeper({
      instance: "host:gatekeeper:8080",
      services: alter({
        admit: (wanted) => throttle.admit(wanted),
        safeProtector: this.protector,
        policyController: this.policies,
        inventoryManager: new InventoryManager(ledger, unlimited, clock),
        shoppingCart: new ShoppingCart(ledger, unlimited, clock, 1_800_000, NO_SALES),
        replies: ledger,
        clock,
      }),
      clock,
      nextTraceId: traceIds("0".repeat(32)),
      nextTurn: (work) => this.nextTurn.push(work),
      record: (line) => this.lines.push(line),
      count: (outcome, totalUs) => this.counted.push([outcome.kind, totalUs]),
      trace: null,
      retryAfterSeconds: () => 3,
      onBug: (error) => this.bugs.push(error),
      keysInFlight: new Set(),
      isIdentityProven: false,
    });
  }

  async stock(onHand: number, sku: Sku = SKU): Promise<void> {
    await this.ledger.stock([{ verb: "stock", mode: "put", sku, onHand, priceCents: 100 }], this.nowMs);
  }

  arrive(body: Partial<typeof sample> = {}, key: string | null = null): HttpReply | Promise<HttpReply> {
    const { userID, userLevel, clientIP, ...asked } = { ...sample, ...body };
    const shopper: Shopper = { userId: userID as UserId, userLevel, clientIp: parseIpAddress(clientIP) as IpAddress };
    return this.keeper.buy(shopper, { userID, userLevel, clientIP, ...asked } as BuyBody, key, "en");
  }

  /** Looks at the sockets, where nobody new is, until every turn that was to begin has begun. */
  runTurns(): void {
    for (let work = this.nextTurn.shift(); work; work = this.nextTurn.shift()) {
      this.looks += 1;
      work();
    }
  }

  async buy(
    body: Partial<typeof sample> = {},
    key: string | null = null,
  ): Promise<{ readonly status: number; readonly body: { readonly sessionID: string } }> {
    const arrived = this.arrive(body, key);
    this.runTurns();
    const reply = await arrived;
    return { status: reply.status, body: JSON.parse(reply.body as string) };
  }

  /** The last record. It is one line, and the shortest JSON of itself. */
  record(): AccessRecord {
    const line = this.lines.at(-1) as string;
    expect(line.indexOf("\n")).toBe(line.length - 1);
    const record = JSON.parse(line) as AccessRecord;
    expect(`${JSON.stringify(record)}\n`).toBe(line);
    return record;
  }
}

async function openGate(...given: ConstructorParameters<typeof Gate>): Promise<Gate> {
  const gate = new Gate(...given);
  await gate.stock(10);
  await gate.protector.decide({ scope: "account", value: "bad", action: "block" }, undefined, "");
  await gate.policies.put(SKU, { userLevel: 1, quantityLimit: 20 }, "add");
  return gate;
}
/** How far a record's purchase came: each step with its outcome. */
const courseOf = ({ steps }: AccessRecord): string[] => steps.map(({ step, outcome }) => `${step} ${outcome}`);
const passed = (...steps: string[]): string[] => steps.map((step) => `${step} allowed`);
const ALL = passed("throttle", "protect", "policy", "inventory", "cart");

describe("the access record", () => {
  test("of a purchase that was held has everything that the contract names, and the gate's name", async () => {
    const gate = await openGate();
    const { body } = await gate.buy();
    const record = gate.record();
    expect(record).toEqual({
      ...{ time: "2026-11-22T12:00:00.000Z", instance: "host:gatekeeper:8080", traceId: body.sessionID, clientIP: "1.2.3.4", userID: "U1" },
      ...{ goodsSKU: "SKU1", goodsQuantity: 1, steps: expect.any(Array), reason: null, totalUs: expect.any(Number) },
    } as unknown as AccessRecord);
    expect(courseOf(record)).toEqual(ALL);
    const times = record.steps.map(({ us }) => us);
    expect([...times, gate.counted[0]?.[1]].every((us) => us !== undefined && us > 0)).toBe(true);
    expect(times.every((us) => Number.isInteger(us))).toBe(true);
  });

  const rows: readonly (readonly [string, Partial<typeof sample>, readonly string[]])[] = [
    ["blacklisted", { userID: "bad" }, [...ALL.slice(0, 1), "protect blacklisted"]],
    ["level-too-low", { userLevel: 0 }, [...ALL.slice(0, 2), "policy level-too-low"]],
    ["limit-reached", { goodsQuantity: 21 }, [...ALL.slice(0, 2), "policy limit-reached"]],
    ["unknown-goods", { goodsSKU: "SKU2" }, [...ALL.slice(0, 3), "inventory unknown-goods"]],
    ["sold-out", { goodsQuantity: 11 }, [...ALL.slice(0, 3), "inventory sold-out"]],
  ];
  describe.each([null, "a-key"])("with the key %p", (key) => {
    test.each(rows)("of a purchase that was refused as %s ends at its step", async (reason, body, course) => {
      const gate = await openGate();
      await gate.buy(body, key);
      expect([gate.record().reason, courseOf(gate.record())]).toEqual([reason, [...course]]);
    });

    test("of each purchase of one turn ends where that one ended, whatever became of the others", async () => {
      const gate = await openGate();
      const bodies = rows.map(([, body], index) => ({ userID: `R${index}`, ...body }));
      const arrived = [{}, ...bodies, {}].map((body, index) => gate.arrive(body, key && `${key}${index}`));
      gate.runTurns();
      const traces = await Promise.all(arrived.map(async (reply) => JSON.parse((await reply).body as string).sessionID as string));
      const records = gate.lines.map((line) => JSON.parse(line) as AccessRecord);
      const courses = traces.map((trace) => courseOf(records.find(({ traceId }) => traceId === trace) as AccessRecord));
      expect(records.length).toBe(rows.length + 2);
      expect(courses).toEqual([ALL, ...rows.map(([, , course]) => [...course]), ALL]);
    });
  });

  test("of a purchase that the cart refused ends there", async () => {
    const gate = await openGate();
    await gate.stock(1);
    const arrived = [gate.arrive(), gate.arrive({ userID: "U2" })];
    gate.runTurns();
    await Promise.all(arrived);
    expect([gate.record().reason, courseOf(gate.record())]).toEqual(["sold-out", [...ALL.slice(0, 4), "cart sold-out"]]);
  });

  test("of a repeated purchase ends at the throttle, names the first reason, and has a trace id of its own", async () => {
    const gate = await openGate();
    for (const [body, reason] of [
      [{}, null],
      [{ userID: "bad" }, "blacklisted"],
    ] as const) {
      const first = await gate.buy(body, `key ${reason}`.replace(" ", "-"));
      const again = await gate.buy(body, `key ${reason}`.replace(" ", "-"));
      expect(again).toEqual(first);
      expect([gate.record().reason, courseOf(gate.record())]).toEqual([reason, passed("throttle")]);
      expect(gate.record().traceId).not.toBe(first.body.sessionID);
    }
  });

  test("of a key that belongs to another purchase says so", async () => {
    const gate = await openGate();
    await gate.buy({}, "K");
    expect((await gate.buy({ goodsQuantity: 2 }, "K")).status).toBe(422);
    expect([gate.record().reason, courseOf(gate.record())]).toEqual(["key-reused", passed("throttle")]);
  });

  test("of a throttled purchase ends at the throttle", async () => {
    const gate = await openGate(undefined, 1);
    await gate.buy();
    const { status, body } = await gate.buy();
    expect([status, body]).toMatchObject([429, { isThrottled: true, reason: "throttled" }]);
    expect([gate.record().reason, courseOf(gate.record())]).toEqual(["throttled", ["throttle throttled"]]);
  });

  test.each(['a"b\\c', "品 🛒", "\u2028</script>", "é", "{}"])("is one line of valid JSON with the ids %j", async (id) => {
    const gate = await openGate();
    await gate.buy({ userID: id, goodsSKU: id });
    expect(gate.record()).toMatchObject({ userID: id, goodsSKU: id, reason: "unknown-goods" });
  });
});

describe("a turn of the gate", () => {
  test("looks again as long as somebody new has come, and then takes them together", async () => {
    const gate = await openGate();
    const lookOnce = gate.nextTurn.shift.bind(gate.nextTurn);
    const arrived = [gate.arrive()];
    arrived.push(gate.arrive({ userID: "U2" }), gate.arrive({ userID: "U3" }));
    lookOnce()?.();
    expect(gate.lines).toEqual([]);
    lookOnce()?.();
    expect((await Promise.all(arrived)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(gate.nextTurn).toEqual([]);
  });

  test("waits no longer than so many looks for those who still come", async () => {
    const gate = await openGate();
    const arrived = [gate.arrive()];
    for (let look = gate.nextTurn.shift(); look; look = gate.nextTurn.shift()) {
      arrived.push(gate.arrive({ userID: `U${arrived.length}` }));
      gate.looks += 1;
      look();
    }
    expect(gate.looks).toBe(TURN_LOOKS_MAX);
    await Promise.all(arrived);
  });

  test("takes so many at most; the rest go with the next", async () => {
    const sizes: number[] = [];
    const gate = await openGate((services) => ({
      ...services,
      admit: (wanted) => {
        sizes.push(wanted);
        return wanted;
      },
    }));
    const arrived = Array.from({ length: TURN_PURCHASES_MAX + 3 }, () => gate.arrive());
    gate.runTurns();
    await Promise.all(arrived);
    expect(sizes).toEqual([TURN_PURCHASES_MAX, 3]);
  });

  test("that meets a bug tells it, and answers everyone it had not answered with a failure", async () => {
    const bug = new TypeError("undefined is not a function");
    const gate = await openGate((services) => ({ ...services, inventoryManager: { validate: () => Promise.reject(bug) } }));
    const arrived = [gate.arrive({ userID: "bad" }), gate.arrive({}, "K"), gate.arrive({ userID: "bad" }, "L")];
    gate.runTurns();
    const replies = await Promise.all(arrived);
    expect(replies.map(({ status }) => status)).toEqual([200, 503, 503]);
    expect(JSON.parse((replies[1] as HttpReply).body as string)).toMatchObject({ repResult: false, reason: "cart-unavailable" });
    expect([gate.bugs, gate.keeper.purchasesInFlight]).toEqual([[bug], 0]);
    // Their keys are free again.
    expect((await gate.buy({ userID: "bad" }, "L")).body).toMatchObject({ reason: "blacklisted" });
  });
});

describe("the gate", () => {
  test("answers the key of a purchase on its way with 409, and with its reply afterwards", async () => {
    const gate = await openGate();
    const first = gate.arrive({}, "K");
    expect(await gate.arrive({}, "K")).toMatchObject({ status: 409, headers: { "retry-after": "1" } });
    expect(await gate.arrive({}, '"K"')).toMatchObject({ status: 409 });
    gate.runTurns();
    const { body } = await first;
    expect((await gate.buy({}, '"K"')).body).toEqual(JSON.parse(body as string));
    expect(gate.lines.length).toBe(2);
  });

  test("takes two spellings of one address, and any sessionID, for the same purchase, and nothing else", async () => {
    const gate = await openGate();
    const first = await gate.buy({}, "K");
    expect(await gate.buy({ clientIP: "1.2.3.4", sessionID: "another" }, "K")).toEqual(first);
    const others: Partial<typeof sample>[] = [{ userID: "U2" }, { userLevel: 2 }, { clientIP: "1.2.3.5" }, { goodsSKU: "S" }];
    for (const other of [...others, { goodsQuantity: 2 }]) expect((await gate.buy(other, "K")).status).toBe(422);
  });

  test.each(["", '""', "a b", "é", "x".repeat(256), "\t"])("refuses the key %j as malformed, and lets nobody in", async (key) => {
    const gate = await openGate();
    expect(await gate.arrive({}, key)).toMatchObject({ status: 400 });
    expect([gate.keeper.purchasesInFlight, gate.lines.length]).toEqual([0, 0]);
  });

  test("throttles at once whoever comes when so many are in flight, with a record; and serves again when they are answered", async () => {
    const gate = await openGate();
    await gate.stock(1_000_000);
    await gate.policies.remove(SKU);
    const arrived = Array.from({ length: PURCHASES_IN_FLIGHT_MAX }, (_, index) => gate.arrive({ userID: `U${index}` }));
    const reply = await gate.arrive({}, "K");
    expect(reply).toMatchObject({ status: 429, headers: { "retry-after": "3" } });
    expect(gate.record()).toMatchObject({ reason: "throttled", steps: [] });
    gate.runTurns();
    await Promise.all(arrived);
    expect(gate.keeper.purchasesInFlight).toBe(0);
    expect((await gate.buy({}, "K")).body).toMatchObject({ repResult: true });
    expect((await gate.ledger.goods([SKU], gate.nowMs))[0]?.frozen).toBe(PURCHASES_IN_FLIGHT_MAX + 1);
  });
});

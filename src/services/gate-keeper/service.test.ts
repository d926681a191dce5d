/** The gate with the real services behind it, over a ledger in memory: its keys, its bounds, and its access records. */
import { describe, expect, test } from "bun:test";
import { type AccessRecord, openGate, SKU, type sample } from "../../../test/gate-desk.ts";
import { PURCHASES_IN_FLIGHT_MAX } from "../../limits.ts";

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
      await gate.runTurns();
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
    await gate.runTurns();
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

describe("the gate", () => {
  test("answers the key of a purchase on its way with 409, and with its reply afterwards", async () => {
    const gate = await openGate();
    const first = gate.arrive({}, "K");
    expect(await gate.arrive({}, "K")).toMatchObject({ status: 409, headers: { "retry-after": "1" } });
    expect(await gate.arrive({}, '"K"')).toMatchObject({ status: 409 });
    await gate.runTurns();
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
    await gate.runTurns();
    await Promise.all(arrived);
    expect(gate.keeper.purchasesInFlight).toBe(0);
    expect((await gate.buy({}, "K")).body).toMatchObject({ repResult: true });
    expect((await gate.ledger.goods([SKU], gate.nowMs))[0]?.frozen).toBe(PURCHASES_IN_FLIGHT_MAX + 1);
  });
});

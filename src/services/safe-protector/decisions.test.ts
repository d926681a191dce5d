/** Decisions over every store: what each action does to a purchase, what is learned of it, and how operators find and change it. */
import { describe, expect, test } from "bun:test";
import { check, ProtectorDesk as Desk } from "../../../test/protector-desk.ts";
import { overEveryStore } from "../../../test/table-stores.ts";
import type { Route } from "../../core/endpoint.ts";
import { LEARNED_REMEMBERED_MS, THROTTLED_TO } from "../../limits/decisions.ts";
import type { Decision, DecisionAction, DecisionScope, Proposal } from "./decision.ts";
import { routes } from "./routes.ts";
import type { SafeProtector, SafeVerdict } from "./service.ts";

const MINUTE = 60_000;
const flood = (at: number, more: Partial<Proposal> = {}): Proposal => ({
  ...{ scope: "address", value: "1.1.1.1", action: "block", durationMs: MINUTE, scenario: "flood" },
  evidence: { windowMs: 1_000, counts: { requests: 412 }, traceIds: ["t1"], at },
  ...more,
});
const decide = (protector: SafeProtector, scope: DecisionScope, value: string, action: DecisionAction, seconds?: number) =>
  protector.decide({ scope, value, action }, seconds, "");
const told = (verdict: SafeVerdict): string => (verdict.allowed ? "allowed" : verdict.reason);
const verdictsOf = async (protector: SafeProtector, ...checks: readonly (readonly [user: string, address: string])[]) =>
  (await protector.validate(checks.map(([user, address]) => check(user, address)))).map(told);

interface Answered {
  readonly status: number;
  readonly body: { readonly decisions?: readonly Decision[]; readonly next?: string | null; readonly errors?: unknown } & Readonly<
    Record<string, unknown>
  >;
}
/** Asks a route as the edge does when it has checked the request. */
async function ask(protector: SafeProtector, name: string, input: object): Promise<Answered> {
  const { handle } = routes(protector).find(({ endpoint }) => endpoint.name === name) as Route;
  const reply = await handle({ params: {}, query: {}, body: null, headers: new Headers(), peer: () => "", ...input });
  return { status: reply.status, body: JSON.parse(reply.body as string) as Answered["body"] };
}

overEveryStore((openStore) => {
  describe("a decision", () => {
    test("to observe lets pass, and counts what it would have refused", async () => {
      const desk = await Desk.open(openStore);
      await decide(desk.protector, "account", "U1", "observe");
      await decide(desk.protector, "network", "10.0.0.0/8", "observe");
      expect(await verdictsOf(desk.protector, ["U1", "1.1.1.1"], ["U2", "10.1.1.1"], ["U1", "10.1.1.1"])).toEqual(Array(3).fill("allowed"));
      const { body } = await ask(desk.protector, "findDecisions", { query: { action: "observe" } });
      expect(body.decisions).toMatchObject([
        { scope: "network", seen: 2, bought: 0 },
        { scope: "account", seen: 2, bought: 0 },
      ]);
      expect(desk.protector.observed()).toEqual([
        { scope: "account", value: "U1" },
        { scope: "network", value: "10.0.0.0/8" },
      ]);
      desk.protector.countObservedBy((scope) => (scope === "account" ? { seen: 7, bought: 3 } : null));
      expect((await ask(desk.protector, "findDecisions", { query: { scope: "account" } })).body.decisions).toMatchObject([
        { seen: 7, bought: 3 },
      ]);
    });

    test.each([
      ["account", "U1"],
      ["address", "1.1.1.1"],
      ["network", "1.1.0.0/16"],
    ] as const)("to throttle lets a few of a %s pass, and then some with time, and nobody else is slower for it", async (scope, value) => {
      const desk = await Desk.open(openStore);
      await decide(desk.protector, scope, value, "throttle");
      const { burst, ratePerSecond } = THROTTLED_TO[scope];
      const crowd = Array.from({ length: burst + 2 }, () => ["U1", "1.1.1.1"] as const);
      const verdicts = await verdictsOf(desk.protector, ...crowd, ["U2", "2.2.2.2"]);
      expect(verdicts.filter((reason) => reason === "throttled")).toHaveLength(2);
      expect(verdicts.at(-1)).toBe("allowed");
      desk.nowMs += Math.ceil(1_000 / (ratePerSecond ?? 1));
      expect(await verdictsOf(desk.protector, ["U1", "1.1.1.1"], ["U1", "1.1.1.1"])).toEqual(["allowed", "throttled"]);
      const { status, headers, body } = await desk.protector.reply(check("U1", "1.1.1.1"));
      expect([status, Number(headers?.["retry-after"]) >= 1]).toEqual([429, true]);
      expect(JSON.parse(body as string)).toMatchObject({ isAllowed: false, isThrottled: true, isBadGuy: false, isBadIP: false });
    });

    test("to block is stronger than one to throttle about the same purchase", async () => {
      const desk = await Desk.open(openStore);
      await decide(desk.protector, "account", "U1", "throttle");
      await decide(desk.protector, "network", "1.0.0.0/8", "block");
      expect(await verdictsOf(desk.protector, ["U1", "1.1.1.1"], ["U1", "2.1.1.1"])).toEqual(["blacklisted", "allowed"]);
    });

    test("to allow wins over every other, about the account or the address, also by a network; and stands beside them", async () => {
      const desk = await Desk.open(openStore);
      for (const [scope, value] of [
        ["account", "U1"],
        ["address", "1.1.1.1"],
        ["network", "1.1.0.0/16"],
      ] as const) {
        const isFree = () => verdictsOf(desk.protector, ["U1", "1.1.1.1"]);
        await decide(desk.protector, "account", "U1", "block");
        await decide(desk.protector, "address", "1.1.1.1", "block");
        expect(await isFree()).toEqual(["blacklisted"]);
        await decide(desk.protector, scope, value, "allow", 60);
        expect(await isFree()).toEqual(["allowed"]);
        await desk.restart();
        expect(await isFree()).toEqual(["allowed"]);
        desk.nowMs += 60_000;
        expect(await isFree()).toEqual(["blacklisted"]);
        await decide(desk.protector, scope, value, "allow");
        expect(await ask(desk.protector, "removeDecision", { params: { scope, value }, query: { action: "allow" } })).toMatchObject({
          body: { removed: true },
        });
        expect(await isFree()).toEqual(["blacklisted"]);
      }
    });

    test("that does not block is none of the blacklist's: not shown, not removed there", async () => {
      const desk = await Desk.open(openStore);
      for (const action of ["observe", "throttle", "allow"] as const) await decide(desk.protector, "account", `U-${action}`, action);
      await decide(desk.protector, "account", "U-block", "block");
      expect(await desk.listed()).toEqual(["U-block"]);
      for (const user of ["U-observe", "U-allow"]) await ask(desk.protector, "removeBadGuy", { params: { uid: user } });
      const { body } = await ask(desk.protector, "findDecisions", { query: {} });
      expect(body.decisions?.map(({ value }) => value)).toEqual(["U-block", "U-observe", "U-throttle", "U-allow"]);
    });
  });

  describe("what is learned", () => {
    test("is in force at once and after a restart, with its evidence; it ends, is remembered and forgotten", async () => {
      const desk = await Desk.open(openStore);
      await desk.protector.learn([flood(1_000), flood(1_000, { scope: "account", value: "U9", action: "throttle" })]);
      const shown = { scope: "address", value: "1.1.1.1", action: "block", since: 1_000, until: 61_000, scenario: "flood" };
      const evidence = { windowMs: 1_000, counts: { requests: 412 }, traceIds: ["t1"], at: 1_000 };
      for (const life of ["the same", "the next"]) {
        expect([life, ...(await verdictsOf(desk.protector, ["U1", "1.1.1.1"]))]).toEqual([life, "blacklisted"]);
        const { body } = await ask(desk.protector, "findDecisions", { query: { value: "1.1.1.1" } });
        expect(body.decisions).toEqual([{ ...shown, origin: "learned", note: "", offences: 1, evidence, seen: 0, bought: 0 } as never]);
        await desk.restart();
      }
      expect([...desk.protector.refusals.byCause]).toEqual([]);
      await verdictsOf(desk.protector, ["U1", "1.1.1.1"]);
      expect([...desk.protector.refusals.byCause]).toEqual([["flood", 1]]);
      desk.nowMs = 61_000;
      expect(await verdictsOf(desk.protector, ["U1", "1.1.1.1"])).toEqual(["allowed"]);
      expect((await ask(desk.protector, "findDecisions", { query: { value: "1.1.1.1" } })).body.decisions).toEqual([]);
      await desk.protector.sweep(desk.nowMs);
      await desk.protector.learn([flood(desk.nowMs)]);
      const { body } = await ask(desk.protector, "findDecisions", { query: { scenario: "flood", scope: "address" } });
      expect(body.decisions).toMatchObject([{ offences: 2, since: 61_000, until: 61_000 + 2 * MINUTE }]);
      desk.nowMs = 61_000 + 2 * MINUTE + LEARNED_REMEMBERED_MS;
      await desk.protector.sweep(desk.nowMs);
      expect(desk.protector.decisions).toBe(0);
    });

    test("gives way to what an operator decides, and leaves that alone; released, it is forgotten", async () => {
      const desk = await Desk.open(openStore);
      await desk.protector.learn([flood(1_000)]);
      await decide(desk.protector, "address", "1.1.1.1", "observe", 10);
      desk.nowMs = 5_000;
      await desk.protector.learn([flood(5_000)]);
      expect(await verdictsOf(desk.protector, ["U1", "1.1.1.1"])).toEqual(["allowed"]);
      desk.nowMs = 11_000;
      await desk.protector.learn([flood(11_000)]);
      const removed = await ask(desk.protector, "removeDecision", { params: { scope: "address", value: "1.1.1.1" }, query: {} });
      expect(removed.body).toEqual({ removed: true });
      await desk.protector.learn([flood(11_000)]);
      const { body } = await ask(desk.protector, "findDecisions", { query: { origin: "learned" } });
      expect(body.decisions).toMatchObject([{ offences: 1 }]);
    });
  });

  describe("decisions are found", () => {
    const values = async (protector: SafeProtector, query: object): Promise<string[]> => {
      const found: string[] = [];
      for (let after: string | null = ""; after !== null; ) {
        const { body } = await ask(protector, "findDecisions", { query: { ...query, ...(after !== "" && { after }) } });
        found.push(...(body.decisions ?? []).map(({ scope, value, action }) => `${action} ${scope} ${value}`));
        after = body.next as string | null;
      }
      return found;
    };

    test("by scope, action, origin, scenario and value, each once over all pages, and only while they stand", async () => {
      const desk = await Desk.open(openStore);
      const { protector } = desk;
      await decide(protector, "address", "::1", "block");
      await decide(protector, "address", "::1", "allow");
      await decide(protector, "network", "10.0.0.0/8", "throttle");
      await decide(protector, "account", "::1", "block");
      await decide(protector, "account", "short", "block", 1);
      await protector.learn([flood(1_000), flood(1_000, { scope: "account", value: "U2", scenario: "cycling" })]);
      const all = [
        ...["block address 1.1.1.1", "throttle network 10.0.0.0/8", "block address ::1", "allow address ::1"],
        ...["block account ::1", "block account U2"],
      ];
      expect(await values(protector, {})).toEqual([...all, "block account short"]);
      desk.nowMs = 2_000;
      const rows: readonly [object, readonly number[]][] = [
        [{}, [0, 1, 2, 3, 4, 5]],
        [{ scope: "address" }, [0, 2, 3]],
        [{ scope: "network" }, [1]],
        [{ scope: "account" }, [4, 5]],
        [{ action: "block" }, [0, 2, 4, 5]],
        [{ action: "allow" }, [3]],
        [{ action: "throttle" }, [1]],
        [{ origin: "learned" }, [0, 5]],
        [{ origin: "operator", action: "block" }, [2, 4]],
        [{ origin: "import" }, []],
        [{ scenario: "cycling" }, [5]],
        [{ scenario: "flood", scope: "account" }, []],
        [{ value: "0:0::1" }, [2, 3]],
        [{ value: "::1" }, [2, 3, 4]],
        [{ value: "::1", action: "allow" }, [3]],
        [{ value: "10.1.1.1/8" }, [1]],
        [{ value: "10.1.1.1" }, []],
      ];
      for (const [query, wanted] of rows) {
        const found = wanted.map((index) => all[index] as string);
        expect([query, (await values(protector, query)).toSorted()]).toEqual([query, found.toSorted()]);
        for (const limit of [1, 2])
          expect([limit, query, await values(protector, { ...query, limit })]).toEqual([limit, query, await values(protector, query)]);
      }
    });
  });

  describe("an imported list", () => {
    const take = (protector: SafeProtector, body: string, query: object = {}) => ask(protector, "importDecisions", { body, query });

    test("is in force line by line; what an operator has decided stays, what was learned or imported before does not", async () => {
      const desk = await Desk.open(openStore);
      await decide(desk.protector, "address", "2.2.2.2", "observe");
      await desk.protector.learn([flood(1_000)]);
      const first = await take(desk.protector, "1.1.1.1\n2.2.2.2\nnonsense\n10.0.0.0/8\n", { durationSeconds: 60, note: "list 1" });
      expect(first.body).toEqual({
        ...{ lines: 4, added: 1, replaced: 1, kept: 1, bad: 1 },
        badLines: [{ line: 3, detail: "is no IPv4 or IPv6 address and no CIDR range" }],
      } as never);
      for (const life of ["the same", "the next"]) {
        const verdicts = await verdictsOf(desk.protector, ["U", "1.1.1.1"], ["U", "2.2.2.2"], ["U", "10.1.1.1"]);
        expect([life, ...verdicts]).toEqual([life, "blacklisted", "allowed", "blacklisted"]);
        const { body } = await ask(desk.protector, "findDecisions", { query: { origin: "import" } });
        expect(body.decisions).toMatchObject([
          { value: "1.1.1.1", action: "block", until: 61_000, note: "list 1", scenario: null },
          { value: "10.0.0.0/8", since: 1_000 },
        ]);
        await desk.restart();
      }
      const again = await take(desk.protector, "1.1.1.1\n3.3.3.3", { action: "throttle" });
      expect(again.body).toMatchObject({ added: 1, replaced: 1 });
      await desk.protector.learn([flood(9_000)]);
      expect(await verdictsOf(desk.protector, ["U", "1.1.1.1"])).toEqual(["allowed"]);
    });

    test("of accounts has a user id on each line; one to allow stands beside all others", async () => {
      const desk = await Desk.open(openStore);
      await take(desk.protector, "1.1.1.1\nU2", { accounts: "true" });
      expect(await verdictsOf(desk.protector, ["U2", "1.1.1.1"], ["1.1.1.1", "2.2.2.2"], ["U1", "1.1.1.1"])).toEqual([
        ...["blacklisted", "blacklisted", "allowed"],
      ]);
      await take(desk.protector, "1.1.1.0/24", { action: "allow" });
      expect(await verdictsOf(desk.protector, ["U2", "1.1.1.1"])).toEqual(["allowed"]);
    });

    test("that is none is refused, and one at a time is taken", async () => {
      const desk = await Desk.open(openStore);
      const { status, body } = await take(desk.protector, "<html>\n<p>not found</p>");
      expect([status, body.errors]).toEqual([
        400,
        [expect.objectContaining({ detail: expect.stringContaining("line 1 ") }), expect.anything()],
      ]);
      expect(await take(desk.protector, "")).toMatchObject({ status: 200, body: { lines: 0, added: 0 } });
      const long = Array.from({ length: 3_000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`).join("\n");
      const both = await Promise.allSettled([take(desk.protector, long), take(desk.protector, long)]);
      expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
      expect(desk.protector.decisions).toBe(3_000);
    });
  });

  test("a change in which values come several times leaves of each what it says last", async () => {
    const desk = await Desk.open(openStore);
    const { table, find, forgotten } = await desk.store.decisions();
    const at = (value: string) => ({ scope: "account", value, isAllow: false }) as const;
    const put = (value: string, until: number | null) => ({
      put: {
        ...at(value),
        action: "block",
        since: 0,
        until,
        scenario: null,
        origin: "import",
        note: "",
        offences: 0,
        evidence: null,
      } as Decision,
    });
    const change = (...changes: ({ put: Decision } | { remove: ReturnType<typeof at> })[]) =>
      table.change(() => ({ reply: undefined, changes, events: [] }));
    await change(put("A", 500), put("D", 400), put("E", null));
    await change(
      put("A", null),
      put("B", 100),
      { remove: at("A") },
      put("C", null),
      put("B", null),
      put("A", 200),
      { remove: at("C") },
      put("D", null),
    );
    const untils = async () => Promise.all(["A", "B", "C", "D", "E"].map(async (value) => (await find(at(value)))?.until));
    expect(await untils()).toEqual([200, null, undefined, null, null]);
    expect(["A", "B", "C", "D", "E"].map((value) => table.view.untilOf(at(value)))).toEqual([200, null, undefined, null, null]);
    expect(await forgotten(1_000, 10)).toEqual([at("A")]);
    await desk.restart();
    expect([desk.protector.decisions, await desk.listed()]).toEqual([4, ["B", "D", "E"]]);
  });

  test("a line that comes twice is added once and replaced once, however long the list is", async () => {
    const desk = await Desk.open(openStore);
    const lines = Array.from({ length: 2_500 }, (_, index) => `10.${index % 7}.${index >> 8}.${index & 255}`);
    const text = [...lines, ...lines.toReversed(), "10.0.0.0/8", "2001:db8::1", "10.0.0.0/8"].join("\r\n");
    const reply = await ask(desk.protector, "importDecisions", { query: {}, body: text });
    expect(reply.body).toMatchObject({ lines: 5_003, added: 2_502, replaced: 2_501, kept: 0, bad: 0 });
    await desk.restart();
    expect(desk.protector.decisions).toBe(2_502);
  });

  test("a value that is none of its scope is named", async () => {
    const { protector } = await Desk.open(openStore);
    for (const [scope, value] of [
      ["address", "10.0.0.0/8"],
      ["address", "x"],
      ["network", "10.0.0.1"],
    ]) {
      const added = await ask(protector, "addDecision", { body: { scope, value, action: "block" } });
      expect([added.status, added.body.errors]).toEqual([400, [expect.objectContaining({ pointer: "#/value" })]]);
      const removed = await ask(protector, "removeDecision", { params: { scope, value } });
      expect([removed.status, removed.body.errors]).toEqual([400, [expect.objectContaining({ pointer: "#/path/value" })]]);
    }
  });
});

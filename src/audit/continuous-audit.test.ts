import { describe, expect, test } from "bun:test";
import { AUDIT_IDLE_MS, AUDIT_REST_MS_MAX, AUDIT_REST_MS_MIN } from "../limits/ledger.ts";
import { ContinuousAudit, restAfter } from "./continuous-audit.ts";
import { type AuditReport, checked } from "./report.ts";

const HOLDS: AuditReport = { checks: [checked("it holds", 3, [])], notes: [] };
const BROKEN: AuditReport = { checks: [checked("it holds", 3, [{ sku: "A" }])], notes: [] };

/** An audit whose looks end when they are told to, over a clock that is moved by hand. */
function desk() {
  let nowMs = 1_000_000;
  const looks: PromiseWithResolvers<AuditReport>[] = [];
  let rests = 0;
  const audit = new ContinuousAudit({
    examine: () => {
      const look = Promise.withResolvers<AuditReport>();
      looks.push(look);
      return look.promise;
    },
    rest: () => {
      rests += 1;
    },
    clock: { now: () => nowMs, monotonicUs: () => nowMs * 1_000 },
  });
  const end = async (report: AuditReport | Error): Promise<void> => {
    if (report instanceof Error) looks.at(-1)?.reject(report);
    else looks.at(-1)?.resolve(report);
    await Promise.resolve().then(() => Promise.resolve());
    await new Promise(setImmediate);
  };
  return {
    audit,
    end,
    looks: () => looks.length,
    rests: () => rests,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

describe("the running audit", () => {
  test("claims nothing before it has looked, and then says when that was", async () => {
    const { audit, end, pass } = desk();
    expect(audit.ask()).toMatchObject({ state: "unknown", checkedAt: null });
    pass(40);
    await end(HOLDS);
    expect(audit.ask()).toMatchObject({ state: "holding", checkedAt: 1_000_000, tookMs: 40, checks: [{ looked: 3, breaches: [] }] });
  });

  test("says what is broken, and by what", async () => {
    const { audit, end } = desk();
    audit.ask();
    await end(BROKEN);
    expect(audit.ask()).toMatchObject({ state: "broken", checks: [{ breaches: ['{"sku":"A"}'] }] });
  });

  test("does not know when it could not look, and keeps the age of what it knew", async () => {
    const { audit, end, pass } = desk();
    audit.ask();
    await end(HOLDS);
    pass(AUDIT_REST_MS_MIN);
    audit.ask();
    await end(new Error("Postgres is away"));
    expect(audit.ask()).toMatchObject({ state: "unknown", checkedAt: 1_000_000, why: "Postgres is away" });
  });

  test("looks again when it has rested, once at a time, and only while somebody asks", async () => {
    const { audit, end, looks, pass } = desk();
    audit.ask();
    audit.ask();
    expect(looks()).toBe(1);
    await end(HOLDS);
    pass(AUDIT_REST_MS_MIN - 1);
    audit.ask();
    expect(looks()).toBe(1);
    pass(1);
    expect(looks()).toBe(1);
    audit.ask();
    expect(looks()).toBe(2);
  });

  test("gives back what it needs when nobody has asked for a while, and looks again for whoever does", async () => {
    const { audit, end, looks, rests, pass } = desk();
    audit.ask();
    await end(HOLDS);
    pass(AUDIT_IDLE_MS - 1);
    audit.tick();
    expect(rests()).toBe(0);
    pass(1);
    audit.tick();
    audit.tick();
    expect(rests()).toBe(1);
    audit.ask();
    expect(looks()).toBe(2);
  });
});

describe("the rest between two looks", () => {
  test("is never shorter than its least", () => expect(restAfter(1)).toBe(AUDIT_REST_MS_MIN));
  test("leaves a look a twentieth of the time", () => expect(restAfter(1_000)).toBeCloseTo(19_000));
  test("of a larger store is no longer than half a minute", () => expect(restAfter(3_000)).toBe(AUDIT_REST_MS_MAX));
  test("of the largest leaves a look a fifth of the time", () => expect(restAfter(60_000)).toBeCloseTo(240_000));
});

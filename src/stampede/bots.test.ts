import { describe, expect, test } from "bun:test";
import type { Sku } from "../core/ids.ts";
import { BOT_KINDS, type BotKind } from "./bot-kinds.ts";
import { type Attack, Bots, botRequests } from "./bots.ts";
import type { LoadClient } from "./io.ts";

const gate = { host: "127.0.0.1", port: 8080, origin: "http://127.0.0.1:8080" };
const attack: Attack = {
  ...{ gate, sku: "SKU 1" as Sku, quantity: 2, userLevel: 5, bots: 6, botKinds: BOT_KINDS, botRatePerSecond: 100 },
};
const sentBy = (kind: BotKind, index: number, n: number): { userID: string; clientIP: string } =>
  JSON.parse(botRequests(kind, index, attack, "run").next(n).split("\r\n\r\n")[1] ?? "") as never;
const different = (of: (n: number) => string): number => new Set(Array.from({ length: 50 }, (_, n) => of(n))).size;

describe("a bot", () => {
  test.each(["flood", "early", "squat"] as const)(
    "of the kind %s is one account at one address, and shares neither with another bot",
    (kind) => {
      expect(different((n) => sentBy(kind, 0, n).userID)).toBe(1);
      expect(different((n) => sentBy(kind, 0, n).clientIP)).toBe(1);
      expect(different((index) => sentBy(kind, index, 0).clientIP)).toBe(50);
      expect(different((index) => sentBy(kind, index, 0).userID)).toBe(50);
    },
  );

  test("with many accounts has another one each time, behind the address of all such bots", () => {
    expect(different((n) => sentBy("accounts", 0, n).userID)).toBe(50);
    expect(different((index) => sentBy("accounts", index, index).clientIP)).toBe(1);
  });

  test("that rotates has one account, and another address each time", () => {
    expect(different((n) => sentBy("rotating", 3, n).userID)).toBe(1);
    expect(different((n) => sentBy("rotating", 3, n).clientIP)).toBe(50);
  });

  test("that sends nonsense sends what is no JSON, of the length that it says", () => {
    const [head, body] = botRequests("malformed", 0, attack, "run").next(0).split("\r\n\r\n") as [string, string];
    expect(() => JSON.parse(body)).toThrow();
    expect(head).toContain(`content-length: ${body.length}`);
  });

  test("gives back what it bought, if that is its kind", () => {
    expect(botRequests("squat", 4, attack, "run").release).toStartWith("DELETE /cart/SKU%201?userID=run-bot-squat-4 HTTP/1.1\r\n");
    expect(BOT_KINDS.filter((kind) => botRequests(kind, 0, attack, "run").release !== null)).toEqual(["squat"]);
  });
});

/** A gate that holds for everybody, and knows an account for a bot at its third purchase. */
function suspiciousGate(): LoadClient {
  const seen = new Map<string, number>();
  const answerTo = (request: string): string => {
    if (request.startsWith("DELETE")) return "[]";
    const user = /"userID":"([^"]+)"/.exec(request)?.[1] ?? "";
    seen.set(user, (seen.get(user) ?? 0) + 1);
    if ((seen.get(user) ?? 0) > 2) return JSON.stringify({ repResult: false, isThrottled: false, reason: "blacklisted" });
    return JSON.stringify({ repResult: true, isThrottled: false, hold: { goodsSKU: "SKU 1", goodsQuantity: 2, expiresAt: 1e13 } });
  };
  return {
    send: (request, onEnd) => {
      queueMicrotask(() => onEnd({ kind: "reply", status: 200, body: answerTo(request) }));
      return "sent";
    },
    sendAndCut: () => "full",
    ask: () => Promise.reject(new Error("nobody asks")),
    close: () => undefined,
  };
}

test("the report says of each kind how many there were, when each was first kept away, and what it bought", async () => {
  let nowUs = 0;
  const due: { at: number; run: () => void }[] = [];
  const timers = { after: (ms: number, run: () => void) => void due.push({ at: nowUs + 1_000 * ms, run }), every: () => () => undefined };
  const clock = { now: () => 0, monotonicUs: () => nowUs };
  const bots = new Bots({ ...attack, bots: 4, botKinds: ["flood", "squat"] }, "run", { client: suspiciousGate(), clock, timers });
  expect(bots.hasEarly).toBe(false);
  bots.begin(true);
  bots.begin(false);
  for (let step = 0; step < 40; step += 1) {
    const next = due.sort((a, b) => a.at - b.at).shift();
    if (next === undefined) break;
    nowUs = next.at;
    next.run();
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  }
  const ended = bots.end();
  for (const { run } of due) run();
  const each = { bots: 2, keptAwayAfterMs: [20, 20], keptAwayAfterRequests: [3, 3], bought: 8 };
  expect(await ended).toMatchObject([
    { kind: "flood", ...each, kept: 8 },
    { kind: "squat", ...each, kept: 0 },
  ]);
});

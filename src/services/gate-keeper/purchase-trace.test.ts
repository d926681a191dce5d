/** What a trace tells of a purchase: every way to end, at its step and with its reason; and what it keeps to itself. */
import { describe, expect, test } from "bun:test";
import { type Bursts, keyed, Shop, SKU, user, type Wish } from "../../../test/purchase-desk.ts";
import { Failure } from "../../core/failure.ts";
import type { SessionId, Sku } from "../../core/ids.ts";
import { STEPS } from "../../core/reason.ts";
import type { TraceRecord } from "../../core/trace-record.ts";
import { type PurchaseServices, purchaseTogether } from "../../purchase.ts";
import { purchaseTrace } from "./purchase-trace.ts";

const EPOCH_US = 1_700_000_000_000_000;
const TRACE_ID = "0af7651916cd43dd8448eb211c80319c" as SessionId;

async function openShop(bursts: Bursts = {}): Promise<Shop> {
  const shop = new Shop(bursts);
  await shop.stock(10);
  await shop.protector.decide({ scope: "account", value: "bad", action: "block" }, undefined, "");
  await shop.policies.put(SKU, { userLevel: 1, quantityLimit: 20 }, "add");
  return shop;
}

/** One turn of these wishes, in order; the trace of each, made when it ends. */
async function traced(shop: Shop, ...wishes: readonly Wish[]): Promise<readonly TraceRecord[]> {
  const receivedUs = shop.clock.monotonicUs();
  const traces: TraceRecord[] = [];
  const purchases = wishes.map((wish, index) => {
    const { sku = SKU, quantity = 1, level = 1, ip = "1.1.1.1", key = null } = wish;
    const purchase = { sessionId: TRACE_ID, userId: user(wish.user ?? "U1"), userLevel: level, clientIp: ip as never };
    const bought = { ...purchase, sku, quantity, key, quantityLimit: 0, sale: null };
    const settle: Parameters<typeof purchaseTogether>[0][number]["settle"] = (outcome, course) => {
      traces[index] = purchaseTrace(bought, outcome, course, receivedUs, EPOCH_US);
    };
    return { ...bought, settle };
  });
  await purchaseTogether(purchases, shop.gate);
  return traces;
}

const stepsOf = (trace: TraceRecord | undefined) => trace?.parts.map(({ attributes }) => Object.values(attributes).join(" "));
const passed = (...steps: readonly string[]) => steps.map((step) => `${step} allowed`);

describe("the trace of a purchase", () => {
  test("that was held has its five steps, one after the other, within the whole", async () => {
    const [trace] = await traced(await openShop(), { quantity: 2 });
    expect(trace).toMatchObject({
      ...{ traceId: TRACE_ID, spanId: "8448eb211c80319c", name: "POST /buy", isFailure: false },
      attributes: { "http.route": "/buy", "doorbuster.sku": SKU, "doorbuster.quantity": 2, "doorbuster.outcome": "held" },
    });
    expect(stepsOf(trace)).toEqual(passed(...STEPS));
    let lastEnd = trace?.beganAt as number;
    expect(lastEnd).toBeGreaterThan(EPOCH_US);
    for (const { beganAt, endedAt } of trace?.parts ?? []) {
      expect(beganAt).toBeGreaterThanOrEqual(lastEnd);
      expect(endedAt).toBeGreaterThan(beganAt);
      lastEnd = endedAt;
    }
    expect(trace?.endedAt).toBe(lastEnd);
  });

  const REFUSALS: readonly (readonly [string, string, Wish, Bursts])[] = [
    ["throttle", "throttled", {}, { throttle: 0 }],
    ["protect", "blacklisted", { user: "bad" }, {}],
    ["policy", "level-too-low", { level: 0 }, {}],
    ["inventory", "unknown-goods", { sku: "SKU2" as Sku }, {}],
    ["cart", "throttled", {}, { cart: 0 }],
  ];
  test.each(REFUSALS)("that %s refused with %s ends there, and is no failure", async (step, reason, wish, bursts) => {
    const [trace] = await traced(await openShop(bursts), wish);
    const before = STEPS.slice(0, STEPS.indexOf(step as (typeof STEPS)[number]));
    expect(stepsOf(trace)).toEqual([...passed(...before), `${step} ${reason}`]);
    expect(trace?.attributes).toMatchObject({ "doorbuster.outcome": "refused", "doorbuster.step": step, "doorbuster.reason": reason });
    expect([trace?.isFailure, ...(trace?.parts.map(({ isFailure }) => isFailure) ?? [])].some(Boolean)).toBe(false);
  });

  test("whose refusal had to be made durable first ends at its own step, though others of the turn went on", async () => {
    const [refused, held] = await traced(await openShop(), { user: "bad", key: keyed("K") }, {});
    expect(stepsOf(refused)).toEqual([...passed("throttle"), "protect blacklisted"]);
    expect(refused?.endedAt).toBeGreaterThan(refused?.parts.at(-1)?.endedAt as number);
    expect(stepsOf(held)).toEqual(passed(...STEPS));
  });

  test("that a step could not answer is a failure, there and as a whole", async () => {
    const shop = await openShop();
    const silent: PurchaseServices["policyController"] = {
      validate: () => {
        throw new Failure("overloaded", "nobody answers", true);
      },
    };
    shop.services = { ...shop.services, policyController: silent };
    const [trace] = await traced(shop, {});
    expect(trace).toMatchObject({ isFailure: true, attributes: { "doorbuster.reason": "policy-unavailable" } });
    expect(trace?.parts.map(({ name, isFailure }) => [name, isFailure])).toEqual([
      ["throttle", false],
      ["protect", false],
      ["policy", true],
    ]);
  });

  test("that repeats the answer of its key says so, with the reason that was given then", async () => {
    const shop = await openShop();
    const wish = { user: "bad", key: keyed("K") };
    await traced(shop, wish);
    const [again] = await traced(shop, wish);
    expect(again?.attributes).toMatchObject({ "doorbuster.outcome": "repeated", "doorbuster.reason": "blacklisted" });
    expect(stepsOf(again)).toEqual(passed("throttle"));
  });

  test("that was turned away before its turn has no step and no duration", () => {
    const course = { atUs: 0, steps: [], beganUs: [], stepUs: [] };
    const purchase = { sessionId: TRACE_ID, sku: SKU, quantity: 1 };
    const trace = purchaseTrace(purchase, { kind: "refused", step: "throttle", reason: "throttled" }, course, 7, EPOCH_US);
    expect([trace.parts.length, trace.beganAt, trace.endedAt]).toEqual([0, EPOCH_US + 7, EPOCH_US + 7]);
  });

  test("tells nobody who the shopper is", async () => {
    const shop = await openShop();
    const wishes = [{}, { user: "bad" }, { sku: "SKU2" as Sku }, { key: keyed("secret-key") }];
    const told = JSON.stringify(await traced(shop, ...wishes.map((wish) => ({ user: "very-personal", ip: "203.0.113.77", ...wish }))));
    for (const kept of ["very-personal", "203.0.113.77", "secret-key"]) expect(told).not.toContain(kept);
  });
});

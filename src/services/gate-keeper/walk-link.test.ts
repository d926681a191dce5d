/** A turn that walks through the services of another process: it ends as it would have ended here, whatever comes back. */
import { describe, expect, test } from "bun:test";
import { type Bursts, keyed, refused, Shop, SKU, type Wish } from "../../../test/purchase-desk.ts";
import { Failure } from "../../core/failure.ts";
import type { Sku } from "../../core/ids.ts";
import type { PostEnd } from "../../core/link-post.ts";
import { RequestHandler } from "../../edge/request-handler.ts";
import { Link } from "../../links/link.ts";
import { pathOf } from "../../links/method.ts";
import { type Outcome, type PurchaseGate, walkThrough } from "../../purchase.ts";
import { walkLinkRoutes, walkOver, walkTurn } from "./walk-link.ts";

/** Half an hour apart, as two machines may be that have started at different times. */
const CLOCKS_APART_US = 1_800_000_000;

/** A shop whose gate is in another process: what it sends crosses as text, as it does over a wire. */
class FarShop extends Shop {
  /** What becomes of an answer on its way. */
  alter: (end: PostEnd) => PostEnd = (end) => end;
  readonly bugs: unknown[] = [];
  requests = 0;

  override get gate(): PurchaseGate {
    const onBug = (error: unknown): void => void this.bugs.push(error);
    const farClock = { now: () => this.nowMs, monotonicUs: () => this.clock.monotonicUs() + CLOCKS_APART_US };
    const routes = walkLinkRoutes(walkThrough({ ...this.services, clock: farClock }), farClock, (work) => work());
    const handler = new RequestHandler({ routes, adminKey: null, onBug, onReply: () => undefined }, () => "");
    const link = new Link({
      ...{ service: "shopping-cart", instances: () => ["http://cart"], clock: this.clock, random: () => 0, onBug },
      nextTurn: (work) => work(),
      post: async (url, body) => {
        this.requests += 1;
        const { status, body: text } = await handler.answerFrame(new URL(url).pathname, body);
        return this.alter({ kind: "answered", status, text: text as string });
      },
    });
    return { ...super.gate, walk: walkOver(link.method(walkTurn), this.clock) };
  }
}

async function opened<S extends Shop>(shop: S): Promise<S> {
  await shop.stock(10);
  await shop.protector.decide({ scope: "account", value: "bad", action: "block" }, undefined, "");
  await shop.policies.put(SKU, { userLevel: 1, quantityLimit: 3 }, "add");
  return shop;
}

const WISHES: readonly Wish[] = [
  { user: "A" },
  { user: "bad" },
  { level: 0 },
  { quantity: 4 },
  { sku: "SKU2" as Sku },
  { user: "品 🛒", quantity: 3 },
  { user: "B", key: keyed("K") },
  { user: "B", key: keyed("K") },
  { user: "B", key: keyed("K", "other") },
  { user: "bad", key: keyed("L") },
  { user: "A", quantity: 2 },
  { user: "A" },
  { user: 'a"b\\c', quantity: 3 },
];

describe("a turn that walks elsewhere", () => {
  const histories: readonly (readonly [string, Bursts, readonly (readonly Wish[])[]])[] = [
    ["with every kind of end", {}, [WISHES]],
    ["whose keys were used before", {}, [WISHES, WISHES]],
    ["that is throttled on its way", { throttle: 11, protect: 9, policy: 7, inventory: 5, cart: 3 }, [WISHES]],
  ];
  test.each(histories)("%s ends as it does where the services are, after the same steps", async (_, bursts, turns) => {
    const [here, far] = [await opened(new Shop(bursts)), await opened(new FarShop(bursts))];
    for (const wishes of turns) {
      const [expected, got] = [await here.buy(...wishes), await far.buy(...wishes)];
      expect(got.ends).toEqual(expected.ends);
      expect(got.courses.map(({ steps }) => steps)).toEqual(expected.courses.map(({ steps }) => steps));
      for (const { atUs, beganUs, stepUs } of got.courses) {
        let endedUs = 0;
        for (const [index, us] of beganUs.entries()) {
          expect(us).toBeGreaterThanOrEqual(endedUs);
          endedUs = us + (stepUs[index] as number);
        }
        expect(atUs).toBeGreaterThanOrEqual(endedUs);
      }
    }
    expect([far.asked, far.requests]).toEqual([here.asked, turns.length]);
    expect(await far.frozen()).toBe(await here.frozen());
  });

  test("tells what a shopper of a sale has to know: when it opens, and how long the goods stay frozen", async () => {
    const terms = {
      ...{ saleId: "s" as never, opensAt: 2_000_000, closesAt: 3_000_000, priceCents: 1 as never, quantityLimit: 0 },
      ...{ frozenForMs: 60_000, paymentWindowMs: null, isPaused: false },
    };
    const shop = await opened(new FarShop({}, { termsOf: () => terms }));
    expect(await shop.buyOne()).toEqual(refused("policy", "not-started") as Outcome);
    expect(shop.lastSale).toEqual({ opensAt: 2_000_000, closesAt: 3_000_000, frozenForMs: 60_000 });
    shop.nowMs = 2_000_000;
    expect(await shop.buyOne()).toEqual({ kind: "held", quantity: 1, heldUntil: 2_060_000 });
    expect(shop.lastSale?.frozenForMs).toBe(60_000);
  });
});

describe("a turn that is not answered for", () => {
  const answered = (text: string): PostEnd => ({ kind: "answered", status: 200, text });
  const nonsense: readonly (readonly [string, PostEnd])[] = [
    ["never arrives", { kind: "refused" }],
    ["is not answered", { kind: "silent", why: "cut" }],
    ["is answered with no JSON", answered("{")],
    ["is answered with nothing", answered('{"answers":[]}')],
    ["is answered with null", answered('{"answers":[null]}')],
    ["is answered with another turn", answered('{"answers":[[[],[]]]}')],
    ["is answered with steps that there are not", answered('{"answers":[[[["nap",0,1]],[["held",1,null,1,1]]]]}')],
    ["is answered with ends that there are not", answered('{"answers":[[[],[["gone",0,null]]]]}')],
    ["is answered with an end before the first step", answered('{"answers":[[[],[["held",-1,null,1,1]]]]}')],
  ];
  test.each(nonsense)("(it %s) ends at the cart, and is no fault of ours", async (_, end) => {
    const shop = await opened(new FarShop());
    shop.alter = () => end;
    const { ends, courses } = await shop.buy({}, { user: "U2" });
    expect(ends).toEqual([refused("cart", "cart-unavailable"), refused("cart", "cart-unavailable")] as Outcome[]);
    expect(courses[0]?.steps).toEqual(["throttle", "cart"]);
    expect(shop.bugs).toEqual([]);
    shop.nowMs += 10_000;
    shop.alter = (well) => well;
    expect(await shop.buyOne({ user: "U3" })).toMatchObject({ kind: "held" });
  });

  test("may have frozen: the hold ends by itself, and the same key gets the true answer", async () => {
    const shop = await opened(new FarShop());
    shop.alter = () => ({ kind: "silent", why: "cut" });
    expect(await shop.buyOne({ key: keyed("K") })).toEqual(refused("cart", "cart-unavailable") as Outcome);
    expect(await shop.frozen()).toBe(1);
    shop.alter = (well) => well;
    shop.nowMs += 10_000;
    expect(await shop.buyOne({ key: keyed("K") })).toMatchObject({ kind: "repeated", reply: { reason: null, quantity: 1 } });
  });

  test("because a bug has met it there is unavailable too, and the bug is told there", async () => {
    const shop = await opened(new FarShop());
    const bug = new TypeError("undefined is not a function");
    shop.services = { ...shop.services, inventoryManager: { validate: () => Promise.reject(bug) } };
    expect(await shop.buyOne()).toEqual(refused("cart", "cart-unavailable") as Outcome);
    expect(shop.bugs).toEqual([bug]);
  });
});

test("a step that is unavailable where the services are is so here", async () => {
  const shop = await opened(new FarShop());
  const down = (): Promise<never> => Promise.reject(new Failure("store-stopped", "gone", true));
  shop.services = { ...shop.services, policyController: { validate: down } };
  const { ends, courses } = await shop.buy({ user: "bad" }, {});
  expect(ends).toEqual([refused("protect", "blacklisted"), refused("policy", "policy-unavailable")] as Outcome[]);
  expect(courses.map(({ steps }) => steps.at(-1))).toEqual(["protect", "policy"]);
});

test("a turn that may have been heard may be sent again only where everybody has a key", () => {
  const row = ["s", "u", 1, "1.1.1.1", "SKU1", 1] as const;
  const repeatable = walkTurn.isRepeatable as (turns: readonly unknown[]) => boolean;
  expect(repeatable([[[...row, keyed("K")]]])).toBe(true);
  expect(
    repeatable([
      [
        [...row, keyed("K")],
        [...row, null],
      ],
    ]),
  ).toBe(false);
});

test("turns of several gates that arrive together walk together, in their order, and each gate hears of its own", async () => {
  const shop = await opened(new Shop());
  await shop.policies.remove(SKU);
  await shop.stock(3);
  const walks: number[] = [];
  const work: (() => void)[] = [];
  const walk = walkThrough(shop.services);
  const counted: typeof walk = (purchases, course) => {
    walks.push(purchases.length);
    return walk(purchases, course);
  };
  const onBug = (error: unknown): never => {
    throw error;
  };
  const routes = walkLinkRoutes(counted, shop.clock, (run) => work.push(run));
  const handler = new RequestHandler({ routes, adminKey: null, onBug, onReply: () => undefined }, () => "");
  const turn = (...users: readonly string[]) =>
    handler.answerFrame(pathOf(walkTurn), JSON.stringify({ items: [users.map((id) => [`trace-${id}`, id, 1, "1.1.1.1", SKU, 1, null])] }));
  const asked = [turn("A", "bad"), turn("B"), turn("C", "D")];
  expect(work).toHaveLength(1);
  for (const run of work) run();
  const answers = (await Promise.all(asked)).map(({ body }) => (JSON.parse(body as string) as { answers: unknown[] }).answers[0]);
  expect(walks).toEqual([5]);
  const kinds = answers.map((answer) => walkTurn.readReply(answer).ends.map(({ outcome }) => outcome.kind));
  expect(kinds).toEqual([["held", "refused"], ["held"], ["held", "refused"]]);
});

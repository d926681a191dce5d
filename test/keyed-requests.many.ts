/** Requests with keys that come to two processes at the same time, over the Redis that both use. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { type HttpReply, json } from "../src/core/endpoint.ts";
import { problem } from "../src/core/problem.ts";
import { held, holdCommand, keyOf, LAMP, refused, START } from "../src/ledger/suite/shop.ts";
import { KeyedRequests } from "../src/orders/keyed-requests.ts";
import { hasStores, type LedgerStores, NEEDS_STORES, SERVERS_MS_MAX, startLedgerStores } from "./ledger-stores.ts";

let stores: LedgerStores;
let both: readonly [KeyedRequests, KeyedRequests];

async function process(): Promise<KeyedRequests> {
  const { ledger, keys } = await stores.process();
  return new KeyedRequests({
    ...{ replies: ledger, claims: keys, keysInFlight: new Set() },
    newId: () => "new",
    clock: { now: () => 1_000, monotonicUs: () => 0 },
  });
}
const asked = (request: string, header = "k1") => ({ header, owner: "ann", isOwned: false, request: [request] });

describe.skipIf(!hasStores)(`two processes that take requests with keys ${NEEDS_STORES}`, () => {
  beforeAll(async () => {
    stores = await startLedgerStores();
  }, SERVERS_MS_MAX);
  afterAll(() => stores.stop(), SERVERS_MS_MAX);
  beforeEach(async () => {
    await stores.fresh();
    both = [await process(), await process()];
  });

  test("do one of two requests that come with one key at the same time, and refuse the other", async () => {
    for (let round = 0; round < 50; round += 1) {
      const done: string[] = [];
      const work = (request: string) => async (): Promise<HttpReply> => {
        done.push(request);
        return json({ request });
      };
      const requests = ["cancel one order", "cancel another"];
      const replies = await Promise.all(requests.map((request, n) => both[n as 0 | 1].once(asked(request, `k${round}`), work(request))));
      expect(replies.map(({ status }) => status).sort()).toEqual([200, 422]);
      expect(done).toHaveLength(1);
      const again = await both[1].once(asked(done[0] as string, `k${round}`), work("done again"));
      expect(again.body).toBe(JSON.stringify({ request: done[0] }));
    }
  });

  test("a request that was refused without a decision leaves its key to any other; one whose end nobody knows keeps it", async () => {
    const [first, second] = both;
    expect((await first.once(asked("cancel"), async () => problem(400, "no"))).status).toBe(400);
    expect((await second.once(asked("pay"), async () => problem(503, "later"))).status).toBe(503);
    expect((await first.once(asked("cancel"), async () => json({}))).status).toBe(422);
    expect((await first.once(asked("pay"), async () => json({ paid: true }))).status).toBe(200);
    expect((await second.once(asked("pay"), async () => json({}))).body).toBe('{"paid":true}');
  });

  test("a key that a purchase has is no other request's, and the other way round", async () => {
    const { ledger } = await stores.process();
    await ledger.stock([{ verb: "stock", mode: "put", sku: LAMP, onHand: 5, priceCents: 1 }], START);
    const hold = (key: string) => ledger.hold([holdCommand("ann", 1, { key: keyOf(key) })], START);
    expect(await hold("k1")).toEqual([held(1)]);
    expect((await both[0].once(asked("cancel", "k1"), async () => json({}))).status).toBe(422);
    await both[0].once(asked("cancel", "k2"), async () => problem(503, "later"));
    expect(await hold("k2")).toEqual([refused("key-reused")]);
    await both[0].once(asked("cancel", "k2"), async () => json({}));
    expect(await hold("k2")).toEqual([refused("key-reused")]);
  });
});

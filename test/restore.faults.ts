/** A running system whose Redis comes back empty, or has forgotten the last changes: what was paid for, and what waits for payment, is there again by itself. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { notifyPaid, type OrderBody, PAYMENT_SECRET } from "./drop.ts";
import { hasStores, NEEDS_STORES, SERVERS_MS_MAX } from "./ledger-stores.ts";
import type { RunningProcess } from "./process.ts";
import { type Stores, startServices, storesOfFolder } from "./services.ts";
import { BASE_PORTS, deleteJson, freePortOffset, freshDataDir, getJson, postJson } from "./system.ts";
import { waitFor } from "./wait.ts";

const SKU = "LAMP";
const ARGS = ["--generic-pay-url", "https://pay.example/{orderID}", "--generic-secrets", PAYMENT_SECRET];
const MAIN = join(import.meta.dir, "../src/main.ts");
const TEST_MS_MAX = 120_000;

const folder = freshDataDir();
const offset = freePortOffset();
const urlOf = (service: keyof typeof BASE_PORTS): string => `http://127.0.0.1:${BASE_PORTS[service] + offset}`;
const gate = urlOf("gate");
let services: RunningProcess;
let stores: Stores;

const goods = async () =>
  (await getJson(`${urlOf("inventory")}/sku/${SKU}`)).body as { readonly goodsQuantity: number; readonly frozenQuantity: number };
const buy = async (userID: string, goodsQuantity = 1) => {
  const purchase = { userID, userLevel: 1, clientIP: "10.0.0.1", goodsSKU: SKU, goodsQuantity };
  return (await postJson(`${gate}/buy`, purchase)).body as { readonly repResult: boolean; readonly reason: string };
};
const place = async (userID: string): Promise<OrderBody> => (await postJson(`${gate}/orders`, { userID })).body as OrderBody;
const stateOf = async ({ orderID, userID }: OrderBody) =>
  ((await getJson(`${gate}/orders/${orderID}?userID=${userID}`)).body as OrderBody).state;
const setLimit = () => postJson(`${urlOf("policy")}/policy/add`, { goodsSKU: SKU, userLevel: 1, quantityLimit: 2 });

describe.skipIf(!hasStores)(`a running system whose Redis loses its data ${NEEDS_STORES}`, () => {
  beforeAll(async () => {
    services = await startServices(folder, ["--port-offset", String(offset), ...ARGS]);
    stores = await storesOfFolder(folder);
  }, SERVERS_MS_MAX);
  afterAll(async () => {
    await services?.stop();
    await stores?.redis.stop();
    rmSync(folder, { recursive: true, force: true });
  }, SERVERS_MS_MAX);

  test(
    "has goods, what was sold, what users ordered and unpaid orders again within seconds, and says so",
    async () => {
      await postJson(`${urlOf("inventory")}/add`, { goodsSKU: SKU, goodsQuantity: 10, goodsPrice: 9.99 });
      await setLimit();
      expect(await buy("ann", 2)).toMatchObject({ repResult: true });
      const paid = await place("ann");
      expect((await notifyPaid({ gate }, paid, "payment-of-ann")).status).toBe(200);
      expect(await buy("bob")).toMatchObject({ repResult: true });
      const unpaid = await place("bob");
      expect(await buy("eve", 2)).toMatchObject({ repResult: true });
      expect(await goods()).toMatchObject({ goodsQuantity: 8, frozenQuantity: 3 });

      await stores.redis.kill();
      await stores.redis.restart({ isEmpty: true });

      // Until the goods are there again nobody hears that there are none, and whoever asks on with the same key gets them.
      const refusals: string[] = [];
      const fay = { userID: "fay", userLevel: 1, clientIP: "10.0.0.1", goodsSKU: SKU, goodsQuantity: 1 };
      const hasBought = async (): Promise<boolean> => {
        const { body } = await postJson(`${gate}/buy`, fay, { "idempotency-key": "key-of-fay" });
        const { repResult, reason } = body as { readonly repResult: boolean; readonly reason: string };
        if (!repResult) refusals.push(String(reason));
        return repResult;
      };
      await waitFor(hasBought, "whoever asks on with the same key gets the goods", 10_000).catch(() => null);
      expect(refusals.filter((reason) => !reason.endsWith("-unavailable"))).toEqual([]);
      expect(refusals.length).toBeGreaterThan(0);
      await deleteJson(`${urlOf("cart")}/delete/userid/fay/sku/${SKU}`);

      await waitFor(async () => (await goods()).frozenQuantity === 1, "the goods and the unpaid order are there again");
      expect(await goods()).toMatchObject({ goodsQuantity: 8, frozenQuantity: 1, goodsPrice: 9.99 });
      expect(await stateOf(paid)).toBe("paid");
      expect(await stateOf(unpaid)).toBe("payment-pending");
      // Policies live in Redis alone; what a user has ordered counts against whatever limit there is.
      await setLimit();
      expect(await buy("ann")).toMatchObject({ repResult: false, reason: "limit-reached" });
      expect((await notifyPaid({ gate }, unpaid, "payment-of-bob")).status).toBe(200);
      expect(await stateOf(unpaid)).toBe("paid");
      expect(await goods()).toMatchObject({ goodsQuantity: 7, frozenQuantity: 0 });

      expect(services.stderr().match(/^doorbuster: Redis had lost data: 3 of its .*$/gm)).toHaveLength(1);
      const audit = Bun.spawn([process.execPath, MAIN, "audit", "--redis", stores.redisUrl, "--postgres", stores.postgresUrl], {
        stdout: "pipe",
        stderr: "inherit",
      });
      const [text, code] = await Promise.all([audit.stdout.text(), audit.exited]);
      expect([code, text]).toEqual([0, expect.stringMatching(/^audit: all \d+ checks passed$/m)]);
      const metrics = (await getJson(`${urlOf("cart")}/metrics`)).text;
      expect(metrics).toMatch(/^doorbuster_ledger_restores_total\{.*\} 1$/m);
      expect(metrics).toMatch(/^doorbuster_ledger_unrestored_things\{.*\} 0$/m);
    },
    TEST_MS_MAX,
  );
});

/** The console as a role of its own, beside services in processes of their own: it finds them by the registry and tells the same of them. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { type RunningProcess, startProcess } from "./process.ts";
import { hasPostgres, NEEDS_POSTGRES } from "./servers/postgres.ts";
import { hasRedis } from "./servers/redis.ts";
import { startServices } from "./services.ts";
import { freePortOffset, freshDataDir, getJson, postJson } from "./system.ts";
import { waitFor } from "./wait.ts";

setDefaultTimeout(120_000);
const ADMIN_KEY = "console-test-key-0123456789";
const hasStores = hasRedis && hasPostgres;

interface Message {
  readonly at?: number;
  readonly services?: readonly { readonly service: string; readonly isUp: boolean | null }[];
  readonly stock?: { readonly goods: readonly { readonly available: number }[] } | null;
  readonly invariant?: { readonly state: string } | null;
  readonly traffic?: object | null;
}

describe.skipIf(!hasStores)(`the console as a role ${hasStores ? "" : NEEDS_POSTGRES}`, () => {
  test("finds the services, and shows stock, traffic, leases and the invariants of both stores", async () => {
    const offset = freePortOffset();
    const at = (port: number): string => `http://127.0.0.1:${port + offset}`;
    const env = { DOORBUSTER_ADMIN_KEY: ADMIN_KEY };
    const args = ["--port-offset", String(offset)];
    const services = await startServices(freshDataDir(), args, env);
    let console: RunningProcess | null = null;
    try {
      console = await startProcess(["console", "--registry", at(8761), ...args], env);
      const headers = { authorization: `Bearer ${ADMIN_KEY}` };
      await postJson(`${at(8083)}/add`, { goodsSKU: "SKU0001", goodsQuantity: 10, goodsPrice: 1 }, headers);
      const own = { "x-doorbuster-console": "1" };
      const signedIn = await postJson(`${at(8090)}/session`, { adminKey: ADMIN_KEY, operator: "me" }, own);
      const cookie = (signedIn.headers.get("set-cookie") ?? "").split(";")[0] as string;
      let last: Message = {};
      const socket = new WebSocket(`${at(8090).replace("http", "ws")}/live`, { headers: { cookie } } as never);
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(String(data)) as Message;
        if (message.at !== undefined) last = message;
      };
      await waitFor(() => last.invariant?.state === "holding", "the invariants were recomputed over both stores", 60_000);
      await waitFor(() => last.stock?.goods[0]?.available === 10, "the stock was seen");
      const up = new Set((last.services ?? []).filter(({ isUp }) => isUp).map(({ service }) => service));
      for (const service of ["gate-keeper", "safe-protector", "policy-controller", "inventory-manager", "shopping-cart"])
        expect(up).toContain(service);
      const goods = await getJson(`${at(8090)}/api/inventory-manager/sku/SKU0001`, { cookie });
      expect(goods.body).toMatchObject({ goodsQuantity: 10 });
      socket.close();
    } finally {
      await console?.stop();
      await services.stop();
    }
  });
});

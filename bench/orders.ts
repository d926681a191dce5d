/**
 * What an order costs: the processor time of placing it and of taking its payment's notification, next to a purchase, all in one process and from
 * one generator. An order's id comes from its key, so that the signed notifications can be made before anything is measured.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { cpuNsBetween, readCpu } from "./cpu-time.ts";
import { CONNECTIONS } from "./load.ts";
import { Child, makeFolder, removeFolder } from "./processes.ts";
import { System } from "./system.ts";

const SKU = "SKU0001";
const PRICE = 99.9;
const SECRET = `whsec_${Buffer.from("the secret of the benchmark's payment provider").toString("base64")}`;
const FLAGS = ["--generic-pay-url", "https://pay.example/{orderID}", "--generic-secrets", SECRET, "--payment-window", "1h"];
const SETTLE_MS = 200;

export interface OrderCost {
  readonly purchaseUs: number;
  readonly placeUs: number;
  readonly payUs: number;
}

/** @param orders how many of each are measured; as many again warm the process up */
export async function measureOrders(orders: number): Promise<OrderCost> {
  const folder = makeFolder("orders");
  const system = await System.start(folder, FLAGS);
  await system.putGoods(SKU, 10 * orders);
  await run(system, folder, 0, orders);
  const cost = await run(system, folder, orders, orders);
  const { onHand, frozen } = await system.stock(SKU);
  if (onHand !== 8 * orders || frozen !== 0)
    throw new Error(`${onHand} on hand and ${frozen} frozen after ${2 * orders} paid orders of ${10 * orders}`);
  await system.stop();
  removeFolder(folder);
  return cost;
}

async function run(system: System, folder: string, first: number, count: number): Promise<OrderCost> {
  const users = Array.from({ length: count }, (_, index) => `UID${String(first + index).padStart(10, "0")}`);
  return {
    purchaseUs: await cpuUsOf(system, folder, users.map(purchase)),
    placeUs: await cpuUsOf(system, folder, users.map(placing)),
    payUs: await cpuUsOf(system, folder, users.map(notification)),
  };
}

async function cpuUsOf(system: System, folder: string, requests: readonly string[]): Promise<number> {
  const file = join(folder, "requests.json");
  await Bun.write(file, JSON.stringify(requests));
  const before = readCpu(system.pid);
  const generator = new Child("the replay", [join(import.meta.dir, "replay.ts"), `${system.port}`, `${CONNECTIONS}`, file]);
  const { notOk, broken } = (await generator.result()) as { notOk: number; broken: number };
  if (notOk + broken > 0)
    throw new Error(`${notOk} of ${requests.length} requests were refused and ${broken} lost, such as: ${requests[0]}`);
  await Bun.sleep(SETTLE_MS);
  return cpuNsBetween(before, readCpu(system.pid)) / 1_000 / requests.length;
}

const post = (path: string, body: string, headers: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n${headers}\r\n${body}`;

const purchase = (user: string): string =>
  post(
    "/buy",
    `{"sessionID":"xxxx","clientIP":"202.100.100.1","userID":"${user}","userLevel":5,"goodsSKU":"${SKU}","goodsQuantity":1}`,
    "",
  );

const keyOf = (user: string): string => `order-${user}`;
const placing = (user: string): string => post("/orders", `{"userID":"${user}"}`, `Idempotency-Key: ${keyOf(user)}\r\n`);

function notification(user: string): string {
  const orderID = createHash("sha256")
    .update(`${user}\n${keyOf(user)}`)
    .digest("hex")
    .slice(0, 24);
  const body = JSON.stringify({ type: "payment.paid", data: { orderID, paymentID: `pay-${user}`, amount: PRICE, currency: "usd" } });
  const at = new Date();
  const signature = new Webhook(SECRET).sign(user, at, body);
  const headers = `webhook-id: ${user}\r\nwebhook-timestamp: ${Math.floor(at.getTime() / 1_000)}\r\nwebhook-signature: ${signature}\r\n`;
  return post("/payments/generic", body, headers);
}

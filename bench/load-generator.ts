/**
 * The load generator for machines without `wrk`: the project's own load client in a closed loop, in a process of its own. Every connection
 * sends its next purchase when it has the reply to the last. It takes the arguments of `buy.lua` and prints the same line of JSON.
 *
 * Usage: `bun bench/load-generator.ts PORT CONNECTIONS SECONDS FIRST USERS STRIDE SKUS ADDRESS KEYED TOKENS REFRESHED`
 */
import { HttpLoadClient, type LoadExchange } from "../src/edge/http-load-client.ts";

interface Purchases {
  readonly users: number;
  readonly stride: number;
  readonly skus: number;
  readonly address: string;
  readonly hasKeys: boolean;
  /** One for each user; empty: nobody has one. */
  readonly tokens: readonly string[];
  readonly refreshed: string | null;
}

const octet = (first: number, last: number): number => first + Math.floor(Math.random() * (last - first + 1));
/** At random, and always 15 characters, as `buy.lua` has it. */
const addressOfCrowd = (): string => [octet(100, 119), octet(100, 255), octet(100, 255), octet(100, 255)].join(".");

function requestOf(n: number, { users, stride, skus, address, hasKeys, tokens, refreshed }: Purchases): string {
  if (refreshed !== null) return `GET ${refreshed} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
  const number = (n * stride) % users;
  const user = String(number + 1).padStart(10, "0");
  const sku = skus > 1 ? `S${String(1 + Math.floor(Math.random() * skus)).padStart(6, "0")}` : "SKU0001";
  const body = `{"sessionID":"xxxx","clientIP":"${address === "crowd" ? addressOfCrowd() : address}","userID":"UID${user}","userLevel":5,"goodsSKU":"${sku}","goodsQuantity":1}`;
  const token = tokens.length > 0 ? `Authorization: Bearer ${tokens[number]}\r\n` : "";
  const key = hasKeys ? `Idempotency-Key: bench-${String(n + 1).padStart(10, "0")}\r\n` : "";
  return `POST /buy HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n${token}${key}\r\n${body}`;
}

async function run(port: number, connections: number, seconds: number, first: number, purchases: Purchases) {
  const total = { requests: 0, bytes: 0, notOk: 0, broken: 0 };
  const client = await HttpLoadClient.open({ host: "127.0.0.1", port }, { connections, waitingMax: connections, replySecondsMax: 10 });
  let n = first;
  let isOver = false;
  const onEnd = (exchange: LoadExchange): void => {
    if (isOver) return;
    if (exchange.kind === "reply") {
      total.requests += 1;
      total.bytes += exchange.head.length + exchange.body.length;
      if (exchange.status >= 400) total.notOk += 1;
    } else total.broken += 1;
    sendNext();
  };
  const sendNext = (): void => {
    client.send(requestOf(n, purchases), onEnd);
    n += 1;
  };
  for (let i = 0; i < connections; i += 1) sendNext();
  await Bun.sleep(seconds * 1_000);
  isOver = true;
  client.close();
  return total;
}

if (import.meta.main) {
  const numbers = process.argv.slice(2, 9).map(Number) as [number, number, number, number, number, number, number];
  const [port, connections, seconds, first, users, stride, skus] = numbers;
  const [address, keyed, tokensFile, path] = process.argv.slice(9) as [string, string, string, string];
  const tokens = tokensFile === "-" ? [] : (await Bun.file(tokensFile).text()).trim().split("\n");
  const refreshed = path === "-" ? null : path;
  console.log(
    JSON.stringify(
      await run(port, connections, seconds, first, { users, stride, skus, address, hasKeys: keyed === "1", tokens, refreshed }),
    ),
  );
}

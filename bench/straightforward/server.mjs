// The straightforward design, which ours is compared with: Fastify on Node, one Lua call per purchase through ioredis, Redis with
// `appendonly everysec`. It is tuned as its makers advise: schemas for body and reply (compiled), no logger, the script sent once (EVALSHA), and
// ioredis' automatic pipelining, which sends the calls of one turn of the event loop together. It does the same checks: blacklist by user and
// address, level and limit per user, stock, and freezes with a deadline. It leaves out what ours does besides: idempotency keys, access records,
// traces, sales, languages, and a durable answer (everysec answers before anything is on disk).
//
// Usage: node bench/straightforward/server.mjs REDIS_PORT. Prints `ready PORT`.
import Fastify from "fastify";
import { Redis } from "ioredis";

const BUY = `
-- KEYS: goods of the SKU (hash), holds of the SKU (hash: user -> quantity), deadlines (sorted set), blacklisted users (set), addresses (set)
-- ARGV: user, address, level, quantity, deadline in ms
if redis.call('SISMEMBER', KEYS[4], ARGV[1]) == 1 or redis.call('SISMEMBER', KEYS[5], ARGV[2]) == 1 then return 'blacklisted' end
local goods = redis.call('HMGET', KEYS[1], 'onHand', 'frozen', 'level', 'limit')
if not goods[1] then return 'unknown-goods' end
if goods[3] and tonumber(ARGV[3]) < tonumber(goods[3]) then return 'level-too-low' end
local held = tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or '0') + tonumber(ARGV[4])
if goods[4] and held > tonumber(goods[4]) then return 'limit-reached' end
if tonumber(goods[1]) - tonumber(goods[2]) < tonumber(ARGV[4]) then return 'sold-out' end
redis.call('HINCRBY', KEYS[1], 'frozen', ARGV[4])
redis.call('HSET', KEYS[2], ARGV[1], held)
redis.call('ZADD', KEYS[3], 'NX', ARGV[5], ARGV[1])
return held
`;

const FROZEN_FOR_MS = 30 * 60_000;
const MESSAGES = {
  blacklisted: "Bad guy! Bye-Bye!",
  "unknown-goods": "There are no such goods.",
  "level-too-low": "These goods are for members of a higher level.",
  "limit-reached": "You have as many of these as one customer may have.",
  "sold-out": "Sold out.",
};

const redis = new Redis({ port: Number(process.argv[2]), host: "127.0.0.1", enableAutoPipelining: true });
redis.defineCommand("buy", { numberOfKeys: 5, lua: BUY });
await redis.hset("{SKU0001}:goods", { onHand: 1_000_000_000, frozen: 0, level: 1, limit: 5 });

const text = { type: "string", minLength: 1, maxLength: 128 };
const server = Fastify({ logger: false });
server.post(
  "/buy",
  {
    schema: {
      body: {
        type: "object",
        required: ["clientIP", "userID", "userLevel", "goodsSKU", "goodsQuantity"],
        properties: {
          sessionID: text,
          clientIP: { type: "string", maxLength: 45 },
          userID: text,
          userLevel: { type: "integer", minimum: 0 },
          goodsSKU: text,
          goodsQuantity: { type: "integer", minimum: 1, maximum: 1_000_000 },
        },
      },
      response: {
        200: {
          type: "object",
          properties: {
            reponseMsg: { type: "string" },
            repResult: { type: "boolean" },
            isThrottled: { type: "boolean" },
            version: { type: "string" },
            reason: { type: ["string", "null"] },
            hold: {
              type: "object",
              properties: { goodsSKU: { type: "string" }, goodsQuantity: { type: "integer" }, expiresAt: { type: "integer" } },
            },
          },
        },
      },
    },
  },
  async (request) => {
    const { clientIP, userID, userLevel, goodsSKU, goodsQuantity } = request.body;
    const expiresAt = Date.now() + FROZEN_FOR_MS;
    const slot = `{${goodsSKU}}`;
    const keys = [`${slot}:goods`, `${slot}:holds`, `${slot}:deadlines`, `${slot}:bad-users`, `${slot}:bad-addresses`];
    const answer = await redis.buy(...keys, userID, clientIP, userLevel, goodsQuantity, expiresAt);
    const head = { isThrottled: false, version: "1.0" };
    if (typeof answer === "string") return { ...head, reponseMsg: MESSAGES[answer], repResult: false, reason: answer };
    const hold = { goodsSKU, goodsQuantity: answer, expiresAt };
    return { ...head, reponseMsg: "The goods are yours for 30 minutes.", repResult: true, reason: null, hold };
  },
);
await server.listen({ port: 0, host: "127.0.0.1" });
console.log(`ready ${server.server.address().port}`);
process.on("SIGTERM", () => process.exit(0));

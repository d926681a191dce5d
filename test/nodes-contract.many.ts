/** The contract holds with all services in one process, over Redis and Postgres. */
import { test } from "bun:test";
import { expectContract } from "./contract-suite.ts";
import { hasPostgres, NEEDS_POSTGRES } from "./servers/postgres.ts";
import { hasRedis, NEEDS_REDIS } from "./servers/redis.ts";

const SUITE_MS_MAX = 600_000;
const NEEDS = [hasRedis ? "" : NEEDS_REDIS, hasPostgres ? "" : NEEDS_POSTGRES].join(" ").trim();

test.skipIf(!hasRedis || !hasPostgres)(
  `the contract, with all services in one process over shared stores ${NEEDS}`,
  () => expectContract("node"),
  SUITE_MS_MAX,
);

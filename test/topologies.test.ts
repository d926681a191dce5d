/** The contract holds in every topology: its suite, unchanged, against systems that are started in another way. */
import { expect, test } from "bun:test";
import { dirname } from "node:path";
import { hasPostgres, NEEDS_POSTGRES } from "./servers/postgres.ts";
import { hasRedis, NEEDS_REDIS } from "./servers/redis.ts";

const root = dirname(import.meta.dir);
const SUITE_MS_MAX = 400_000;

/** @param topology as `test/system.ts` knows it */
async function expectContract(topology: string): Promise<void> {
  const suite = Bun.spawn([process.execPath, "test", "--timeout", "60000", "test/contract"], {
    cwd: root,
    env: { ...process.env, TEST_TOPOLOGY: topology },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const killWithUs = (): void => suite.kill("SIGKILL");
  process.on("exit", killWithUs);
  const [text, code] = await Promise.all([suite.stderr.text(), suite.exited]);
  process.off("exit", killWithUs);
  expect({ code, failed: text.match(/^\(fail\).*$/gm) }).toEqual({ code: 0, failed: null });
  expect(Number(/^ *(\d+) pass$/m.exec(text)?.[1])).toBeGreaterThan(100);
}

// One gate: the suite counts what one gate's throttle lets through.
test("the contract, with a gate in a process of its own", () => expectContract("--gates 1"), SUITE_MS_MAX);

const canShare = hasRedis && hasPostgres;
const NEEDS = [hasRedis ? "" : NEEDS_REDIS, hasPostgres ? "" : NEEDS_POSTGRES].join(" ").trim();
test.skipIf(!canShare)(
  `the contract, with each service in a process of its own, over Redis and Postgres ${NEEDS}`,
  () => expectContract("services"),
  SUITE_MS_MAX,
);

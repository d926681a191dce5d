/** The contract holds in every topology: its suite, unchanged, against systems that are started in another way. */
import { expect, test } from "bun:test";
import { dirname } from "node:path";

const root = dirname(import.meta.dir);
/** Each by the arguments of `start` that make it. One gate: the suite counts what one gate's throttle lets through. */
const TOPOLOGIES = [{ name: "a gate in a process of its own", args: "--gates 1" }];
const SUITE_MS_MAX = 280_000;

test.each(TOPOLOGIES)(
  "the contract, with $name",
  async ({ args }) => {
    const env = { ...process.env, TEST_TOPOLOGY: args };
    const suite = Bun.spawn([process.execPath, "test", "test/contract"], {
      cwd: root,
      env,
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
  },
  SUITE_MS_MAX,
);

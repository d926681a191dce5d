/** Runs the contract's suite, unchanged, against systems that are started in another way. */
import { expect } from "bun:test";
import { dirname } from "node:path";

const root = dirname(import.meta.dir);

/** @param topology as `test/system.ts` knows it */
export async function expectContract(topology: string): Promise<void> {
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

/** Who is taken for the process above: it alone is told when its child is ready, and its end ends the child. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { startChild } from "./child-process.ts";

const ASK = `
  const { parentProcess } = await import(${JSON.stringify(join(import.meta.dir, "child-process.ts"))});
  const parent = parentProcess();
  parent?.tell({ ready: true });
  process.stdout.write(parent === null ? "nobody above" : "somebody above");
  process.exit(0);
`;
const command = [process.execPath, "-e", ASK];

test("a process of ours that starts another is above it, and hears from it", async () => {
  const heard: unknown[] = [];
  const end = await new Promise((resolve) => startChild({ command, onMessage: (message) => heard.push(message), onEnd: resolve }));
  expect(end).toEqual({ exitCode: 0, signal: null });
  expect(heard).toEqual([{ ready: true }]);
});

test("a manager of processes that is none of ours is not, although it has a channel to each", async () => {
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", ipc: () => undefined });
  expect(await child.stdout.text()).toBe("nobody above");
  expect(await child.exited).toBe(0);
});

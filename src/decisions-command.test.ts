/** `doorbuster decisions` against the real routes of a SafeProtector: what it says, and with which code it ends. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { postJson, type System, startSystem } from "../test/system.ts";
import { type DecisionTask, readDecisionTask, runDecisions } from "./decisions-command.ts";

setDefaultTimeout(60_000);

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

async function run(
  given: readonly string[],
  flags: object = {},
  file = "",
): Promise<{ code: number; said: string[]; complaints: string[] }> {
  const read = readDecisionTask(given, { url: system.protector, ...flags }, undefined);
  if ("error" in read) throw new Error(read.error);
  const said: string[] = [];
  const complaints: string[] = [];
  const io = { say: (line: string) => void said.push(line), complain: (line: string) => void complaints.push(line), fetch };
  const code = await runDecisions(read.task, { ...io, readFile: async () => file });
  return { code, said, complaints };
}

describe("doorbuster decisions", () => {
  test("adds, lists, allows and removes what it is given, and finds out what it is", async () => {
    expect(await run(["add", "10.9.0.0/16"], { duration: "1h", note: "by hand" })).toMatchObject({ code: 0 });
    for (const value of ["10.9.9.9", "UID9"]) await run(["add", value], { action: "throttle" });
    await run(["allow", "10.9.9.9"]);
    await run(["add", "10.9.9.9"], { accounts: true, action: "throttle" });
    expect((await run(["list"])).said).toEqual([
      expect.stringMatching(/^block {2}network {2}10\.9\.0\.0\/16 {2}until 2.+ {2}operator {2}by hand$/),
    ]);
    expect((await run(["list"], { action: "throttle" })).said.map((line) => line.split("  ").slice(0, 4))).toEqual([
      ["throttle", "address", "10.9.9.9", "until removed"],
      ["throttle", "account", "10.9.9.9", "until removed"],
      ["throttle", "account", "UID9", "until removed"],
    ]);
    expect((await run(["list"], { action: "allow" })).said).toHaveLength(1);
    expect(await run(["remove", "UID9"])).toMatchObject({ code: 0, said: ["removed"] });
    expect(await run(["remove", "UID9"])).toMatchObject({ code: 1, said: ["there was none in force"] });
    expect(await run(["remove", "10.9.9.9"], { action: "allow" })).toMatchObject({ code: 0 });
  });

  test("imports a file, says how far it is, and names bad lines", async () => {
    await postJson(`${system.protector}/decisions`, { scope: "address", value: "7.7.7.7", action: "observe" });
    // Two requests, because one may not be so long; the number of a line is that of the file all the same.
    const address = (index: number): string => `7.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
    const addresses = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => address(from + index));
    const comments = Array.from({ length: 21_000 }, () => `# ${"seen elsewhere ".repeat(70)}`);
    const list = [...addresses(0, 1_000), ...comments, ...addresses(1_000, 5_000), "7.7.7.7", "nonsense"].join("\n");
    const { code, said, complaints } = await run(["import", "list.txt"], { duration: "60s" }, list);
    expect(complaints).toEqual(["line 26002 is no IPv4 or IPv6 address and no CIDR range"]);
    expect([code, said.length, said[1]]).toEqual([...[1, 2], "26002 lines: 5000 added, 0 replaced, 1 kept as operators decided, 1 bad"]);
    expect(said[0]).toContain("lines: 1000 added, 0 replaced, 0 kept as operators decided, 0 bad");
    expect(await run(["import", "list.txt"], { accounts: true }, "U1\n")).toMatchObject({ code: 0 });
  });

  test("says what is wrong, and what is possible", async () => {
    const error = (given: readonly string[], flags: object = {}) => readDecisionTask(given, { ...flags }, undefined) as { error: string };
    for (const given of [[], ["import"], ["list", "x"], ["block", "x"], ["add", "x", "y"]])
      expect(error(given).error).toContain("give import FILE, list, add VALUE, remove VALUE or allow VALUE");
    expect(error(["list"], { action: "ban" }).error).toContain('--action: "ban" is not known; give block or throttle or observe or allow');
    expect(error(["list"], { adminKey: "secret key" }).error).not.toContain("secret");
    expect(run(["import", "list.txt"], {}, "<html>")).rejects.toThrow("line 1 is no IPv4");
    expect(run(["list"], { url: "http://127.0.0.1:9" })).rejects.toThrow("cannot be reached");
    const { task } = readDecisionTask(["list"], {}, "a key of sixteen chars".replaceAll(" ", "-")) as { task: DecisionTask };
    expect(task.adminKey).toBe("a-key-of-sixteen-chars");
  });
});

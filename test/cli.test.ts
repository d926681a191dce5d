/** The command line as people and scripts meet it: real processes, their two streams, their exit codes. */
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import packageJson from "../package.json" with { type: "json" };
import { flagOf, variableOf } from "../src/settings/kinds.ts";
import { configKeyOf } from "../src/settings/read.ts";
import { SETTINGS } from "../src/settings/table.ts";
import { getJson, postJson, putJson, type System, startSystem } from "./system.ts";
import { waitFor } from "./wait.ts";

const MAIN = join(import.meta.dir, "../src/main.ts");
const folder = mkdtempSync(join(tmpdir(), "doorbuster-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one command to its end, in a folder of its own, without settings from our own environment. */
async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const ownEnv = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("DOORBUSTER_")));
  const child = Bun.spawn([process.execPath, MAIN, ...args], {
    cwd: folder,
    env: { ...ownEnv, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { exitCode, stdout, stderr };
}

const file = (name: string, content: string): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

const isOneLine = (text: string): boolean => text.endsWith("\n") && text.indexOf("\n") === text.length - 1;

describe("help", () => {
  test("lists the commands", async () => {
    const { exitCode, stdout, stderr } = await run(["--help"]);
    expect([exitCode, stderr]).toEqual([0, ""]);
    for (const command of ["start", "stampede", "audit", "decisions", "migrate", "bench"])
      expect(stdout).toMatch(new RegExp(`^ +${command}\\b`, "m"));
  });

  test("of start has every setting's flag, key, variable, unit, bounds and default", async () => {
    const { exitCode, stdout, stderr } = await run(["start", "--help"]);
    expect([exitCode, stderr]).toEqual([0, ""]);
    for (const setting of SETTINGS) {
      const own = stdout.slice(stdout.indexOf(`\n  ${flagOf(setting)}`)).split("\n\n")[0] ?? "";
      for (const words of [
        variableOf(setting),
        configKeyOf(setting) ?? "",
        setting.unit ?? "",
        setting.allowed,
        setting.defaultText,
        setting.help,
      ]) {
        expect({ flag: flagOf(setting), own }).toEqual({ flag: flagOf(setting), own: expect.stringContaining(words) });
      }
    }
  });

  test("of start has what was promised, whatever the table of settings says", async () => {
    const { stdout } = await run(["start", "--help"]);
    for (const flag of ["--data", "--host", "--port-offset", "--admin-key", "--config", "--demo", "--frozen-for"])
      expect(stdout).toContain(flag);
    for (const words of ["DOORBUSTER_FROZEN_FOR", "1s to 24h", "30m", "DOORBUSTER_SHOPPING_CART_BURST", "policyControllerRate"])
      expect(stdout).toContain(words);
  });

  test("of stampede, audit and bench says what they take", async () => {
    const stampede = await run(["stampede", "--help"]);
    for (const flag of ["--url", "--sku", "--buyers", "--rate", "--connections", "--repeat-share", "--bad-share"])
      expect(stampede.stdout).toContain(flag);
    const audit = await run(["audit", "--help"]);
    for (const flag of ["--data", "--redis", "--postgres"]) expect(audit.stdout).toContain(flag);
    const bench = await run(["bench", "--help"]);
    expect(bench.stdout).toContain("--quick");
    expect([stampede.exitCode, audit.exitCode, bench.exitCode]).toEqual([0, 0, 0]);
  });
});

test("--version is the package's version and nothing else", async () => {
  expect(await run(["--version"])).toEqual({ exitCode: 0, stdout: `${packageJson.version}\n`, stderr: "" });
});

describe("what is not understood is one line on stderr and exit code 2", () => {
  const refused: [string, readonly string[], Readonly<Record<string, string>>, readonly string[]][] = [
    ["no command", [], {}, ["start", "stampede", "audit", "bench"]],
    ["an unknown command", ["sell"], {}, ["'sell'"]],
    ["an unknown flag", ["start", "--frozenfor", "30m"], {}, ["--frozenfor", "start --help"]],
    ["a flag of another command", ["audit", "--frozen-for", "30m"], {}, ["--frozen-for"]],
    ["an audit of two kinds of store", ["audit", "--data", "x", "--redis", "redis://127.0.0.1:1"], {}, ["--data", "--redis"]],
    ["an audit of Redis alone", ["audit", "--redis", "redis://127.0.0.1:1"], {}, ["give --postgres too"]],
    ["an audit of Postgres alone", ["audit", "--postgres", "postgres://127.0.0.1:1/db"], {}, ["give --redis too"]],
    ["an unknown flag of stampede", ["stampede", "--buyer", "3"], {}, ["--buyer"]],
    ["an invalid value of stampede", ["stampede", "--buyers", "many"], {}, ["--buyers", "many"]],
    ["a word too many", ["start", "now"], {}, ["start"]],
    ["a flag without its value", ["start", "--data"], {}, ["--data"]],
    ["a flag where a value is meant", ["start", "--data", "--demo"], {}, ["--data", "path"]],
    ["an invalid value", ["start", "--frozen-for", "abc"], {}, ['--frozen-for: "abc" is no duration; give 1s to 24h, for example 30m']],
    ["a value out of range", ["start", "--port-offset", "50001"], {}, ["--port-offset", "50001", "0 to 50000"]],
    ["a key that is too short", ["start", "--admin-key", "short"], {}, ["--admin-key", "16"]],
    ["an unknown variable", ["start"], { DOORBUSTER_FROZEN: "30m" }, ["DOORBUSTER_FROZEN"]],
    ["an invalid variable", ["start"], { DOORBUSTER_DEMO: "maybe" }, ["DOORBUSTER_DEMO", "maybe", "true or false"]],
    ["an unknown key of the file", ["start", "--config", file("unknown.json", '{"frozen": "30m"}')], {}, ["frozen", "configuration file"]],
    [
      "an invalid value in the file",
      ["start", "--config", file("invalid.json", '{"accessLogFiles": 0}')],
      {},
      ["accessLogFiles", "1 to 1000"],
    ],
    ["a file that is no JSON", ["start", "--config", file("broken.json", "frozenFor: 30m")], {}, ["configuration file", "JSON"]],
    ["a file that is not there", ["start"], { DOORBUSTER_CONFIG: join(folder, "absent.json") }, ["absent.json"]],
    ["a file that is a folder", ["start", "--config", folder], {}, ["--config"]],
  ];
  for (const [what, args, env, words] of refused) {
    test(what, async () => {
      const { exitCode, stdout, stderr } = await run(args, env);
      expect([exitCode, stdout]).toEqual([2, ""]);
      expect({ stderr, isOneLine: isOneLine(stderr) }).toEqual({ stderr, isOneLine: true });
      for (const word of words) expect(stderr).toContain(word);
      expect(existsSync(join(folder, "doorbuster-data"))).toBe(false);
    });
  }

  test("and never shows a key, also where its flag is mistyped", async () => {
    const secret = "s3cret-s3cret-s3cret";
    const runs = [
      run(["start", `--admin-kye=${secret}`]),
      run(["start", `--admin-key ${secret}`]),
      run(["start", `-k${secret}`]),
      run(["start", "--admin-key", `${secret} `]),
      run(["start"], { DOORBUSTER_ADMIN_KEYS: secret }),
      run(["start", "--config", file("key.json", `{"adminKey": "${secret}"`)]),
      run(["start", "--config", file("keys.json", `{"adminKey": ["${secret}"]}`)]),
      run(["stampede", "--admin-key", `${secret} `]),
    ];
    for (const { exitCode, stdout, stderr } of await Promise.all(runs)) {
      expect(exitCode).toBe(2);
      expect(stdout + stderr).not.toContain(secret);
    }
  });
});

describe("audit", () => {
  test("of a folder without a store says so in one line, makes nothing there, and exits with 1", async () => {
    const absent = join(folder, "never-made");
    for (const data of [folder, absent]) {
      const { exitCode, stderr } = await run(["audit", "--data", data]);
      expect({ exitCode, stderr, isOneLine: isOneLine(stderr) }).toEqual({ exitCode: 1, stderr, isOneLine: true });
      expect(stderr).toContain(data);
    }
    expect(existsSync(absent)).toBe(false);
  });

  test("of a store that was sold from says what it checked and exits with 0", async () => {
    const data = join(folder, "sold");
    const system = await startSystem({ dataDir: data, args: ["--demo"] });
    const bought = await postJson(`${system.gate}/buy`, purchase);
    expect(bought.status).toBe(200);
    expect(await system.stop()).toBe(0);
    const { exitCode, stdout, stderr } = await run(["audit", "--data", data]);
    expect([exitCode, stderr]).toEqual([0, ""]);
    expect(stdout).not.toBe("");
  });
});

/** Runs the curl line with this word in front of it, and reads its answer. */
async function curl(system: System, word: string): Promise<unknown> {
  const line = system
    .stdout()
    .split("\n")
    .find(
      (text) =>
        text.startsWith("  ") &&
        text.slice(2).startsWith(word) &&
        text
          .slice(2 + word.length)
          .trimStart()
          .startsWith("curl "),
    );
  const shell = Bun.spawn(["sh", "-c", line?.slice(2 + word.length) ?? "exit 9"], { stdout: "pipe", stderr: "inherit" });
  return JSON.parse(await shell.stdout.text());
}

const purchase = { clientIP: "202.100.100.1", userID: "UID0000000002", userLevel: 5, goodsSKU: "SKU0001", goodsQuantity: 1 };

describe("start", () => {
  test("says where everything listens, how to buy, and at last that it is ready", async () => {
    const system = await startSystem({ args: ["--demo"] });
    try {
      const lines = system.stdout().trimEnd().split("\n");
      expect(lines.at(-1)).toStartWith("ready ");
      for (const service of ["GateKeeper", "SafeProtector", "PolicyController", "InventoryManager", "ShoppingCart", "ServiceRegistry"]) {
        expect(lines.filter((line) => line.includes(service) && /http:\/\/127\.0\.0\.1:\d+/.test(line))).toHaveLength(1);
      }
      for (const url of [system.gate, system.protector, system.policy, system.inventory, system.cart, system.registry]) {
        expect(system.stdout()).toContain(url);
        expect((await getJson(`${url}/health`)).status).toBe(200);
      }
      expect(system.stdout()).toContain("protected mode");
      expect(system.stderr()).toBe("");
    } finally {
      await system.stop();
    }
  });

  describe.skipIf(Bun.which("curl") === null)("prints curl lines that do what they say, as they stand:", () => {
    test("one that buys", async () => {
      const system = await startSystem({ args: ["--demo"] });
      try {
        expect(await curl(system, "")).toMatchObject({ repResult: true, hold: { goodsSKU: "SKU0001" } });
      } finally {
        await system.stop();
      }
    });

    test("those of the demo's sale, from the announcement to the paid order", async () => {
      const system = await startSystem({ args: ["--demo"] });
      try {
        expect(system.stdout()).toMatch(/The sale "Demo drop" of DROP0001 begins at [\d:]{8} UTC, in \d+ seconds:/);
        const announced = (await curl(system, "watch")) as { id: string; status: string; serverNow: number };
        expect(announced).toMatchObject({ id: "demo", status: "scheduled", items: [{ goodsSKU: "DROP0001", salePrice: 49.9 }] });
        expect(await curl(system, "buy")).toMatchObject({ repResult: false, reason: "not-started" });

        // Nobody waits a minute here: an operator lets it begin now.
        const { body: sale } = await getJson(`${system.policy}/sales/demo`);
        const moved = { ...(sale as object), startsAt: new Date(announced.serverNow).toISOString() };
        expect((await putJson(`${system.policy}/sales/demo`, moved)).body).toMatchObject({ status: "live" });

        expect(await curl(system, "buy")).toMatchObject({ repResult: true, hold: { goodsSKU: "DROP0001" } });
        const placed = (await curl(system, "order")) as { orderID: string; payment: { redirectUrl: string } };
        expect(placed).toMatchObject({ amount: 49.9, state: "payment-pending" });
        const page = await (await fetch(placed.payment.redirectUrl)).text();
        const [, pay = ""] = /formaction="([^"]+choice=pay)"/.exec(page) ?? [];
        await fetch(new URL(pay.replaceAll("&amp;", "&"), placed.payment.redirectUrl), { method: "POST" });
        expect(await curl(system, "see")).toMatchObject([{ orderID: placed.orderID, state: "paid" }]);
      } finally {
        await system.stop();
      }
    });

    test("with tokens, those that leave the sender to the token", async () => {
      const system = await startSystem({ args: ["--demo", "--identity", "jwt", "--jwt-secret", "0123456789abcdef0123456789abcdef"] });
      try {
        const lines = system
          .stdout()
          .split("\n")
          .filter((line) => /curl .*(buy|orders)/.test(line));
        expect(lines).toHaveLength(4);
        for (const line of lines) expect(line).toContain('-H "Authorization: Bearer $TOKEN"');
        for (const line of lines) expect(line).not.toContain("userID");
      } finally {
        await system.stop();
      }
    });
  });

  test("on the data of an earlier demo says what its sale is doing", async () => {
    const dataDir = join(folder, "twice");
    const first = await startSystem({ dataDir, args: ["--demo"] });
    const { body: sale } = await getJson(`${first.policy}/sales/demo`);
    await putJson(`${first.policy}/sales/demo`, { ...(sale as object), startsAt: "2020-01-01T00:00:00Z" });
    expect(await first.stop()).toBe(0);
    const second = await startSystem({ dataDir, args: ["--demo"] });
    try {
      const until = (sale as { endsAt: string }).endsAt.slice(11, 19);
      expect(second.stdout()).toContain(`The sale "Demo drop" of DROP0001 is on until ${until} UTC:`);
    } finally {
      await second.stop();
    }
  });

  test("takes settings from flag, variable and file, the stronger one first", async () => {
    const config = file("settings.json", '{"demo": true, "frozenFor": "5m", "gateKeeperRate": 1000}');
    const system = await startSystem({ args: ["--config", config, "--frozen-for", "90s"], env: { DOORBUSTER_FROZEN_FOR: "3m" } });
    try {
      const before = Date.now();
      const { body } = await postJson(`${system.gate}/buy`, purchase);
      const { hold } = body as { hold: { expiresAt: number } };
      expect(hold.expiresAt).toBeGreaterThanOrEqual(before + 90_000);
      expect(hold.expiresAt).toBeLessThanOrEqual(Date.now() + 90_000);
    } finally {
      await system.stop();
    }
  });

  test("throttles a service at its rate", async () => {
    const system = await startSystem({ args: ["--demo", "--gate-keeper-rate", "0.001", "--gate-keeper-burst", "2"] });
    try {
      const statuses: number[] = [];
      for (let i = 0; i < 4; i += 1) statuses.push((await postJson(`${system.gate}/buy`, purchase)).status);
      expect(statuses).toEqual([200, 200, 429, 429]);
    } finally {
      await system.stop();
    }
  });

  test("without an admin key hears this machine alone, whatever host was asked for, and says so", async () => {
    const system = await startSystem({ args: ["--host", "0.0.0.0"] });
    try {
      expect(system.stdout()).toContain("listens on 127.0.0.1 only and not on 0.0.0.0");
      // 127.0.0.2 is this machine too, but only for those who listen everywhere.
      const port = new URL(system.gate).port;
      await expect(fetch(`http://127.0.0.2:${port}/health`)).rejects.toThrow();
    } finally {
      await system.stop();
    }
  });

  test("with an admin key hears on the host that was asked for, and does not print the key", async () => {
    const key = "correct-horse-battery";
    const system = await startSystem({ args: ["--host", "0.0.0.0"], env: { DOORBUSTER_ADMIN_KEY: key } });
    try {
      expect((await getJson(`http://127.0.0.2:${new URL(system.gate).port}/health`)).status).toBe(200);
      expect(system.stdout()).not.toContain("protected mode");
      expect(system.stdout() + system.stderr()).not.toContain(key);
    } finally {
      await system.stop();
    }
  });

  test("warns who serves other machines and believes them by default, and nobody else", async () => {
    const greetingOf = async (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> => {
      const system = await startSystem({ args, env });
      await system.stop();
      return system.stdout();
    };
    const key = { DOORBUSTER_ADMIN_KEY: "correct-horse-battery" };
    const warning = "requests are trusted: whoever reaches this gate can buy as anybody";
    expect(await greetingOf(["--host", "0.0.0.0"], key)).toContain(warning);
    for (const greeting of [
      await greetingOf(["--host", "0.0.0.0", "--identity", "trusted"], key),
      await greetingOf([], key),
      await greetingOf(["--host", "0.0.0.0"]),
    ])
      expect(greeting).not.toContain(warning);
  });

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    test(`stops on ${signal} with exit code 0, and a repeated signal changes nothing`, async () => {
      const system = await startSystem({ args: ["--demo"] });
      process.kill(system.pid, signal);
      process.kill(system.pid, signal);
      await waitFor(() => system.stdout().includes("stopping ..."), "it says that it stops");
      expect(await system.stop()).toBe(0);
      expect(system.stdout().match(/stopping/g)).toHaveLength(1);
      expect(system.stderr()).toBe("");
    });
  }

  test("on data that another process sells from is refused in one line, and the other one goes on", async () => {
    const system = await startSystem({ args: ["--demo"] });
    try {
      const second = await run(["start", "--data", system.dataDir, "--port-offset", "19000"]);
      expect({ ...second, isOneLine: isOneLine(second.stderr) }).toEqual({ ...second, exitCode: 1, isOneLine: true });
      expect(second.stderr).toContain(system.dataDir);
      expect((await postJson(`${system.gate}/buy`, purchase)).status).toBe(200);
    } finally {
      await system.stop();
    }
  });

  test("on a port that is taken is refused in one line that names the port", async () => {
    const system = await startSystem();
    try {
      const offset = Number(new URL(system.gate).port) - 8080;
      const second = await run(["start", "--data", join(folder, "other"), "--port-offset", String(offset)]);
      expect({ ...second, isOneLine: isOneLine(second.stderr) }).toEqual({ ...second, exitCode: 1, isOneLine: true });
      expect(second.stderr).toMatch(/\bport \d{5}\b/);
    } finally {
      await system.stop();
    }
  });
});

/** The image, as far as it can be judged by reading: `deploy/check/image-steps.ts` carries out its lines and runs it. */
import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { isSent, readDockerfile, type Step } from "../../deploy/check/dockerfile.ts";
import packageJson from "../../package.json" with { type: "json" };
import { variableOf } from "../../src/settings/kinds.ts";
import { SETTINGS } from "../../src/settings/table.ts";
import { PORTS } from "../../src/topology/ports.ts";

// Generous: a busy machine is no mistake.
setDefaultTimeout(120_000);

const root = join(import.meta.dir, "../..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const dockerfile = read("deploy/Dockerfile");
const { stages, config } = readDockerfile(dockerfile);
const steps = stages.flatMap((stage) => stage.steps);
const isKind =
  <K extends Step["kind"]>(kind: K) =>
  (step: Step): step is Step & { kind: K } =>
    step.kind === kind;
const isInImage = (path: string): boolean => isSent(read(".dockerignore"), path);

describe("the Dockerfile", () => {
  test("has two stages, and a version of each base image", () => {
    expect(stages.map(({ base }) => /:(?!latest$)[\w.-]+$/.test(base))).toEqual([true, true]);
  });

  test("copies only what is there and is sent to the builder", () => {
    const copied = steps.filter(isKind("copy")).filter(({ from }) => from === null);
    const sources = copied.flatMap((step) => step.sources);
    expect(sources).toContain("src");
    expect(sources.filter((source) => !existsSync(join(root, source)) || !isInImage(source))).toEqual([]);
  });

  test("runs its steps below the working folder, so that they can be checked in a plain one", () => {
    const commands = steps.filter(isKind("run")).map(({ command }) => command);
    expect(commands.length).toBeGreaterThan(0);
    expect(commands.filter((command) => /(^|[\s='"])(\/|~|\.\.)/.test(command))).toEqual([]);
  });

  test("runs as a user by number, who is not root: Kubernetes cannot tell from a name", () => {
    expect(config.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(steps.filter(isKind("copy")).find(({ target }) => target === "/data")).toBeDefined();
    expect(dockerfile).toContain(`--chown=${config.user} /build/data /data`);
  });

  test("starts the program itself, with no shell that would keep the signal from it", () => {
    expect([...config.entrypoint, ...config.command]).toEqual(["/usr/local/bin/bun", "/app/src/main.ts", "start"]);
    expect(config.healthCheck).toEqual(["/usr/local/bin/bun", "/app/health.ts", "http://127.0.0.1:8080"]);
    expect(read("src/main.ts")).toMatch(new RegExp(`STOP_SIGNALS = .*"${config.stopSignal}"`));
  });

  test("names the ports of all services, its volume, its version and its licence", () => {
    expect(config.ports).toEqual(Object.values(PORTS));
    const { DOORBUSTER_DATA = "" } = config.environment;
    expect(config.volumes).toEqual([DOORBUSTER_DATA]);
    expect(dockerfile).toContain(`ARG VERSION=${packageJson.version}\n`);
    expect(config.labels["org.opencontainers.image.licenses"]).toBe(packageJson.license);
  });

  test("sets no variable that the program would refuse", () => {
    const known = SETTINGS.map(variableOf);
    const given = Object.keys(config.environment).filter((name) => name.startsWith("DOORBUSTER_"));
    expect(given.filter((name) => !known.includes(name))).toEqual([]);
  });

  test("says so when it has a line that the check cannot carry out", () => {
    for (const line of ["ADD x /x", 'SHELL ["sh"]', "COPY --link a b", 'RUN ["true"]'])
      expect(() => readDockerfile(`FROM a:1\n${line}\n`)).toThrow("does not know it");
  });
});

describe("what is sent to the builder", () => {
  test.each([
    ".env",
    "deploy/.env",
    "node_modules/bun/package.json",
    ".git/config",
    "doorbuster-data/doorbuster.db",
    "deploy/compose.yaml",
  ])("is without %s", (path) => {
    expect(isInImage(path)).toBe(false);
  });

  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .map((name) => join("src", name))
    .filter((name) => /\.\w+$/.test(name));

  test("is without tests", () => {
    expect(sources.filter((file) => file.endsWith(".test.ts") && isInImage(file))).toEqual([]);
    expect(isInImage("test/system.ts")).toBe(false);
  });

  test("has everything that what is in it imports", () => {
    const missing = sources.filter(isInImage).flatMap((file) =>
      [...read(file).matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)]
        .map((match) => relative(root, normalize(join(root, dirname(file), match[1] as string))))
        .filter((target) => !isInImage(target))
        .map((target) => `${file} -> ${target}`),
    );
    expect(missing).toEqual([]);
  });

  test("has whatever is no test: scripts and tables are read at run time", () => {
    const isOfTests = /\.(test|many|faults)\.ts$|^src\/ledger\/(suite\/|oracle\/|ledger-suite\.ts$)/;
    expect(sources.filter((file) => !isOfTests.test(file) && !isInImage(file))).toEqual([]);
  });
});

describe("the health check", () => {
  let status = 200;
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ url }) => (new URL(url).pathname === "/health" ? new Response(null, { status, headers: { location: "/" } }) : new Response()),
  });
  afterAll(() => server.stop(true));
  const base = `http://127.0.0.1:${server.port}`;

  async function ask(...args: string[]): Promise<{ exitCode: number; lines: number }> {
    const child = Bun.spawn([process.execPath, join(root, "deploy/health.ts"), ...args], { stdout: "pipe", stderr: "pipe" });
    const [out, err, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
    return { exitCode, lines: `${out}${err}`.split("\n").length - 1 };
  }

  test("is content with 200 and with nothing else, and says in one line what it heard", async () => {
    expect(await ask(base)).toEqual({ exitCode: 0, lines: 0 });
    expect(await ask(`${base}/`)).toEqual({ exitCode: 0, lines: 0 });
    for (const other of [503, 404, 500, 302, 204]) {
      status = other;
      expect({ other, ...(await ask(base)) }).toEqual({ other, exitCode: 1, lines: 1 });
    }
    await server.stop(true);
    expect(await ask(base)).toEqual({ exitCode: 1, lines: 1 });
  });

  test("is not content when it is asked for nothing, or for what is no address", async () => {
    for (const args of [[], ["127.0.0.1:8080"], ["file:///etc/passwd"], [base, base]])
      expect({ args, ...(await ask(...args)) }).toEqual({ args, exitCode: 1, lines: 1 });
  });
});

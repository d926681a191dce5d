/**
 * Is the image good? Carries out the Dockerfile's lines in a plain folder, then runs the result as a container would: as its own user, with the
 * image's environment alone, unable to write anything but data. Buys something, asks the health check, stops it with its stop signal.
 * Needs npm's registry or cache. Exit code 1, with one line, when something of this is not so.
 *
 *   node bin/bun.mjs deploy/check/image-steps.ts
 */
import { chownSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buildPlainImage, type PlainImage } from "./plain-image.ts";

const PROJECT = dirname(dirname(import.meta.dir));
const READY_MS_MAX = 30_000;
const STOPPED_MS_MAX = 12_000;
const GATE_PORT = 8080;

const say = (line: string): void => console.log(line);

function check(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(`not so: ${what}`);
  say(`  ok: ${what}`);
}

/** Every file with its size and the time of its last change. */
function filesOf(root: string, except: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.startsWith(except))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => `${path} ${statSync(path).size} ${statSync(path).mtimeMs}`)
    .sort();
}

function runs(image: PlainImage, command: readonly string[], stderr: "inherit" | "ignore" = "inherit") {
  const inside = (word: string): string => (word.startsWith("/") ? join(image.root, word) : word);
  const [uid, gid] = image.config.user.split(":");
  const isRoot = process.getuid?.() === 0;
  const asItsUser = isRoot
    ? ["setpriv", `--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--no-new-privs", "--bounding-set=-all"]
    : [];
  const { DOORBUSTER_DATA = "" } = image.config.environment;
  const env = { ...image.config.environment, DOORBUSTER_DATA: inside(DOORBUSTER_DATA) };
  return Bun.spawn([...asItsUser, ...command.map(inside)], {
    cwd: join(image.root, image.workdir),
    env: { PATH: "/usr/bin:/bin", HOME: "/nonexistent", ...env },
    stdio: ["ignore", "ignore", stderr],
  });
}

/** Added to each of these ports, it gives one that nobody listens on. */
function freeOffset(ports: readonly number[]): number {
  const offset = 20_000 + 10 * Math.floor(Math.random() * 3_000);
  try {
    for (const port of ports) Bun.listen({ hostname: "127.0.0.1", port: port + offset, socket: { data: () => undefined } }).stop(true);
    return offset;
  } catch {
    return freeOffset(ports);
  }
}

async function checkImage(image: PlainImage): Promise<void> {
  const data = join(image.root, "data");
  const [uid = 0, gid = 0] = image.config.user.split(":").map(Number);
  if (process.getuid?.() === 0) chownSync(data, uid, gid);
  Bun.spawnSync(["chmod", "-R", "a-w,a+rX", join(image.root, "app"), join(image.root, "usr")]);
  const before = filesOf(image.root, data);
  const offset = freeOffset(image.config.ports);
  const gate = `http://127.0.0.1:${GATE_PORT + offset}`;
  const healthCheck = image.config.healthCheck.map((word) => word.replace(`:${GATE_PORT}`, `:${GATE_PORT + offset}`));
  const isHealthy = async (): Promise<boolean> => (await runs(image, healthCheck, "ignore").exited) === 0;

  const startedAt = performance.now();
  const child = runs(image, [...image.config.entrypoint, ...image.config.command, "--demo", "--port-offset", String(offset)]);
  try {
    while (!(await isHealthy())) {
      if (child.exitCode !== null || performance.now() - startedAt > READY_MS_MAX) throw new Error("it did not become healthy");
      await Bun.sleep(10);
    }
    say(`  healthy after ${Math.round(performance.now() - startedAt)} ms`);
    const purchase = { clientIP: "202.100.100.1", userID: "UID0000000001", userLevel: 5, goodsSKU: "SKU0001", goodsQuantity: 1 };
    const bought = await fetch(`${gate}/buy`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(purchase),
    });
    check(((await bought.json()) as { repResult?: boolean }).repResult === true, "it sells");
    for (const page of ["/docs", "/docs/swagger-ui-bundle.js", "/metrics"])
      check((await fetch(`${gate}${page}`)).status === 200, `${page} is there`);
    if (process.getuid?.() === 0) check(statSync(`/proc/${child.pid}`).uid === uid, "it runs as its own user, who is not root");
    const stoppedAt = performance.now();
    child.kill(image.config.stopSignal as NodeJS.Signals);
    const exitCode = await Promise.race([child.exited, Bun.sleep(STOPPED_MS_MAX).then(() => "nothing")]);
    check(exitCode === 0, `${image.config.stopSignal} ends it with 0 (after ${Math.round(performance.now() - stoppedAt)} ms)`);
    check(!(await isHealthy()), "its health check sees that it has gone");
    check(readdirSync(data).includes("doorbuster.db"), "its data are on its volume");
    check(filesOf(image.root, data).join("\n") === before.join("\n"), "nothing else was written");
  } finally {
    child.kill("SIGKILL");
  }
}

const megabytes = (root: string): number => {
  const done = Bun.spawnSync(["du", "-sm", root]);
  return Number(done.stdout.toString().split("\t")[0]);
};

async function main(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "doorbuster-image-"));
  Bun.spawnSync(["chmod", "755", folder]);
  try {
    const image = buildPlainImage(PROJECT, folder, say);
    say(`${megabytes(image.root)} MB, without the base image`);
    await checkImage(image);
    say("the image is good");
    return 0;
  } catch (error) {
    console.error(`image: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  } finally {
    Bun.spawnSync(["chmod", "-R", "u+w", folder]);
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) process.exit(await main());

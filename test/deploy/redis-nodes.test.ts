/** The nodes of `compose.yaml`, for real: started by our script with our configuration, made one cluster by our script. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../servers/free-port.ts";
import { hasRedis, NEEDS_REDIS } from "../servers/redis.ts";
import { waitFor } from "../wait.ts";
import { DEPLOY } from "./compose-file.ts";

// Generous: a busy machine is no mistake.
setDefaultTimeout(120_000);

const password = "0123456789abcdef0123456789abcdef";
const { PATH = "" } = process.env;
const env = (folder: string, REDISCLI_AUTH = password) => ({
  PATH,
  REDISCLI_AUTH,
  REDIS_CONFIG: join(DEPLOY, "redis/redis.conf"),
  TMPDIR: folder,
});

interface Node {
  readonly address: string;
  readonly ask: (command: string, asPassword?: string) => string;
  readonly stop: () => Promise<void>;
}

const START_ATTEMPTS_MAX = 5;

/** Somebody else may have taken the port, or that of the cluster's bus, between our look and the node's own bind. */
async function startNode(): Promise<Node> {
  for (let attempt = 1; ; attempt += 1) {
    const node = startOn(String(freePort()));
    await waitFor(() => node.hasEnded() || node.ask("ping") === "PONG", "the node answers, or has ended");
    if (!node.hasEnded()) return node;
    await node.stop();
    if (attempt >= START_ATTEMPTS_MAX) throw new Error("no node could be started");
  }
}

function startOn(port: string): Node & { readonly hasEnded: () => boolean } {
  const folder = mkdtempSync(join(tmpdir(), "doorbuster-node-"));
  const own = ["--port", port, "--dir", folder, "--bind", "127.0.0.1", "--cluster-announce-ip", "127.0.0.1"];
  const command = ["sh", join(DEPLOY, "redis/start-node.sh"), ...own];
  const child = Bun.spawn(command, { env: env(folder), stdio: ["ignore", "ignore", "ignore"] });
  const killWithUs = (): void => child.kill("SIGKILL");
  process.on("exit", killWithUs);
  return {
    address: `127.0.0.1:${port}`,
    hasEnded: () => child.exitCode !== null,
    ask: (words, asPassword) =>
      Bun.spawnSync(["redis-cli", "--no-auth-warning", "-p", port, ...words.split(" ")], { env: env(folder, asPassword) })
        .stdout.toString()
        .trim(),
    stop: async () => {
      child.kill("SIGKILL");
      await child.exited;
      process.off("exit", killWithUs);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const createCluster = (nodes: readonly Node[]) => {
  const script = join(DEPLOY, "redis/create-cluster.sh");
  const done = Bun.spawnSync(["sh", script, ...nodes.map(({ address }) => address)], { env: env("/tmp"), stdout: "pipe", stderr: "pipe" });
  return { exitCode: done.exitCode, lastLine: done.stdout.toString().trim().split("\n").at(-1), stderr: done.stderr.toString() };
};

describe.skipIf(!hasRedis)(`six nodes ${hasRedis ? "" : NEEDS_REDIS}`, () => {
  test("become one cluster, once, that keeps everything and lets nobody in without the password", async () => {
    const nodes = await Promise.all(Array.from({ length: 6 }, startNode));
    try {
      const [first] = nodes as [Node];
      const made = { exitCode: 0, lastLine: "redis-cluster: 6 nodes see the cluster", stderr: "" };
      expect(createCluster(nodes)).toEqual(made);
      const slots = first
        .ask("cluster nodes")
        .split("\n")
        .sort()
        .map((line) => line.split(" ")[0]);
      expect(slots).toHaveLength(6);
      expect(createCluster(nodes)).toEqual(made);
      expect(
        first
          .ask("cluster nodes")
          .split("\n")
          .sort()
          .map((line) => line.split(" ")[0]),
      ).toEqual(slots);
      const replicas = (): number => first.ask("cluster nodes").match(/\bslave\b/g)?.length ?? 0;
      await waitFor(() => replicas() === 3, "each primary has its replica");
      expect(first.ask("ping", "another-password")).not.toBe("PONG");
      for (const [name, value] of [
        ["appendonly", "yes"],
        ["appendfsync", "everysec"],
        ["maxmemory-policy", "noeviction"],
        ["cluster-require-full-coverage", "no"],
      ])
        expect(first.ask(`config get ${name}`)).toBe(`${name}\n${value}`);
    } finally {
      await Promise.all(nodes.map((node) => node.stop()));
    }
  });
});

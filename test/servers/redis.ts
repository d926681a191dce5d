/**
 * A real Redis for tests: a server, or a cluster of them, on free ports and fresh folders, that ends with the test process. On a machine
 * without `redis-server` the tests that need one say so and are skipped.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { waitFor } from "../wait.ts";
import { endWithUs } from "./end-with-us.ts";
import { freePort } from "./free-port.ts";

export const hasRedis = Bun.which("redis-server") !== null;
/** For the name of a suite that is skipped where it is not installed. */
export const NEEDS_REDIS = "(needs redis-server, which is not installed here: apt-get install redis-server)";

const START_ATTEMPTS_MAX = 5;

export interface RedisServer {
  readonly port: number;
  /** `redis://127.0.0.1:PORT` */
  readonly url: string;
  readonly pid: number;
  /** SIGKILL: what `appendonly` has not written is lost. */
  kill(): Promise<void>;
  /** Starts it again on its port; with its data, unless they are to be lost. */
  restart(options?: { readonly isEmpty: boolean }): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  pause(): void;
  resume(): void;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** @param args further arguments of `redis-server`, for instance `["--appendfsync", "always"]` */
export async function startRedis(args: readonly string[] = []): Promise<RedisServer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startOn(freePort(), args);
    } catch (error) {
      if (attempt >= START_ATTEMPTS_MAX) throw error;
    }
  }
}

async function startOn(port: number, args: readonly string[]): Promise<RedisServer> {
  const dir = mkdtempSync(join(tmpdir(), "doorbuster-redis-"));
  const server = ["--bind", "127.0.0.1", "--port", String(port), "--dir", dir, "--save", "", "--appendonly", "yes"];
  const spawn = () => {
    const child = Bun.spawn(["redis-server", ...server, "--maxmemory-policy", "noeviction", ...args], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    const killWithUs = (): void => child.kill("SIGKILL");
    process.on("exit", killWithUs);
    void child.exited.then(() => process.off("exit", killWithUs));
    return child;
  };
  let child = spawn();
  endWithUs(dir, ["redis-cli", "-p", String(port), "shutdown", "nosave"]);
  const isReady = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`redis-server on port ${port} ended with ${child.exitCode}`);
    return isAnswering(port);
  };
  await waitFor(isReady, "redis is ready");
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return child.pid;
    },
    kill: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
    restart: async (options) => {
      if (options?.isEmpty) rmSync(join(dir, "appendonlydir"), { recursive: true, force: true });
      child = spawn();
      await waitFor(isReady, "redis is ready again");
    },
    pause: () => child.kill("SIGSTOP"),
    resume: () => child.kill("SIGCONT"),
    stop: async () => {
      child.kill("SIGKILL");
      await child.exited;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function isAnswering(port: number): Promise<boolean> {
  const answer = Promise.withResolvers<boolean>();
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      open: (open) => void open.write("PING\r\n"),
      data: (_, bytes) => answer.resolve(bytes.toString().startsWith("+PONG")),
      close: () => answer.resolve(false),
      error: () => answer.resolve(false),
    },
  }).catch(() => null);
  if (!socket) return false;
  const isUp = await answer.promise;
  socket.end();
  return isUp;
}

export interface RedisCluster {
  /** Primaries first, then as many replicas. */
  readonly nodes: readonly RedisServer[];
  /** All nodes, separated by commas: what `--redis` takes. */
  readonly urls: string;
  stop(): Promise<void>;
}

/** Three primaries and three replicas, as `redis-cli --cluster create` makes them; a dead primary is replaced after about two seconds. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const args = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--cluster-require-full-coverage", "no"];
  const nodes = await Promise.all(Array.from({ length: 6 }, () => startRedis(args)));
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  const create = ["redis-cli", "--cluster", "create", ...addresses, "--cluster-replicas", "1", "--cluster-yes"];
  const created = Bun.spawnSync(create);
  if (created.exitCode !== 0) throw new Error(`the cluster was not made: ${created.stdout.toString()}${created.stderr.toString()}`);
  const redisCli = (port: number, ...words: string[]): string =>
    Bun.spawnSync(["redis-cli", "-p", String(port), ...words]).stdout.toString();
  await waitFor(
    () => nodes.every(({ port }) => redisCli(port, "cluster", "info").includes("cluster_state:ok")),
    "every node sees the cluster",
  );
  await waitFor(
    () => nodes.filter(({ port }) => redisCli(port, "info", "replication").includes("master_link_status:up")).length === 3,
    "every replica follows its primary",
  );
  const isPrimary = ({ port }: RedisServer): boolean => redisCli(port, "info", "replication").includes("role:master");
  return {
    nodes: [...nodes.filter(isPrimary), ...nodes.filter((node) => !isPrimary(node))],
    urls: nodes.map(({ url }) => url).join(","),
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  };
}

/** A Redis of the benchmark's own, and the straightforward design on top of it. */
import { join } from "node:path";
import { Redis } from "ioredis";
import { Child, makeFolder, PROJECT } from "./processes.ts";

export interface BenchRedis {
  readonly port: number;
  readonly pid: number;
  /** Scripts that it was asked to run so far. */
  scripts(): Promise<number>;
  stop(): Promise<void>;
}

export async function startRedis(): Promise<BenchRedis> {
  const folder = makeFolder("redis");
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
  const { port } = probe;
  probe.stop(true);
  const server = ["redis-server", "--bind", "127.0.0.1", "--port", `${port}`, "--dir", folder, "--save", "", "--appendonly", "yes"];
  const child = Bun.spawn([...server, "--appendfsync", "everysec"], { stdio: ["ignore", "ignore", "ignore"] });
  const killWithUs = (): void => child.kill("SIGKILL");
  process.on("exit", killWithUs);
  // ioredis tries again until somebody listens.
  const redis = new Redis({ port, host: "127.0.0.1", retryStrategy: () => 50, maxRetriesPerRequest: 100 });
  redis.on("error", () => undefined);
  await redis.ping();
  return {
    port,
    pid: child.pid,
    scripts: async () => {
      const calls = [...(await redis.info("commandstats")).matchAll(/^cmdstat_(?:eval|evalsha):calls=(\d+)/gm)];
      return calls.reduce((sum, [, count]) => sum + Number(count), 0);
    },
    stop: async () => {
      redis.disconnect();
      child.kill("SIGTERM");
      await child.exited;
      process.off("exit", killWithUs);
    },
  };
}

/** Fastify on Node, over that Redis. */
export async function startStraightforward(redis: BenchRedis): Promise<{ readonly child: Child; readonly port: number }> {
  const child = new Child("the straightforward design", [join(PROJECT, "bench/straightforward/server.mjs"), `${redis.port}`], [], "node");
  return { child, port: Number((await child.ready()).split(" ")[1]) };
}

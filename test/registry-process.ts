/** A registry in a process of its own, for tests: `bun test/registry-process.ts PORT [PEER...]`. Prints `ready` when it can be asked. */
import { HttpServer } from "../src/edge/http-server.ts";
import { askPeer } from "../src/edge/peer-http.ts";
import { systemClock } from "../src/edge/system-clock.ts";
import { timers } from "../src/edge/timers.ts";
import { REGISTRY_TICK_MS } from "../src/limits/registry.ts";
import { RegistryNode } from "../src/services/service-registry/node.ts";

async function run([port = "", ...peerUrls]: readonly string[]): Promise<void> {
  const report = (what: unknown): void => void process.stderr.write(`${what}\n`);
  const node = new RegistryNode({ clock: systemClock, peerUrls, ask: askPeer, report });
  await node.join();
  const server = new HttpServer({
    ...{ host: "127.0.0.1", port: Number(port), routes: node.routes(), adminKey: null },
    ...{ onBug: report, onReply: () => undefined },
  });
  const stopTicking = timers.every(REGISTRY_TICK_MS, () => node.tick());
  process.on("SIGTERM", () => {
    stopTicking();
    void Promise.all([server.close(), node.close()]).then(() => process.exit(0));
  });
  process.stdout.write("ready\n");
}

if (import.meta.main) await run(process.argv.slice(2));

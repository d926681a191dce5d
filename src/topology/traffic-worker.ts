/** The thread in which the traffic is analysed. As a module it does nothing; as a thread's entry it serves the process that has started it. */
import { isMainThread, parentPort } from "node:worker_threads";
import type { FromPageWorker, ToPageWorker } from "../edge/page-worker.ts";
import { systemClock } from "../edge/system-clock.ts";
import { timers } from "../edge/timers.ts";
import { SLICE_MS } from "../limits/traffic.ts";
import type { TrafficGreeting } from "../traffic/report.ts";
import { Watch } from "../traffic/watch.ts";

type Port = NonNullable<typeof parentPort>;

function serve(port: Port): void {
  const tell = (message: FromPageWorker): void => port.postMessage(message);
  let watch: Watch | null = null;
  const begin = (greeting: TrafficGreeting): Watch => {
    // Events have nowhere to be kept yet: this is the place where a store takes them.
    const begun = new Watch(greeting, { clock: systemClock, tell: (tells) => tell({ tells }), sink: () => undefined });
    timers.every(SLICE_MS, () => begun.look());
    return begun;
  };
  port.on("message", (message: ToPageWorker) => {
    if ("told" in message) watch ??= begin(message.told as TrafficGreeting);
    else if ("page" in message) {
      watch?.take(message.page);
      tell({ read: message.number });
    } else process.exit(0);
  });
}

if (!isMainThread && parentPort !== null) serve(parentPort);

/** The thread in which the traffic is analysed. As a module it does nothing; as a thread's entry it serves the process that has started it. */
import { isMainThread, parentPort } from "node:worker_threads";
import type { FromPageWorker, ToPageWorker } from "../edge/page-worker.ts";
import { systemClock } from "../edge/system-clock.ts";
import { timers } from "../edge/timers.ts";
import { SLICE_MS } from "../limits/traffic.ts";
import type { TrafficGreeting } from "../traffic/report.ts";
import { isStoreQuestion } from "../traffic/store-messages.ts";
import { Watch } from "../traffic/watch.ts";
import { TrafficStore } from "./traffic-store.ts";

type Port = NonNullable<typeof parentPort>;

function serve(port: Port): void {
  const tell = (message: FromPageWorker): void => port.postMessage(message);
  let watch: Watch | null = null;
  let store: TrafficStore | null = null;
  const begin = (greeting: TrafficGreeting): void => {
    const keeping = new TrafficStore(greeting.keep, (tells) => tell({ tells }));
    const begun = new Watch(greeting, { clock: systemClock, tell: (tells) => tell({ tells }), sink: (events) => keeping.add(events) });
    timers.every(SLICE_MS, () => begun.look());
    watch = begun;
    store = keeping;
  };
  const end = async (): Promise<void> => {
    await store?.close();
    process.exit(0);
  };
  port.on("message", (message: ToPageWorker) => {
    if ("page" in message) {
      watch?.take(message.page);
      tell({ read: message.number });
    } else if ("isOver" in message) void end();
    else if (isStoreQuestion(message.told)) void store?.answer(message.told);
    else if (watch === null) begin(message.told as TrafficGreeting);
  });
}

if (!isMainThread && parentPort !== null) serve(parentPort);

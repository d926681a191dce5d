/** The thread in which the traffic is analysed. As a module it does nothing; as a thread's entry it serves the process that has started it. */
import { isMainThread, parentPort } from "node:worker_threads";
import type { FromPageWorker, ToPageWorker } from "../edge/page-worker.ts";
import { systemClock } from "../edge/system-clock.ts";
import { timers } from "../edge/timers.ts";
import { RECORDS_HAND_OVER_MS } from "../limits/records.ts";
import { SLICE_MS, TRAFFIC_POLL_MS } from "../limits/traffic.ts";
import type { ReadEvents } from "../traffic/read-events.ts";
import type { TrafficGreeting, TrafficObserve } from "../traffic/report.ts";
import { isStoreQuestion } from "../traffic/store-messages.ts";
import { Watch } from "../traffic/watch.ts";
import { SHARED_LATE_MS, TrafficFollower } from "./traffic-follower.ts";
import { TrafficStore } from "./traffic-store.ts";

type Port = NonNullable<typeof parentPort>;

/** A record waits to be handed over, and for the slice that it is in. */
const OWN_LATE_MS = RECORDS_HAND_OVER_MS + 2 * SLICE_MS;

/** @param keep takes every page, after the analysis has */
function begun(greeting: TrafficGreeting, tell: (message: FromPageWorker) => void, keep: (page: ReadEvents) => void): Watch {
  const parts = { clock: systemClock, tell: (tells: unknown) => tell({ tells }), sink: keep };
  const watch = new Watch(greeting, parts, greeting.shared === null ? OWN_LATE_MS : SHARED_LATE_MS);
  if (greeting.shared === null) timers.every(SLICE_MS, () => watch.merge(watch.gathered()));
  else {
    const follower = new TrafficFollower(watch, greeting.shared, (trouble) => tell({ tells: { trouble } }));
    timers.every(TRAFFIC_POLL_MS, () => void follower.look().catch(endWith));
  }
  timers.every(SLICE_MS, () => watch.show());
  return watch;
}

/** A bug ends the thread: whoever has started it hears why, and starts another. */
const endWith = (error: unknown): void =>
  timers.after(0, () => {
    throw error;
  });

function serve(port: Port): void {
  const tell = (message: FromPageWorker): void => port.postMessage(message);
  let watch: Watch | null = null;
  let store: TrafficStore | null = null;
  const begin = (greeting: TrafficGreeting): void => {
    const keeping = new TrafficStore(greeting.keep, (tells) => tell({ tells }));
    watch = begun(greeting, tell, (page) => keeping.add(page));
    store = keeping;
  };
  const end = async (): Promise<void> => {
    await store?.close();
    process.exit(0);
  };
  port.on("message", (message: ToPageWorker) => {
    if ("pages" in message) {
      for (const { page, used, number } of message.pages) {
        watch?.take(new Uint8Array(page, 0, used));
        tell({ readUpTo: number });
      }
    } else if ("isOver" in message) void end();
    else if (isStoreQuestion(message.told)) void store?.answer(message.told);
    else if (watch === null) begin(message.told as TrafficGreeting);
    else watch.observe((message.told as TrafficObserve).observe);
  });
}

if (!isMainThread && parentPort !== null) serve(parentPort);

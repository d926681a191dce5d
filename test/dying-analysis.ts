/** A thread that takes pages as the analysis does, for tests of the hand-over: it can be told to die, to hang, or to read nothing. */
import { isMainThread, parentPort } from "node:worker_threads";
import type { ToPageWorker } from "../src/edge/page-worker.ts";

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  let isReading = true;
  let greeted = "";
  port.on("message", (message: ToPageWorker) => {
    if ("isOver" in message) process.exit(0);
    else if ("pages" in message) {
      if (!isReading) return;
      for (const { page, used, number } of message.pages) {
        port.postMessage({ readUpTo: number });
        port.postMessage({ tells: { text: new TextDecoder().decode(new Uint8Array(page, 0, used)), greeted } });
      }
    } else if (message.told === "die") throw new Error("as it was told");
    else if (message.told === "read nothing") {
      isReading = false;
      port.postMessage({ tells: { text: "reads nothing", greeted } });
    } else greeted = String(message.told);
  });
}

import { afterEach, describe, expect, test } from "bun:test";
import { type Recorder, recorderOf } from "../../test/recorder.ts";
import { waitFor } from "../../test/wait.ts";
import { TRAFFIC_PAGES_UNDER_WAY_MAX } from "../limits/traffic.ts";
import { PageWorker } from "./page-worker.ts";
import { RECORD_PAGE_BYTES } from "./record-pages.ts";
import { systemClock } from "./system-clock.ts";

interface Heard {
  readonly text: string;
  readonly greeted: string;
}
let worker: Recorder<PageWorker>;
let heard: Heard[];
let troubles: string[];
function start(): void {
  heard = [];
  troubles = [];
  let starts = 0;
  worker = recorderOf(
    new PageWorker({
      entry: new URL("../../test/dying-analysis.ts", import.meta.url),
      greeting: () => {
        starts += 1;
        return `start ${starts}`;
      },
      onMessage: (message) => heard.push(message as Heard),
      clock: systemClock,
      onTrouble: (message) => troubles.push(message),
    }),
  );
}
afterEach(() => worker.close());

describe("records on their way to a thread", () => {
  test("arrive as they are, in order", async () => {
    start();
    for (let i = 0; i < 1_000; i += 1) worker.add(`record ${i} 用户\n`);
    await waitFor(
      () =>
        heard
          .map(({ text }) => text)
          .join("")
          .endsWith("record 999 用户\n"),
      "all had arrived",
    );
    expect(heard.map(({ text }) => text).join("")).toBe(Array.from({ length: 1_000 }, (_, i) => `record ${i} 用户\n`).join(""));
    expect(worker.handedOver).toBe(1_000);
    expect(worker.dropped).toBe(0);
  });

  test("are dropped and counted when the thread does not keep up, and whoever adds them never waits", async () => {
    start();
    worker.tell("read nothing");
    await waitFor(() => heard.length === 1, "it read nothing");
    const record = `${"x".repeat(RECORD_PAGE_BYTES / 4)}\n`;
    const many = 8 * TRAFFIC_PAGES_UNDER_WAY_MAX;
    for (let i = 0; i < many; i += 1) worker.add(record);
    await waitFor(() => worker.handedOver + worker.dropped === many, "each was handed over or dropped");
    expect(worker.dropped).toBeGreaterThan(0);
    expect(worker.handedOver).toBeLessThanOrEqual(4 * TRAFFIC_PAGES_UNDER_WAY_MAX);
  });

  test("that were with a thread that died are counted, and the next one takes what comes", async () => {
    start();
    worker.tell("read nothing");
    worker.add("lost\n");
    await waitFor(() => worker.handedOver === 1, "it had been handed over");
    worker.tell("die");
    await waitFor(() => worker.restarts === 1, "it was started again");
    expect(worker.dropped).toBe(1);
    expect(troubles).toEqual([expect.stringContaining("as it was told")]);
    worker.add("found\n");
    await waitFor(() => heard.some(({ text }) => text === "found\n"), "the next one had it");
    expect(heard.at(-1)).toEqual({ text: "found\n", greeted: "start 2" });
  });

  test("are handed over before the end", async () => {
    start();
    worker.add("the last\n");
    await worker.close();
    expect(worker.handedOver).toBe(1);
    expect(heard.map(({ text }) => text)).toEqual(["the last\n"]);
  });
});

/** The analysis of the traffic in a process: the thread that does it, and what is made of what it finds. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Route } from "../core/endpoint.ts";
import type { ServiceMetrics } from "../edge/metrics.ts";
import { PageWorker } from "../edge/page-worker.ts";
import { type RecordCarrier, RecordPage } from "../edge/record-pages.ts";
import { systemClock } from "../edge/system-clock.ts";
import { timers } from "../edge/timers.ts";
import type { SafeProtector } from "../services/safe-protector/service.ts";
import type { Settings } from "../settings/table.ts";
import { TrafficBoard } from "../traffic/board.ts";
import { recordsLinkRoutes } from "../traffic/records-link.ts";
import type { TrafficGreeting, TrafficObserve, TrafficReport } from "../traffic/report.ts";
import { trafficRoutes } from "../traffic/routes.ts";
import { searchRoutes } from "../traffic/search-routes.ts";
import { isFromStore, StoreAsker } from "../traffic/store-messages.ts";
import { hashText } from "../traffic/text-hash.ts";
import { describeKept, KeptElsewhere } from "./kept-figures.ts";
import { Lessons } from "./lessons.ts";
import { complain, reportBug } from "./process.ts";

export interface Traffic extends RecordCarrier {
  /** For gates in other processes that hand over their records. */
  readonly linkRoutes: readonly Route[];
  /** For operators. */
  readonly routes: readonly Route[];
  describe(metrics: ServiceMetrics): void;
  close(): Promise<void>;
}

/** Without an analysis there is nothing to ask. */
const NO_TRAFFIC: Traffic = {
  carry: (pages) => {
    for (const page of pages) page.release();
  },
  // A gate that does not know better is heard all the same.
  linkRoutes: recordsLinkRoutes(() => undefined),
  routes: [],
  describe: () => undefined,
  close: async () => undefined,
};

const SHARED_SEED = 0x5bd1e995;

/** Who decides about what the analysis finds, and who asks it what only observed decisions would have done. */
export type Decider = Pick<SafeProtector, "learn" | "observed" | "countObservedBy">;

/** @param consumer this process's name among all that analyse the traffic that is in Redis; `null`: it is the only one, and is handed the records */
export function openTraffic(
  { data, topology, traffic, redis, adminKey }: Settings,
  decider: Decider,
  consumer: string | null = null,
): Traffic {
  if (!traffic.isOn) return NO_TRAFFIC;
  const clock = systemClock;
  const { scenarios } = traffic;
  const board = new TrafficBoard(scenarios);
  const lessons = new Lessons((proposals) => decider.learn(proposals), reportBug);
  const shared = consumer === null ? null : { redis, consumer };
  // No client can know which names fall together. Those who share a traffic have to agree on it.
  const seed = shared === null ? randomBytes(4).readUInt32LE() : hashText(adminKey ?? "", SHARED_SEED);
  const folder = join(data, "traffic", ...(topology.instance === null ? [] : [topology.instance]));
  const greeting: TrafficGreeting = { scenarios, seed, shared, keep: { folder, ...traffic.keep } };
  const kept = new KeptElsewhere(complain);
  const asker = new StoreAsker({ tell: (question) => worker.tell(question), after: timers.after });
  const worker: PageWorker = new PageWorker({
    entry: new URL("./traffic-worker.ts", import.meta.url),
    greeting: () => greeting,
    onMessage: (message) => {
      if (isFromStore(message)) return "answer" in message ? asker.answer(message) : kept.hear(message);
      const report = message as TrafficReport;
      if ("at" in report) {
        board.report(report, worker.dropped);
        lessons.again();
        tellObserved();
      } else {
        board.propose(report.proposals, clock.now());
        lessons.give(report.proposals);
      }
    },
    clock,
    onTrouble: (trouble) => {
      asker.giveUp();
      complain(trouble);
    },
  });
  let observed = "";
  // Looked at with every report: few decisions are observed, and who makes them waits a second for the count to begin.
  const tellObserved = (): void => {
    const observe = decider.observed();
    const text = JSON.stringify([worker.restarts, observe]);
    if (text === observed) return;
    observed = text;
    worker.tell({ observe } satisfies TrafficObserve);
  };
  decider.countObservedBy((scope, value) => board.observedOf(scope, value));
  return {
    carry: (pages) => worker.carry(pages),
    linkRoutes: recordsLinkRoutes((pages) => worker.carry(pages.map((page) => RecordPage.of(page)))),
    routes: [...trafficRoutes(board, clock), ...searchRoutes(asker, clock)],
    describe: (metrics) => {
      metrics.counter("doorbuster_traffic_events_total", "Events that the analysis has seen.", () => board.eventsSeen);
      metrics.counter(
        "doorbuster_traffic_dropped_total",
        "Events that the analysis has not seen, because it was behind or had ended.",
        () => worker.dropped,
      );
      describeKept(metrics, kept, traffic.keep.sinkUrl !== null);
      metrics.counter("doorbuster_traffic_restarts_total", "How often the analysis was started again.", () => worker.restarts);
      metrics.labelled("gauge", "doorbuster_traffic_offences", "Offences of the last hour, by scenario.", "scenario", () =>
        scenarios.map(({ name }) => [name, board.offencesOf(name)] as const),
      );
    },
    close: () => {
      asker.giveUp();
      return worker.close();
    },
  };
}

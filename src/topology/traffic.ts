/** The analysis of the traffic in a process: the thread that does it, and what is made of what it finds. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Route } from "../core/endpoint.ts";
import type { ServiceMetrics } from "../edge/metrics.ts";
import { PageWorker } from "../edge/page-worker.ts";
import { systemClock } from "../edge/system-clock.ts";
import { timers } from "../edge/timers.ts";
import type { Proposal } from "../services/safe-protector/decision.ts";
import type { Settings } from "../settings/table.ts";
import { TrafficBoard } from "../traffic/board.ts";
import type { TrafficGreeting, TrafficReport } from "../traffic/report.ts";
import { trafficRoutes } from "../traffic/routes.ts";
import { searchRoutes } from "../traffic/search-routes.ts";
import { isFromStore, StoreAsker } from "../traffic/store-messages.ts";
import { describeKept, KeptElsewhere } from "./kept-figures.ts";
import { complain, reportBug } from "./process.ts";

export interface Traffic {
  /** Takes a record, or drops it; never waits. */
  readonly record: (line: string) => void;
  /** For operators. */
  readonly routes: readonly Route[];
  describe(metrics: ServiceMetrics): void;
  close(): Promise<void>;
}

/** Without an analysis there is nothing to ask. */
const NO_TRAFFIC: Traffic = { record: () => undefined, routes: [], describe: () => undefined, close: async () => undefined };

export type Learn = (proposals: readonly Proposal[]) => Promise<void>;

export function openTraffic({ data, topology, traffic }: Settings, learn: Learn): Traffic {
  if (!traffic.isOn) return NO_TRAFFIC;
  const clock = systemClock;
  const { scenarios } = traffic;
  const board = new TrafficBoard(scenarios);
  // No client can know which names fall together.
  const seed = randomBytes(4).readUInt32LE();
  const folder = join(data, "traffic", ...(topology.instance === null ? [] : [topology.instance]));
  const greeting: TrafficGreeting = { scenarios, seed, keep: { folder, ...traffic.keep } };
  const kept = new KeptElsewhere(complain);
  const asker = new StoreAsker({ tell: (question) => worker.tell(question), after: timers.after });
  const worker: PageWorker = new PageWorker({
    entry: new URL("./traffic-worker.ts", import.meta.url),
    greeting: () => greeting,
    onMessage: (message) => {
      if (isFromStore(message)) return "answer" in message ? asker.answer(message) : kept.hear(message);
      const report = message as TrafficReport;
      if ("at" in report) return board.report(report, worker.dropped);
      board.propose(report.proposals, clock.now());
      learn(report.proposals).catch(reportBug);
    },
    clock,
    onTrouble: (trouble) => {
      asker.giveUp();
      complain(trouble);
    },
  });
  return {
    record: (line) => worker.add(line),
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

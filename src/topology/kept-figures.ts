/** How much of the traffic a process keeps for searching, as its thread tells, for whoever reads the metrics. */
import type { ServiceMetrics } from "../edge/metrics.ts";
import type { FromStore, StoreAnswer, StoreFigures } from "../traffic/store-messages.ts";

const NO_FIGURES: StoreFigures = { eventsKept: 0, eventsLost: 0, bytes: 0, sinkSent: 0, sinkLost: 0 };

/** What the thread says of its store. Its counts begin anew with every thread; these go on. */
export class KeptElsewhere {
  readonly #complain: (message: string) => void;
  #before = NO_FIGURES;
  #now = NO_FIGURES;

  constructor(complain: (message: string) => void) {
    this.#complain = complain;
  }

  get figures(): StoreFigures {
    const [before, now] = [this.#before, this.#now];
    return {
      eventsKept: before.eventsKept + now.eventsKept,
      eventsLost: before.eventsLost + now.eventsLost,
      bytes: now.bytes,
      sinkSent: before.sinkSent + now.sinkSent,
      sinkLost: before.sinkLost + now.sinkLost,
    };
  }

  hear(message: Exclude<FromStore, StoreAnswer>): void {
    if ("trouble" in message) {
      this.#complain(message.trouble);
      return;
    }
    const { figures } = message;
    if (figures.eventsKept < this.#now.eventsKept || figures.sinkSent < this.#now.sinkSent) this.#before = this.figures;
    this.#now = figures;
  }
}

export function describeKept(metrics: ServiceMetrics, kept: KeptElsewhere, hasSink: boolean): void {
  metrics.counter("doorbuster_traffic_kept_total", "Events written for searching.", () => kept.figures.eventsKept);
  metrics.counter(
    "doorbuster_traffic_lost_total",
    "Events that cannot be searched, because the disk did not take them.",
    () => kept.figures.eventsLost,
  );
  metrics.gauge("doorbuster_traffic_kept_bytes", "What the kept events take on disk.", () => kept.figures.bytes);
  if (!hasSink) return;
  metrics.counter("doorbuster_traffic_sink_sent_total", "Events that the sink has taken.", () => kept.figures.sinkSent);
  metrics.counter("doorbuster_traffic_sink_lost_total", "Events that the sink has not taken.", () => kept.figures.sinkLost);
}

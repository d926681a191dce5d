/** The settings of the traffic analysis. */
import type { DurationMs } from "../core/time.ts";
import { EVENTS_KEPT_BYTES_MAX, EVENTS_KEPT_BYTES_MIN, EVENTS_KEPT_HOURS_MAX } from "../limits/event-store.ts";
import { DEFAULT_SCENARIOS } from "../traffic/default-scenarios.ts";
import { parseScenarios, type Scenario } from "../traffic/scenario.ts";
import { choice, integer, type Setting, tested } from "./kinds.ts";

export interface TrafficSettings {
  readonly isOn: boolean;
  readonly scenarios: readonly Scenario[];
  readonly keep: TrafficKeepSettings;
}

/** What is kept of the events that the analysis sees. */
export interface TrafficKeepSettings {
  readonly keptMs: DurationMs;
  readonly keptBytes: number;
  /** It can carry a password: never printed. `null`: events are sent nowhere. */
  readonly sinkUrl: string | null;
}

const traffic = choice("traffic", ["on", "off"], {
  fallback: "on",
  help: "Whether the traffic is analysed: windows, the heaviest clients, and scenarios that the blacklist learns from.",
});
const scenarios: Setting<readonly Scenario[]> = {
  name: "scenarios",
  kind: "document",
  unit: null,
  allowed: "a list of scenarios as in ADR 26, in the configuration file",
  fallback: DEFAULT_SCENARIOS,
  defaultText: "the ones in src/traffic/default-scenarios.ts",
  help: "What counts as an attack, and what is decided then; better given in the configuration file.",
  parse: (given) => {
    try {
      return parseScenarios(JSON.parse(given) as unknown);
    } catch {
      return { fault: "is not JSON" };
    }
  },
};

const HOUR_MS = 3_600_000;
const trafficKeepHours = integer("trafficKeepHours", "hours", {
  min: 1,
  max: EVENTS_KEPT_HOURS_MAX,
  fallback: 6,
  help: "How long the events of the traffic are kept for searching.",
});
const trafficKeepBytes = integer("trafficKeepBytes", "bytes", {
  min: EVENTS_KEPT_BYTES_MIN,
  max: EVENTS_KEPT_BYTES_MAX,
  fallback: 2 * 1024 ** 3,
  help: "How much disk they may take, in the folder `traffic` of the data; the oldest go. Ten million take about half a gigabyte.",
});
const trafficSink = tested<string, null>("trafficSink", "url", {
  parse: (given) => {
    const url = /^https?:\/\/[^\s]{1,2000}$/.test(given) && URL.canParse(given) ? new URL(given) : null;
    return url === null || url.search !== "" || url.hash !== "" ? { fault: "is no http or https address" } : { value: url.href };
  },
  allowed: "https://USER:PASSWORD@HOST:PORT/INDEX of Elasticsearch or OpenSearch; without an index, doorbuster-traffic",
  fallback: null,
  defaultText: "none",
  help: "Where all events are sent besides, as `_bulk` requests; better given as a variable or in the file, because flags are visible to other users of the machine.",
});

export const TRAFFIC_SETTINGS: readonly Setting<unknown>[] = [traffic, scenarios, trafficKeepHours, trafficKeepBytes, trafficSink];

export function trafficSettingsFrom(pick: <T>(setting: Setting<T>) => T): TrafficSettings {
  const keep = { keptMs: HOUR_MS * pick(trafficKeepHours), keptBytes: pick(trafficKeepBytes), sinkUrl: pick(trafficSink) };
  return { isOn: pick(traffic) === "on", scenarios: pick(scenarios), keep };
}

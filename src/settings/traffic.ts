/** The settings of the traffic analysis. */
import { DEFAULT_SCENARIOS } from "../traffic/default-scenarios.ts";
import { parseScenarios, type Scenario } from "../traffic/scenario.ts";
import { choice, type Setting } from "./kinds.ts";

export interface TrafficSettings {
  readonly isOn: boolean;
  readonly scenarios: readonly Scenario[];
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

export const TRAFFIC_SETTINGS: readonly Setting<unknown>[] = [traffic, scenarios];

export function trafficSettingsFrom(pick: <T>(setting: Setting<T>) => T): TrafficSettings {
  return { isOn: pick(traffic) === "on", scenarios: pick(scenarios) };
}

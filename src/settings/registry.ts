/** The settings of the ServiceRegistry. */
import { REGISTRY_PEERS_MAX } from "../limits/registry.ts";
import { list, type Parsed, type Setting } from "./kinds.ts";

export interface RegistrySettings {
  /** The roots of the other registries' protocol, without a slash at the end. */
  readonly peerUrls: readonly string[];
}

const registryPeersList = list<string>("registryPeers", "text", {
  parse: peerUrlFrom,
  allowed: `at most ${REGISTRY_PEERS_MAX} addresses, separated by commas, for example http://registry-2:8761/eureka`,
  help: "The other registries that this one replicates to and, when it starts, learns from.",
});

const registryPeers: Setting<readonly string[]> = {
  ...registryPeersList,
  parse: (given) => {
    const parsed = registryPeersList.parse(given);
    if ("fault" in parsed || parsed.value.length <= REGISTRY_PEERS_MAX) return parsed;
    return { fault: `has more than ${REGISTRY_PEERS_MAX} entries` };
  },
};

export const REGISTRY_SETTINGS: readonly Setting<unknown>[] = [registryPeers];

export function registrySettingsFrom(pick: <T>(setting: Setting<T>) => T): RegistrySettings {
  return { peerUrls: [...new Set(pick(registryPeers))] };
}

/** An address without a path means the root that every registry has. */
function peerUrlFrom(given: string): Parsed<string> {
  const fault = { fault: "is no http or https address" };
  if (!/^https?:\/\/[^\s?#]{1,2000}$/.test(given)) return fault;
  const url = URL.parse(given);
  if (!url || url.hostname === "" || url.username !== "" || url.password !== "") return fault;
  return { value: `${url.origin}${url.pathname === "/" ? "/eureka" : url.pathname.replace(/\/+$/, "")}` };
}

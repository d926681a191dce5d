/**
 * Which services run in this process, over which store, behind which ports. The only file that knows. A topology is a value: no service and no
 * line of a purchase changes with it.
 */
import type { Settings } from "./settings/table.ts";
import type { Role } from "./settings/topology.ts";
import { startEmbedded } from "./topology/embedded-process.ts";
import { startGate } from "./topology/gate-process.ts";
import type { Process } from "./topology/process.ts";
import { startGates } from "./topology/supervisor.ts";

/**
 * Starts this process. Throws, with one line for the operator, when a store or a port cannot be had.
 *
 * @param role `null`: everything
 * @param flags the settings as they were given on the command line, for processes that this one starts
 */
export async function start(settings: Settings, role: Role | null, flags: readonly string[]): Promise<Process> {
  switch (role) {
    case "gate-keeper":
      return startGate(settings);
    case "ledger":
      return startEmbedded(settings, false);
    case null:
      return settings.topology.gates === null ? startEmbedded(settings, true) : startGates(settings, flags);
  }
}

/**
 * Which services run in this process, over which store, behind which ports. The only file that knows. A topology is a value: no service and no
 * line of a purchase changes with it.
 */
import { systemClock } from "./edge/system-clock.ts";
import type { Settings } from "./settings/table.ts";
import type { Role } from "./settings/topology.ts";
import { consolePart } from "./topology/console-part.ts";
import { startEmbedded } from "./topology/embedded-process.ts";
import { startGate } from "./topology/gate-process.ts";
import { startNode } from "./topology/node-process.ts";
import { Place } from "./topology/place.ts";
import type { Process } from "./topology/process.ts";
import {
  inventoryManagerPart,
  policyControllerPart,
  safeProtectorPart,
  serviceRegistryPart,
  shoppingCartPart,
} from "./topology/service-parts.ts";
import { runService, type ServicePart } from "./topology/service-process.ts";
import { startGates } from "./topology/supervisor.ts";

/** Whether the stores are those that many processes share. A setting that is silently not in force is worse than a start that fails. */
function isShared({ redis, postgres, accessStream, topology: { gates } }: Settings): boolean {
  const both = "give both for a node, which has all services over stores that many processes share, or name one service";
  if (postgres !== null && redis.length === 0) throw new Error(`--postgres means nothing without --redis: ${both}`);
  if (postgres === null && redis.length > 0 && accessStream !== true)
    throw new Error(
      `--redis means nothing without --postgres: ${both}; with --access-stream alone it takes the access records of this process`,
    );
  if (postgres !== null && gates !== null)
    throw new Error("--gates is for a store of this machine's own: over --redis and --postgres start as many nodes as there are cores");
  return postgres !== null;
}

/**
 * Starts this process. Throws, with one line for the operator, when a store or a port cannot be had.
 *
 * @param role `null`: everything
 * @param flags the settings as they were given on the command line, for processes that this one starts
 */
export async function start(settings: Settings, role: Role | null, flags: readonly string[]): Promise<Process> {
  const clock = systemClock;
  const run = async (part: Promise<ServicePart>): Promise<Process> => runService(settings, new Place(settings), await part);
  switch (role) {
    case "gate-keeper":
      return startGate(settings);
    case "safe-protector":
      return run(safeProtectorPart(settings, clock));
    case "service-registry":
      return run(serviceRegistryPart(settings, clock));
    case "policy-controller":
      return run(policyControllerPart(settings, clock));
    case "inventory-manager":
      return run(inventoryManagerPart(settings, clock));
    case "shopping-cart":
      return run(shoppingCartPart(settings, new Place(settings), clock));
    case "console":
      return run(consolePart(settings, new Place(settings), clock));
    case "ledger":
      return startEmbedded(settings, false);
    case null:
      if (isShared(settings)) return startNode(settings);
      return settings.topology.gates === null ? startEmbedded(settings, true) : startGates(settings, flags);
  }
}

/**
 * Which services run in this process, over which store, behind which ports. The only file that knows. A topology is a value: no service and no
 * line of a purchase changes with it.
 */
import type { Settings } from "./settings/table.ts";
import { startEmbedded } from "./topology/embedded-process.ts";
import type { Process } from "./topology/process.ts";

/** Starts this process. Throws, with one line for the operator, when a store or a port cannot be had. */
export async function start(settings: Settings): Promise<Process> {
  return startEmbedded(settings, true);
}

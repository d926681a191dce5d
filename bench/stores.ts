/** The rows of the table that are about a store of a certain size: memory, restart, many deadlines at once. Each sample is a fresh process. */
import { join } from "node:path";
import { Child, makeFolder, removeFolder } from "./processes.ts";
import { System } from "./system.ts";

const HOLDS = 1_000_000;
/** Goods that the million holds are spread over. */
const SKUS = 1_000;
/** All deadlines on one SKU, or spread: either may be the worse for the event loop. */
const DUE_SKUS = [1, 10_000] as const;

/** A store as the system makes it: every table is there, and nothing in them. */
export async function makeStore(purpose: string): Promise<string> {
  const folder = makeFolder(purpose);
  await (await System.start(folder)).stop();
  return folder;
}

export interface HoldMemory {
  /** Resident set: what the operating system has to provide. */
  readonly bytesPerHold: number;
  /** What the JavaScript engine counts as objects; text is not all in it. */
  readonly heapBytesPerHold: number;
}

/** Fills a store with a million live holds; the process that does it is the one whose memory is measured. */
export async function fillAndWeigh(folder: string, skus: number = SKUS): Promise<HoldMemory> {
  return (await new Child("filling the store", [
    join(import.meta.dir, "fill-store.ts"),
    folder,
    `${HOLDS}`,
    `${skus}`,
  ]).result()) as HoldMemory;
}

/** From the start of the process to `ready`, with all holds there. */
export async function restartSeconds(filledStore: string): Promise<number> {
  const system = await System.start(filledStore);
  const frozen = await system.frozen(null);
  await system.stop();
  if (frozen !== HOLDS) throw new Error(`after the restart ${frozen} were frozen and not ${HOLDS}`);
  return system.startMs / 1_000;
}

/** The worse of one SKU and many. */
export async function dueAtOncePauseMs(): Promise<number> {
  const pauses: number[] = [];
  for (const skus of DUE_SKUS) {
    const folder = await makeStore("due");
    const { pauseMs } = (await new Child("ending 100,000 holds", [
      join(import.meta.dir, "due-at-once.ts"),
      folder,
      `${skus}`,
    ]).result()) as { pauseMs: number };
    pauses.push(pauseMs);
    removeFolder(folder);
  }
  return Math.max(...pauses);
}

import type { Group } from "./summary.ts";

/** Cells for those who come with an address or a network, and for those that an account comes from (`StampedCells`). */
export const CELLS_EACH: Readonly<Record<Group, number>> = { address: 1_024, network: 1_024, account: 128 };

/**
 * A sale, live: polled with its ETag, rarely while the start is far and often when it is near, each time with jitter, and not at all while
 * nobody looks at the page. The clock is the server's: a wrong one here does not show a wrong countdown. At the start and at the end the
 * change is told at that very moment, without waiting for the next poll.
 */
import type { Operations } from "./api-types.ts";
import { type Requests } from "./requests.ts";
import type { Surroundings } from "./surroundings.ts";
type Sale = Operations["sale"]["replies"][200];
export interface Live {
    /** `null`: there is no such sale. */
    readonly sale: Sale | null;
    /** By the server's clock at this moment. */
    readonly status: Sale["status"] | "unknown";
    /** The server's clock, in unix ms, for a countdown. */
    readonly serverNow: () => number;
}
export declare class LiveSale {
    #private;
    constructor(id: string, requests: Requests, surroundings: Surroundings, onChange: (seen: Live) => void);
    stop(): void;
}
/**
 * How long until the next poll: a tenth of the way to the start, from a second to a minute; two seconds while the sale is on. Failures double it.
 *
 * @param random from 0 to below 1: half of the time less to half of it more
 */
export declare function pollAfterMs(sale: Sale | null, now: number, failures: number, random: number): number;
export {};

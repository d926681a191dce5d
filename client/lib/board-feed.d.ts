/**
 * The board, live: pushed over a WebSocket; where none can be had, over server-sent events; where neither can, asked for every few seconds with
 * jitter, and not at all while nobody looks at the page. A way that has worked is taken again when it breaks, after a growing pause of chance,
 * so that a crowd does not come back as one; after a while of asking, pushing is tried anew.
 */
import type { Operations } from "./api-types.ts";
import { type Requests } from "./requests.ts";
import type { Surroundings } from "./surroundings.ts";
type Board = Operations["sales"]["replies"][200];
export interface LiveBoard {
    readonly sales: Board["sales"];
    /** The server's clock at this moment, in unix ms, for countdowns. */
    readonly serverNow: () => number;
    /** How it comes: `poll` is seconds old, the others are not. */
    readonly via: "socket" | "stream" | "poll";
}
export declare class BoardFeed {
    #private;
    constructor(url: string, requests: Requests, surroundings: Surroundings, onChange: (board: LiveBoard) => void);
    stop(): void;
}
export {};

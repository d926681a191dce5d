/** What the client needs of where it runs, a browser or a server. Tests give their own. */
export interface FetchReply {
    readonly status: number;
    readonly headers: {
        get(name: string): string | null;
    };
    text(): Promise<string>;
}
export interface FetchRequest {
    readonly method: string;
    readonly headers: Record<string, string>;
    readonly body?: string;
    /** A copy that a browser keeps would tell an old time. */
    readonly cache: "no-store";
    readonly signal: AbortSignal;
}
export type Fetch = (url: string, request: FetchRequest) => Promise<FetchReply>;
/** A page that can be out of sight: the browser's `document`. */
export interface Page {
    readonly hidden: boolean;
    addEventListener(type: "visibilitychange", listener: () => void): void;
    removeEventListener(type: "visibilitychange", listener: () => void): void;
}
/** Something that texts come from until it ends. */
export interface Channel {
    close(): void;
}
/** @returns `null` where there is no such thing */
export type OpenChannel = (url: string, on: {
    readonly onText: (text: string) => void;
    readonly onEnd: () => void;
}) => Channel | null;
export interface Surroundings {
    readonly fetch: Fetch;
    /** Unix ms. */
    readonly now: () => number;
    /** From 0 to below 1. */
    readonly random: () => number;
    /** Resolves after so many milliseconds, or when the signal is given. */
    readonly wait: (ms: number, signal?: AbortSignal) => Promise<void>;
    /** A key that nobody else has. */
    readonly newKey: () => string;
    readonly openSocket: OpenChannel;
    /** Server-sent events. */
    readonly openStream: OpenChannel;
    /** `null` on a server. */
    readonly page: Page | null;
}
export declare function ownSurroundings(): Surroundings;

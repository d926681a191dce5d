/** What the client needs of where it runs, a browser or a server. Tests give their own. */

export interface FetchReply {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
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
export type OpenChannel = (url: string, on: { readonly onText: (text: string) => void; readonly onEnd: () => void }) => Channel | null;

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

export function ownSurroundings(): Surroundings {
  return {
    fetch: (url, request) => fetch(url, request),
    now: () => Date.now(),
    random: () => Math.random(),
    wait,
    newKey: () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join(""),
    openSocket,
    openStream,
    page: (globalThis as { readonly document?: Page }).document ?? null,
  };
}

function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
  });
}

/** What of a browser's `WebSocket` and `EventSource` is needed here: servers may lack both. */
interface Source {
  addEventListener(type: "message", listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: "close" | "error", listener: () => void): void;
  close(): void;
}
type MakeSource = new (url: string) => Source;

const opened = (name: "WebSocket" | "EventSource"): OpenChannel => {
  return (url, { onText, onEnd }) => {
    const Source = (globalThis as unknown as Readonly<Record<string, MakeSource | undefined>>)[name];
    if (!Source) return null;
    const source = new Source(url);
    source.addEventListener("message", ({ data }) => onText(String(data)));
    // An event stream would connect again by itself, and at once.
    const end = (): void => {
      source.close();
      onEnd();
    };
    source.addEventListener("error", end);
    source.addEventListener("close", end);
    return source;
  };
};
const openSocket = opened("WebSocket");
const openStream = opened("EventSource");

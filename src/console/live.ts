/**
 * What everybody who looks on sees each second: collected once for all of them, and only while there is somebody. Each part is what a service says now; a part
 * that is not answered in time is missing from that message, never old.
 */

import type { HttpReply } from "../core/endpoint.ts";
import { problem } from "../core/problem.ts";
import type { UnixMs } from "../core/time.ts";
import { LIVE_VIEWERS_MAX } from "../limits/console.ts";
import { isOwnSocket } from "./guard.ts";
import type { Door } from "./session-routes.ts";

interface Line {
  send(text: string): void;
  close(code: number, reason: string): void;
}
interface Headers {
  get(name: string): string | null;
}

/** A close code of our own (RFC 6455, 7.4.2): the page shows the sign-in again. */
const SIGNED_OUT = 4_401;

interface LiveParts {
  readonly door: Door;
  /** All that is told, at this moment. */
  readonly collect: () => Promise<object>;
  /** What went before, for who has just come. */
  readonly history: () => Promise<object>;
  readonly now: () => UnixMs;
  readonly onBug: (error: unknown) => void;
}

class Viewer {
  line: Line | null = null;

  constructor(
    readonly sessionId: string | null,
    readonly feed: LiveFeed,
  ) {}

  opened(line: Line): void {
    this.line = line;
    this.feed.welcome(this);
  }

  /** Whatever a page says, it says that its operator is there. */
  heard(_: string): void {
    this.feed.isThere(this);
  }

  closed(): void {
    this.line = null;
    this.feed.gone(this);
  }
}

export class LiveFeed {
  readonly #parts: LiveParts;
  readonly #viewers = new Set<Viewer>();
  #lastText: string | null = null;
  #isCollecting = false;

  constructor(parts: LiveParts) {
    this.#parts = parts;
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  admit(headers: Headers): { readonly viewer: Viewer } | { readonly refusal: HttpReply } {
    const { door } = this.#parts;
    if (!isOwnSocket(headers)) return { refusal: problem(403, "only the console's own page may look on") };
    const admitted = door.admit(headers, false);
    if ("status" in admitted) return { refusal: admitted };
    if (this.#viewers.size >= LIVE_VIEWERS_MAX) return { refusal: problem(503, "too many pages look on; close some") };
    const viewer = new Viewer(admitted.sessionId, this);
    this.#viewers.add(viewer);
    return { viewer };
  }

  /** It sees at once what others see; without others, as soon as it is collected. */
  welcome(viewer: Viewer): void {
    const { history, onBug } = this.#parts;
    history().then((told) => viewer.line?.send(JSON.stringify(told)), onBug);
    if (this.#lastText === null) void this.tick().catch(onBug);
    else viewer.line?.send(this.#lastText);
  }

  isThere({ sessionId }: Viewer): void {
    this.#parts.door.use(sessionId);
  }

  gone(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    if (this.#viewers.size === 0) this.#lastText = null;
  }

  /** Once a second. What takes longer is not begun twice. */
  async tick(): Promise<void> {
    const { door, collect, now } = this.#parts;
    if (door.needsKey)
      for (const viewer of this.#viewers)
        if (door.session(viewer.sessionId) === null) viewer.line?.close(SIGNED_OUT, "the session is over");
    if (this.#viewers.size === 0 || this.#isCollecting) return;
    this.#isCollecting = true;
    try {
      const text = JSON.stringify({ at: now(), ...(await collect()) });
      // Whoever has come meanwhile gets it too.
      this.#lastText = this.#viewers.size > 0 ? text : null;
      for (const { line } of this.#viewers) line?.send(text);
    } finally {
      this.#isCollecting = false;
    }
  }
}

/** One document of the public board, made at one moment and served to everybody until it is too old. */
import type { Answer } from "../core/answer.ts";
import type { HttpReply } from "../core/endpoint.ts";
import type { UnixMs } from "../core/time.ts";

/** A text made at one moment, and how it is served until it is too old. */
export interface Snapshot {
  readonly madeAt: UnixMs;
  /** It is served before this time, and not after it. */
  readonly goodUntil: UnixMs;
  /** The document without its opening brace: `serverNow` goes before it, fresh for every reply. */
  readonly text: string;
  /** The entity tag without the mark of weakness: a comparison does not look at that. */
  readonly tag: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The last 304, which serves all who ask within its millisecond. */
  unchanged: { readonly at: UnixMs; readonly reply: HttpReply } | null;
}

/** A document's text, and until when it may be served: it is too old then, or the clock alone makes it untrue. */
export interface Made {
  readonly text: string;
  readonly goodUntil: UnixMs;
}

/** One document of the board. */
export class Page {
  readonly #make: (now: UnixMs) => Answer<Made>;
  #snapshot: Snapshot | null = null;
  /** The snapshot that is being made: whoever asks meanwhile waits for it, and makes no second one. */
  #coming: Promise<Snapshot> | null = null;

  constructor(make: (now: UnixMs) => Answer<Made>) {
    this.#make = make;
  }

  reply(ifNoneMatch: string | null, now: UnixMs): Answer<HttpReply> {
    const snapshot = this.snapshot(now);
    return snapshot instanceof Promise ? snapshot.then((made) => replyOf(made, ifNoneMatch, now)) : replyOf(snapshot, ifNoneMatch, now);
  }

  snapshot(now: UnixMs): Answer<Snapshot> {
    const kept = this.#snapshot;
    // A clock that was set back makes a snapshot of the future, which nothing would make old.
    if (kept !== null && now < kept.goodUntil && now >= kept.madeAt) return kept;
    if (this.#coming !== null) return this.#coming;
    const made = this.#make(now);
    if (!(made instanceof Promise)) return this.#keep(made, now);
    this.#coming = made
      .then((later) => this.#keep(later, now))
      .finally(() => {
        this.#coming = null;
      });
    return this.#coming;
  }

  #keep({ text, goodUntil }: Made, now: UnixMs): Snapshot {
    const tag = `"${Bun.hash(text).toString(36)}"`;
    // Weak, because serverNow differs. That is also why no browser may keep it: one that asks by itself whether its copy is still true would hand
    // its page an old serverNow. The tag is for clients that ask themselves.
    const headers = { etag: `W/${tag}`, "cache-control": "no-store" };
    this.#snapshot = { madeAt: now, goodUntil, text, tag, headers, unchanged: null };
    return this.#snapshot;
  }
}

/** If-None-Match (RFC 9110, 13.1.2) is a list of quoted tags or a star. A tag has no quote in it, so that a quoted one is found by its text. */
function replyOf(snapshot: Snapshot, ifNoneMatch: string | null, now: UnixMs): HttpReply {
  if (ifNoneMatch !== null && (ifNoneMatch === "*" || ifNoneMatch.includes(snapshot.tag))) return notModified(snapshot, now);
  return { status: 200, body: `{"serverNow":${now},${snapshot.text}`, headers: snapshot.headers };
}

/** It has no body to say the time in, so a header says it: who polls with a tag sets its clock by every answer. */
function notModified(snapshot: Snapshot, now: UnixMs): HttpReply {
  if (snapshot.unchanged?.at !== now) {
    const headers = { ...snapshot.headers, "server-now": String(now) };
    snapshot.unchanged = { at: now, reply: { status: 304, body: "", headers } };
  }
  return snapshot.unchanged.reply;
}

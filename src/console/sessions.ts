/**
 * Who is signed in. A session is begun with the admin key, lives on while its operator does something, and ends by sign-out, after a quiet time, or
 * when it has lasted for as long as one can. It is known by a random id that only its browser has; here it is kept as a hash, so that nobody who
 * reads this memory can take a session over.
 */
import { createHash } from "node:crypto";
import type { DurationMs, UnixMs } from "../core/time.ts";
import { CONSOLE_SESSION_MS_MAX, CONSOLE_SESSIONS_MAX } from "../limits/console.ts";

export interface Session {
  /** The name that the operator has given. It is not proven: all have the same key. */
  readonly operator: string;
  readonly since: UnixMs;
  readonly expiresAt: UnixMs;
}

interface Kept extends Session {
  expiresAt: UnixMs;
}

export class Sessions {
  readonly #quietMsMax: DurationMs;
  readonly #newId: () => string;
  /** By the hash of the id; the one that was used last stands last. */
  readonly #sessions = new Map<string, Kept>();

  /** @param newId a random id of at least 128 bits */
  constructor(quietMsMax: DurationMs, newId: () => string) {
    this.#quietMsMax = quietMsMax;
    this.#newId = newId;
  }

  get count(): number {
    return this.#sessions.size;
  }

  /** @returns the id, which is told to the browser and to nobody else */
  begin(operator: string, now: UnixMs): string {
    const [quietest] = this.#sessions.keys();
    if (this.#sessions.size >= CONSOLE_SESSIONS_MAX && quietest !== undefined) this.#sessions.delete(quietest);
    const id = this.#newId();
    this.#sessions.set(hashOf(id), { operator, since: now, expiresAt: now + this.#quietMsMax });
    return id;
  }

  /** The session of that id, if it is one and still lives. */
  find(id: string | null, now: UnixMs): Session | null {
    if (id === null) return null;
    const hash = hashOf(id);
    const session = this.#sessions.get(hash);
    if (session === undefined) return null;
    if (now < session.expiresAt && now < session.since + CONSOLE_SESSION_MS_MAX) return session;
    this.#sessions.delete(hash);
    return null;
  }

  /** Its operator has done something: it lives on for the whole quiet time. */
  use(id: string | null, now: UnixMs): Session | null {
    const session = this.find(id, now);
    if (session === null || id === null) return null;
    const hash = hashOf(id);
    const used = { ...session, expiresAt: Math.min(now + this.#quietMsMax, session.since + CONSOLE_SESSION_MS_MAX) };
    this.#sessions.delete(hash);
    this.#sessions.set(hash, used);
    return used;
  }

  end(id: string | null): void {
    if (id !== null) this.#sessions.delete(hashOf(id));
  }
}

const hashOf = (id: string): string => createHash("sha256").update(id).digest("base64");

/** Signing in and out. */
import Type from "typebox";
import { type Endpoint, type HttpReply, json, on, type Route } from "../core/endpoint.ts";
import { problem } from "../core/problem.ts";
import { noContent, reply } from "../core/reply-schema.ts";
import type { Clock } from "../core/time.ts";
import { OPERATOR_NAME_CHARS_MAX } from "../limits/console.ts";
import { cookieOf, isHttps, isLocalHost, isOwnChange, OWN_HEADER } from "./guard.ts";
import type { Session, Sessions } from "./sessions.ts";
import { isSameKey, type SignInAttempts } from "./sign-in.ts";

const none = Type.Object({});
const SessionDocument = Type.Object({
  isKeyNeeded: Type.Boolean({ description: "false: there is no admin key, and whoever is on this machine may do everything" }),
  operator: Type.Union([Type.String(), Type.Null()], { description: "who is signed in; null: nobody" }),
  expiresAt: Type.Union([Type.Integer(), Type.Null()], { description: "when the session ends if nothing is done in it, in unix ms" }),
});
const example = { isKeyNeeded: true, operator: "Wang Fang", expiresAt: 1_795_341_602_120 };
const session = { path: "/session", params: none, query: none, needsAdminKey: false } as const;
const OwnHeader = Type.Object({ "X-Doorbuster-Console": Type.String({ description: "any text: only a page of this site can send it" }) });

export const sessionEndpoints = {
  look: {
    ...session,
    name: "lookAtSession",
    method: "GET",
    body: null,
    summary: "Who is signed in here.",
    replies: { 200: reply("The session.", SessionDocument, example) },
  },
  signIn: {
    ...session,
    name: "signIn",
    method: "POST",
    body: Type.Object({
      adminKey: Type.String({ maxLength: 256, description: "at most 256 characters" }),
      operator: Type.String({
        pattern: `^(?!\\s*$)[^\\p{Cc}\\p{Cs}]{1,${OPERATOR_NAME_CHARS_MAX}}$`,
        description: `1-${OPERATOR_NAME_CHARS_MAX} characters, no control characters, not only blanks`,
      }),
    }),
    headers: OwnHeader,
    summary: "Begins a session with the admin key; its id is a cookie.",
    replies: { 200: reply("The session.", SessionDocument, example) },
    problems: { 401: "That is not the admin key.", 403: "A page of another site asks.", 429: "Too many attempts." },
  },
  signOut: {
    ...session,
    name: "signOut",
    method: "DELETE",
    body: null,
    headers: OwnHeader,
    summary: "Ends the session.",
    replies: { 204: noContent("Nobody is signed in here.") },
    problems: { 403: "A page of another site asks." },
  },
} satisfies Record<string, Endpoint>;

export interface DoorParts {
  readonly sessions: Sessions;
  readonly attempts: SignInAttempts;
  /** `null`: whoever is on this machine may do everything. */
  readonly adminKey: string | null;
  /** Tells this console's cookie from those of others on this host: cookies know no ports. */
  readonly port: number;
  readonly clock: Clock;
}
interface Headers {
  get(name: string): string | null;
}

/** Who may ask. `operator` is `null` where there is no key. */
export type Admitted = { readonly operator: string | null; readonly sessionId: string | null };

/** The console's door: whoever is let in has a session, or needs none. */
export class Door {
  readonly #parts: DoorParts;

  constructor(parts: DoorParts) {
    this.#parts = parts;
  }

  get needsKey(): boolean {
    return this.#parts.adminKey !== null;
  }

  /** Whether this request may be answered at all. `null`: yes. */
  refusalOf(headers: Headers): HttpReply | null {
    if (this.needsKey || isLocalHost(headers)) return null;
    return problem(403, "protected mode: there is no admin key, so this console answers on this machine only, under the name localhost");
  }

  /** @param isChange whether something is changed: only the console's own page may ask for that */
  admit(headers: Headers, isChange: boolean): Admitted | HttpReply {
    const refusal = this.refusalOf(headers);
    if (refusal) return refusal;
    if (isChange && !isOwnChange(headers)) return foreign();
    if (!this.needsKey) return { operator: null, sessionId: null };
    const sessionId = this.sessionIdOf(headers);
    const found = this.#parts.sessions.use(sessionId, this.#parts.clock.now());
    return found === null ? problem(401, "nobody is signed in here, or the session is over") : { operator: found.operator, sessionId };
  }

  sessionIdOf(headers: Headers): string | null {
    return cookieOf(headers, this.#cookieName);
  }

  session(id: string | null): Session | null {
    return this.#parts.sessions.find(id, this.#parts.clock.now());
  }

  use(id: string | null): void {
    this.#parts.sessions.use(id, this.#parts.clock.now());
  }

  routes(): Route[] {
    return [
      on(sessionEndpoints.look, ({ headers }) => this.refusalOf(headers) ?? this.#told(this.session(this.sessionIdOf(headers)))),
      on(sessionEndpoints.signIn, (input) => this.#signIn(input.body.adminKey, input.body.operator.trim(), input.headers, input.peer())),
      on(sessionEndpoints.signOut, ({ headers }) => this.#signOut(headers)),
    ];
  }

  #signIn(given: string, operator: string, headers: Headers, address: string): HttpReply {
    const { sessions, attempts, adminKey, clock } = this.#parts;
    const refusal = this.refusalOf(headers);
    if (refusal) return refusal;
    if (!isOwnChange(headers)) return foreign();
    if (adminKey === null) return this.#told(null);
    const waitSeconds = attempts.waitSeconds(address, clock.monotonicUs());
    if (waitSeconds > 0)
      return problem(429, "too many attempts to sign in; wait a little", { headers: { "retry-after": String(waitSeconds) } });
    if (!isSameKey(given, adminKey)) return problem(401, "that is not the admin key");
    // Whoever signs in anew leaves the session before.
    sessions.end(this.sessionIdOf(headers));
    const id = sessions.begin(operator, clock.now());
    return { ...this.#told(sessions.find(id, clock.now())), headers: { ...NOT_KEPT, "set-cookie": this.#cookie(id, headers) } };
  }

  #signOut(headers: Headers): HttpReply {
    const refusal = this.refusalOf(headers) ?? (isOwnChange(headers) ? null : foreign());
    if (refusal) return refusal;
    this.#parts.sessions.end(this.sessionIdOf(headers));
    return { status: 204, body: "", headers: { ...NOT_KEPT, "set-cookie": `${this.#cookie("", headers)}; Max-Age=0` } };
  }

  #told(found: Session | null): HttpReply {
    const document = { isKeyNeeded: this.needsKey, operator: found?.operator ?? null, expiresAt: found?.expiresAt ?? null };
    return { ...json(document), headers: NOT_KEPT };
  }

  get #cookieName(): string {
    return `doorbuster-console-${this.#parts.port}`;
  }

  /** It ends with the browser's own session at the latest; how long it counts is known here. */
  #cookie(id: string, headers: Headers): string {
    return `${this.#cookieName}=${id}; Path=/; HttpOnly; SameSite=Strict${isHttps(headers) ? "; Secure" : ""}`;
  }
}

const NOT_KEPT = { "cache-control": "no-store" };
const foreign = (): HttpReply => problem(403, `only the console's own page may ask for this: it sends the header ${OWN_HEADER}`);

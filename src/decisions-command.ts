/**
 * `doorbuster decisions`: imports, lists, makes and removes decisions over a running SafeProtector's own routes. Bad lines of a list are named and
 * passed over, as the route does it; a long list goes in parts, so that there is progress to tell.
 */
import { isId } from "./core/ids.ts";
import { parseCidrRange, parseIpAddress } from "./core/ip-address.ts";
import type { DurationMs } from "./core/time.ts";
import { DECISION_SECONDS_MAX, NOTE_CHARS_MAX } from "./limits.ts";
import { choice, duration, flagOf, onOff, type Parsed, type Setting, tested, text } from "./settings/kinds.ts";

const ACTIONS = ["block", "throttle", "observe", "allow"] as const;
type Action = (typeof ACTIONS)[number];

/** What may be done, each with what stands behind it. */
export const DECISION_VERBS = "import FILE, list, add VALUE, remove VALUE or allow VALUE";

/** Lines of one request of an import, and how long they may be together: three bytes for each are still within the bound of its body. The more lines
 *  the SafeProtector has at once, the better it can put them in order. */
const LINES_PER_PART = 1_000_000;
const CHARS_PER_PART = 20 * 1024 * 1024;
const ROWS_PER_PAGE = 1_000;
const BAD_LINES_TOLD = 100;

function parseOrigin(given: string): Parsed<string> {
  const parsed = URL.parse(given);
  if (parsed?.protocol !== "http:" && parsed?.protocol !== "https:") return { fault: "is no URL" };
  return { value: parsed.origin };
}

const url = tested<string, string>("url", "text", {
  ...{ parse: parseOrigin, allowed: "http://host:port", fallback: "http://127.0.0.1:8081", defaultText: "http://127.0.0.1:8081" },
  help: "The SafeProtector.",
});
const action = choice<Action, Action>("action", ACTIONS, { fallback: "block", help: "What is decided; with list and remove, which list." });
const until: Setting<DurationMs | null> = {
  ...(duration("duration", {
    ...{ min: 1_000, max: DECISION_SECONDS_MAX * 1_000, fallback: 3_600_000 },
    help: "For how long.",
  }) as Setting<DurationMs | null>),
  ...{ fallback: null, defaultText: "until removed" },
};
const note = text("note", "text", {
  ...{ pattern: new RegExp(`^[^\\p{Cc}\\p{Cs}]{0,${NOTE_CHARS_MAX}}$`, "u"), fault: "is no usable note" },
  ...{ allowed: `at most ${NOTE_CHARS_MAX} characters, no control characters`, fallback: "", help: "Why, for whoever reads the list." },
});
const accounts = onOff("accounts", { help: "The values are user ids, whatever they look like; the lines of a file too." });
const adminKey = text("adminKey", "key", {
  ...{ pattern: /^[\x21-\x7e]{1,256}$/, fault: "is no usable key", allowed: "visible ASCII characters", fallback: null },
  help: "The operators' key, where one is configured; better given as the variable DOORBUSTER_ADMIN_KEY.",
});

export const DECISION_OPTIONS: readonly Setting<unknown>[] = [url, action, until, note, accounts, adminKey];

export interface DecisionTask {
  readonly verb: "import" | "list" | "add" | "remove" | "allow";
  /** A file, or a value; empty for a list. */
  readonly value: string;
  readonly url: string;
  readonly action: Action;
  readonly durationSeconds: number | null;
  readonly note: string;
  readonly areAccounts: boolean;
  readonly adminKey: string | null;
}

/** @param flags by option name, as the command line has them. @param keyOfEnvironment what `DOORBUSTER_ADMIN_KEY` says */
export function readDecisionTask(
  given: readonly string[],
  flags: Readonly<Record<string, unknown>>,
  keyOfEnvironment: string | undefined,
): { readonly task: DecisionTask } | { readonly error: string } {
  const [verb, value = "", ...rest] = given;
  const isKnown = verb === "import" || verb === "list" || verb === "add" || verb === "remove" || verb === "allow";
  if (!isKnown || rest.length > 0 || (verb === "list") !== (value === ""))
    return { error: `decisions ${given.map((word) => JSON.stringify(word.slice(0, 60))).join(" ")}: give ${DECISION_VERBS}` };
  const read = new Map<Setting<unknown>, unknown>();
  for (const option of DECISION_OPTIONS) {
    const flag = flags[option.name] ?? (option === adminKey ? keyOfEnvironment : undefined);
    if (flag === undefined) continue;
    const parsed = option.parse(String(flag));
    const shown = option.kind === "key" ? "what was given" : JSON.stringify(String(flag).slice(0, 60));
    if ("fault" in parsed) return { error: `${flagOf(option)}: ${shown} ${parsed.fault}; give ${option.allowed}` };
    read.set(option, parsed.value);
  }
  const pick = <T>(option: Setting<T>): T => (read.has(option) ? (read.get(option) as T) : option.fallback);
  const durationMs = pick(until);
  return {
    task: {
      ...{ verb, value, url: pick(url), note: pick(note), areAccounts: pick(accounts), adminKey: pick(adminKey) },
      action: verb === "allow" ? "allow" : pick(action),
      durationSeconds: durationMs === null ? null : Math.round(durationMs / 1_000),
    },
  };
}

export interface DecisionIo {
  readonly say: (line: string) => void;
  readonly complain: (line: string) => void;
  readonly readFile: (path: string) => Promise<string>;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
}

/** The exit code: 0 done, 1 when something was refused or could not be reached, or when lines of a list were bad. */
export async function runDecisions(task: DecisionTask, io: DecisionIo): Promise<number> {
  switch (task.verb) {
    case "import":
      return importFile(task, io);
    case "list":
      return listAll(task, io);
    case "remove":
      return removeOne(task, io);
    default:
      return addOne(task, io);
  }
}

async function ask<T>({ url, adminKey }: DecisionTask, { fetch }: DecisionIo, method: string, path: string, body?: string): Promise<T> {
  const headers = { "content-type": "application/json", ...(adminKey !== null && { authorization: `Bearer ${adminKey}` }) };
  const response = await fetch(url + path, { method, headers, ...(body !== undefined && { body }) }).catch((cause: unknown) => {
    throw new Error(`${url} cannot be reached (${cause instanceof Error ? cause.message : String(cause)}); is the SafeProtector there?`);
  });
  const answered = (await response.json()) as T & { readonly detail?: string; readonly errors?: readonly { readonly detail: string }[] };
  if (response.ok) return answered;
  const errors = (answered.errors ?? []).map(({ detail }) => detail).join("; ");
  throw new Error(`${answered.detail ?? response.status}${errors === "" ? "" : ` (${errors})`}`);
}

interface Imported {
  readonly added: number;
  readonly replaced: number;
  readonly kept: number;
  readonly bad: number;
  readonly badLines: readonly { readonly line: number; readonly detail: string }[];
}

async function importFile(task: DecisionTask, io: DecisionIo): Promise<number> {
  const content = await io.readFile(task.value);
  const query = new URLSearchParams({ action: task.action, ...(task.note !== "" && { note: task.note }) });
  if (task.durationSeconds !== null) query.set("durationSeconds", String(task.durationSeconds));
  if (task.areAccounts) query.set("accounts", "true");
  const sum = { lines: 0, added: 0, replaced: 0, kept: 0, bad: 0 };
  for (const part of partsOf(content)) {
    const imported = await ask<Imported>(task, io, "POST", `/decisions/import?${query}`, part.text);
    for (const { line, detail } of imported.badLines.slice(0, BAD_LINES_TOLD - Math.min(sum.bad, BAD_LINES_TOLD)))
      io.complain(`line ${sum.lines + line} ${detail}`);
    sum.lines += part.lines;
    for (const figure of ["added", "replaced", "kept", "bad"] as const) sum[figure] += imported[figure];
    io.say(`${sum.lines} lines: ${sum.added} added, ${sum.replaced} replaced, ${sum.kept} kept as operators decided, ${sum.bad} bad`);
  }
  if (sum.bad > BAD_LINES_TOLD) io.complain(`and ${sum.bad - BAD_LINES_TOLD} more bad lines`);
  return sum.bad > 0 ? 1 : 0;
}

/** A text in parts of whole lines. */
function* partsOf(content: string): Generator<{ readonly text: string; readonly lines: number }> {
  for (let from = 0; from < content.length; ) {
    let to = from;
    let lines = 0;
    for (; lines < LINES_PER_PART && to < content.length && to - from < CHARS_PER_PART; lines += 1) {
      const end = content.indexOf("\n", to);
      to = end < 0 ? content.length : end + 1;
    }
    yield { text: content.slice(from, to), lines };
    from = to;
  }
}

interface Shown {
  readonly scope: string;
  readonly value: string;
  readonly action: string;
  readonly until: number | null;
  readonly scenario: string | null;
  readonly origin: string;
  readonly note: string;
}

const described = ({ scope, value, action, until, scenario, origin, note }: Shown): string =>
  [action, scope, value, until === null ? "until removed" : `until ${new Date(until).toISOString()}`, scenario ?? origin, note]
    .join("  ")
    .trimEnd();

async function listAll(task: DecisionTask, io: DecisionIo): Promise<number> {
  for (let after: string | null = ""; after !== null; ) {
    const query: URLSearchParams = new URLSearchParams({
      action: task.action,
      limit: String(ROWS_PER_PAGE),
      ...(after !== "" && { after }),
    });
    const page: { readonly decisions: readonly Shown[]; readonly next: string | null } = await ask(task, io, "GET", `/decisions?${query}`);
    for (const decision of page.decisions) io.say(described(decision));
    after = page.next;
  }
  return 0;
}

/** What a value is, unless it is said: an address or a network if it looks like one. */
function scopeOf({ value, areAccounts }: DecisionTask): "account" | "network" | "address" {
  if (areAccounts) return "account";
  if (parseCidrRange(value) !== null) return "network";
  return parseIpAddress(value) === null ? "account" : "address";
}

async function addOne(task: DecisionTask, io: DecisionIo): Promise<number> {
  const { value, action, note, durationSeconds } = task;
  if (!isId(value)) throw new Error(`${JSON.stringify(value.slice(0, 60))} is no address, no CIDR range and no user id`);
  const body = { scope: scopeOf(task), value, action, note, ...(durationSeconds !== null && { durationSeconds }) };
  io.say(described(await ask<Shown>(task, io, "POST", "/decisions", JSON.stringify(body))));
  return 0;
}

async function removeOne(task: DecisionTask, io: DecisionIo): Promise<number> {
  const path = `/decisions/scope/${scopeOf(task)}/value/${encodeURIComponent(task.value)}?action=${task.action}`;
  const { removed } = await ask<{ readonly removed: boolean }>(task, io, "DELETE", path);
  io.say(removed ? "removed" : "there was none in force");
  return removed ? 0 : 1;
}

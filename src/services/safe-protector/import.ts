/**
 * Takes a list of addresses, networks or accounts over, as many lines as there are. A line that is none is named and passed over. What an operator
 * has decided about a value by hand is kept; what was learned about it, or imported before, is replaced. It is done in pieces, in order: a store
 * on disk keeps neighbours together, and in any other order each piece would write nearly all of it. After a crash a part of the list is there,
 * and importing it again ends in the same.
 */
import { Failure } from "../../core/failure.ts";
import type { UnixMs } from "../../core/time.ts";
import {
  IMPORT_BAD_LINES_NAMED,
  IMPORT_LINES_PER_CHANGE,
  IMPORT_LINES_PER_READ,
  IMPORT_TURNS_BETWEEN_PIECES,
  IMPORTS_UNDER_WAY_MAX,
} from "../../limits/decisions.ts";
import { DECISIONS_MAX } from "../../limits.ts";
import { type Decision, type DecisionAction, keyOf, scopeOfAddress } from "./decision.ts";
import type { Decisions } from "./decisions.ts";
import { type BadLine, ImportLines } from "./import-lines.ts";
import type { Ipv4List } from "./ipv4-list.ts";
import { sortedPieces } from "./sorted-pieces.ts";
import type { StandingDecisions } from "./standing.ts";

export interface ImportTerms {
  readonly areAccounts: boolean;
  readonly action: DecisionAction;
  readonly durationSeconds: number | undefined;
  readonly note: string;
}

export interface Imported {
  readonly lines: number;
  /** Values about which there was nothing. */
  readonly added: number;
  readonly replaced: number;
  /** Values about which an operator had decided. */
  readonly kept: number;
  readonly bad: number;
  /** The first of them. */
  readonly badLines: readonly BadLine[];
}

/** `nothing-good`: no line says anything, and so nothing was done. `full`: there is no room for so many, and nothing was done. */
export type ImportOutcome =
  | { readonly kind: "imported"; readonly imported: Imported }
  | { readonly kind: "nothing-good"; readonly imported: Imported }
  | { readonly kind: "full" };

export class Importer {
  readonly #decisions: Decisions;
  readonly #collectGarbage: () => void;
  #underWay = 0;

  /** @param collectGarbage called after each import, which leaves more of it than anything else */
  constructor(decisions: Decisions, collectGarbage: () => void) {
    this.#decisions = decisions;
    this.#collectGarbage = collectGarbage;
  }

  /** @throws Failure when another import is under way, or when the store cannot be reached: a part is imported then */
  async take(text: string, terms: ImportTerms, now: UnixMs): Promise<ImportOutcome> {
    if (this.#underWay >= IMPORTS_UNDER_WAY_MAX)
      throw new Failure("overloaded", "another import is under way; try again when it is done", true);
    this.#underWay += 1;
    try {
      return await this.#takeAll(text, terms, now);
    } finally {
      this.#underWay -= 1;
      this.#collectGarbage();
    }
  }

  async #takeAll(text: string, terms: ImportTerms, now: UnixMs): Promise<ImportOutcome> {
    const list = await readAll(text, terms.areAccounts, DECISIONS_MAX - this.#decisions.table.view.size);
    if (list === null) return { kind: "full" };
    const { values, ipv4, ...read } = list;
    const sum = { added: 0, replaced: 0, kept: 0 };
    if (values.length + ipv4.length === 0) return { kind: read.bad > 0 ? "nothing-good" : "imported", imported: { ...read, ...sum } };
    const decided = decisionsOf(terms, now);
    for await (const piece of piecesOf(list)) {
      await pause();
      const made = piece.map(decided);
      const { added, replaced, kept } = await this.#decisions.table.change((standing) => take(standing, made, now));
      sum.added += added;
      sum.replaced += replaced;
      sum.kept += kept;
    }
    return { kind: "imported", imported: { ...read, ...sum } };
  }
}

/** @param room how many values there may be; `null`: there are more */
async function readAll(text: string, areAccounts: boolean, room: number) {
  const lines = new ImportLines(text, areAccounts);
  const values: string[] = [];
  const badLines: BadLine[] = [];
  let bad = 0;
  for (let piece = lines.next(IMPORT_LINES_PER_READ); piece !== null; piece = lines.next(IMPORT_LINES_PER_READ)) {
    for (const value of piece.values) values.push(value);
    if (values.length + lines.ipv4.length > room) return null;
    badLines.push(...piece.bad.slice(0, IMPORT_BAD_LINES_NAMED - badLines.length));
    bad += piece.bad.length;
    await pause();
  }
  return { values, ipv4: lines.ipv4, lines: lines.line, bad, badLines };
}

/** Addresses of IPv4 first, then all else, both in order. */
async function* piecesOf({
  ipv4,
  values,
}: {
  readonly ipv4: Ipv4List;
  readonly values: readonly string[];
}): AsyncGenerator<readonly string[]> {
  await ipv4.sort(pause);
  for (let from = 0; from < ipv4.length; from += IMPORT_LINES_PER_CHANGE) yield ipv4.texts(from, IMPORT_LINES_PER_CHANGE);
  yield* sortedPieces(values, IMPORT_LINES_PER_CHANGE, pause);
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Everybody else has turns. */
async function pause(): Promise<void> {
  for (let turn = 0; turn < IMPORT_TURNS_BETWEEN_PIECES; turn += 1) await nextTurn();
}

const decisionsOf = ({ areAccounts, action, durationSeconds, note }: ImportTerms, now: UnixMs) => {
  const until = durationSeconds === undefined ? null : now + durationSeconds * 1_000;
  return (value: string): Decision => ({
    scope: areAccounts ? "account" : scopeOfAddress(value),
    value,
    action,
    since: now,
    until,
    scenario: null,
    origin: "import",
    note,
    offences: 0,
    evidence: null,
  });
};

/** One piece of a list, in order, decided on what stands. */
function take(standing: StandingDecisions, made: readonly Decision[], now: UnixMs) {
  const reply = { added: 0, replaced: 0, kept: 0 };
  const changes: { readonly put: Decision }[] = [];
  let lineBefore: string | null = null;
  for (const decision of made) {
    const about = standing.about(keyOf(decision), now);
    if (about === "operator") reply.kept += 1;
    else {
      // The second line of a value replaces what the first has made.
      reply[about === "nothing" && decision.value !== lineBefore ? "added" : "replaced"] += 1;
      changes.push({ put: decision });
    }
    lineBefore = decision.value;
  }
  return { reply, changes, events: [] };
}

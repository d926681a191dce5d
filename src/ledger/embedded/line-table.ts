/**
 * All lines of the embedded ledger, one for what a user has of a SKU, as columns of numbers in pages. A million holds are then a few thousand
 * arrays for the garbage collector and not millions of objects: a map of that size would be looked through again and again while it grows,
 * and every purchase would pay for it (the benchmark's rows "memory per live hold" and "at scale").
 *
 * A user's lines hang together as a list, newest first; `UserIndex` finds the first. A user has few (`LINES_PER_USER_MAX`).
 */
import type { UserId } from "../../core/ids.ts";
import type { UnixMs } from "../../core/time.ts";
import type { Line } from "../ledger.ts";
import { UserIndex } from "./user-index.ts";

/** The number of a line; it is used again when the line is removed. */
export type LineId = number;
export const NO_LINE: LineId = -1;

const PAGE_BITS = 12;
const PAGE_LINES = 1 << PAGE_BITS;
const PAGE_MASK = PAGE_LINES - 1;
const NO_LEVEL = -1;
/** No user has this id. */
const NOBODY = "" as UserId;

class Page {
  readonly held = new Uint32Array(PAGE_LINES);
  readonly heldUntil = new Float64Array(PAGE_LINES);
  readonly pending = new Uint32Array(PAGE_LINES);
  // May pass 2^32 over many restocks.
  readonly ordered = new Float64Array(PAGE_LINES);
  readonly userLevel = new Int32Array(PAGE_LINES);
  readonly shelf = new Uint32Array(PAGE_LINES);
  readonly next = new Int32Array(PAGE_LINES);
  readonly heapIndex = new Int32Array(PAGE_LINES);
  readonly rowId = new Float64Array(PAGE_LINES);
  readonly userHash = new Uint32Array(PAGE_LINES);
  readonly userIds: UserId[] = new Array<UserId>(PAGE_LINES);
}

export class LineTable {
  readonly #pages: Page[] = [];
  readonly #free: LineId[] = [];
  readonly #hashOf: (text: string) => number;
  readonly #index = new UserIndex((line) => this.#page(line).userHash[line & PAGE_MASK] as number);
  #used = 0;
  #hashedUser: UserId = NOBODY;
  #userHash = 0;

  constructor(hashOf: (text: string) => number) {
    this.#hashOf = hashOf;
  }

  get users(): number {
    return this.#index.size;
  }

  /** The user's newest line, or `NO_LINE`. */
  firstOf(userId: UserId): LineId {
    return this.#index.find(this.#hash(userId), (line) => this.userOf(line) === userId);
  }

  /** A purchase looks its user up more than once, and hashing is the dear part. */
  #hash(userId: UserId): number {
    if (userId !== this.#hashedUser) {
      this.#hashedUser = userId;
      this.#userHash = this.#hashOf(userId);
    }
    return this.#userHash;
  }

  nextOf(line: LineId): LineId {
    return this.#page(line).next[line & PAGE_MASK] as LineId;
  }

  /** An empty line, the first of its user's list. */
  add(userId: UserId, shelf: number): LineId {
    const first = this.firstOf(userId);
    const line = this.#free.pop() ?? this.#used++;
    if (line >> PAGE_BITS === this.#pages.length) this.#pages.push(new Page());
    const page = this.#page(line);
    const at = line & PAGE_MASK;
    page.shelf[at] = shelf;
    page.next[at] = first;
    page.heapIndex[at] = -1;
    page.rowId[at] = 0;
    page.held[at] = page.pending[at] = page.ordered[at] = page.heldUntil[at] = 0;
    page.userLevel[at] = NO_LEVEL;
    // A user's lines share one string, and one hash.
    page.userIds[at] = first === NO_LINE ? userId : this.userOf(first);
    const hash = first === NO_LINE ? this.#hash(userId) : (this.#page(first).userHash[first & PAGE_MASK] as number);
    page.userHash[at] = hash;
    if (first === NO_LINE) this.#index.add(hash, line);
    else this.#index.replace(hash, first, line);
    return line;
  }

  remove(line: LineId): void {
    const page = this.#page(line);
    const at = line & PAGE_MASK;
    const userId = page.userIds[at] as UserId;
    const hash = page.userHash[at] as number;
    const next = page.next[at] as LineId;
    const first = this.firstOf(userId);
    if (first === line) {
      if (next === NO_LINE) this.#index.remove(hash, line);
      else this.#index.replace(hash, line, next);
    } else {
      let before = first;
      while (this.nextOf(before) !== line) before = this.nextOf(before);
      this.#page(before).next[before & PAGE_MASK] = next;
    }
    page.userIds[at] = NOBODY;
    this.#free.push(line);
  }

  /** Whether the number stands for no line at present. */
  isFree(line: LineId): boolean {
    return this.userOf(line) === NOBODY;
  }

  userOf(line: LineId): UserId {
    return this.#page(line).userIds[line & PAGE_MASK] as UserId;
  }
  shelfOf(line: LineId): number {
    return this.#page(line).shelf[line & PAGE_MASK] as number;
  }
  heldOf(line: LineId): number {
    return this.#page(line).held[line & PAGE_MASK] as number;
  }
  rowIdOf(line: LineId): number {
    return this.#page(line).rowId[line & PAGE_MASK] as number;
  }
  setRowId(line: LineId, rowId: number): void {
    this.#page(line).rowId[line & PAGE_MASK] = rowId;
  }
  /** Where the line's hold stands in its SKU's heap of deadlines; -1 when in none. */
  heapIndexOf(line: LineId): number {
    return this.#page(line).heapIndex[line & PAGE_MASK] as number;
  }
  setHeapIndex(line: LineId, index: number): void {
    this.#page(line).heapIndex[line & PAGE_MASK] = index;
  }

  /** The line as a value. */
  lineOf(line: LineId): Line {
    const page = this.#page(line);
    const at = line & PAGE_MASK;
    const level = page.userLevel[at] as number;
    return {
      held: page.held[at] as number,
      heldUntil: page.heldUntil[at] as UnixMs,
      pending: page.pending[at] as number,
      ordered: page.ordered[at] as number,
      userLevel: level === NO_LEVEL ? null : level,
    };
  }

  /** Ends the line's hold, as its deadline does, and returns what that frees. In place: 100,000 holds can end at once. */
  endHold(line: LineId): number {
    const page = this.#page(line);
    const at = line & PAGE_MASK;
    const held = page.held[at] as number;
    page.held[at] = 0;
    page.heldUntil[at] = 0;
    return held;
  }

  setLine(line: LineId, value: Line): void {
    const page = this.#page(line);
    const at = line & PAGE_MASK;
    page.held[at] = value.held;
    page.heldUntil[at] = value.heldUntil;
    page.pending[at] = value.pending;
    page.ordered[at] = value.ordered;
    page.userLevel[at] = value.userLevel ?? NO_LEVEL;
  }

  #page(line: LineId): Page {
    return this.#pages[line >> PAGE_BITS] as Page;
  }
}

/**
 * The lines of an imported list. One address or network on each, or one user id when accounts are imported. Of addresses, what stands behind `#` or
 * `;` is a comment, as public lists have it; empty lines are passed over.
 */
import { isId } from "../../core/ids.ts";
import { ipv4Bits, parseCidrRange, parseIpAddress } from "../../core/ip-address.ts";

export interface BadLine {
  /** The first line is 1. */
  readonly line: number;
  readonly detail: string;
}

export interface Piece {
  /** In canonical form. */
  readonly values: readonly string[];
  readonly bad: readonly BadLine[];
}

/** `""`: the line says nothing; `null`: it is bad. */
type Parsed = string | null;

/** Reads a text piece by piece, so that nobody waits for all of it. */
export class ImportLines {
  readonly #text: string;
  readonly #parse: (line: string) => Parsed;
  readonly #detail: string;
  #at = 0;
  #line = 0;

  constructor(text: string, areAccounts: boolean) {
    // A byte order mark belongs to the file, not to its first line.
    this.#text = text.startsWith("\ufeff") ? text.slice(1) : text;
    this.#parse = areAccounts ? parseAccount : parseAddress;
    this.#detail = areAccounts ? "is no user id" : "is no IPv4 or IPv6 address and no CIDR range";
  }

  /** Lines read so far. */
  get line(): number {
    return this.#line;
  }

  /** The values of some of the next lines, up to `limit` values; `null` at the end. */
  next(limit: number): Piece | null {
    if (this.#at >= this.#text.length) return null;
    const values: string[] = [];
    const bad: BadLine[] = [];
    for (let lines = 0; lines < limit && this.#at < this.#text.length; lines += 1) {
      const end = this.#text.indexOf("\n", this.#at);
      const line = this.#text.slice(this.#at, end < 0 ? this.#text.length : end);
      this.#at = end < 0 ? this.#text.length : end + 1;
      this.#line += 1;
      const parsed = this.#parse(line);
      if (parsed === null) bad.push({ line: this.#line, detail: this.#detail });
      else if (parsed !== "") values.push(parsed);
    }
    return { values, bad };
  }
}

function parseAddress(line: string): Parsed {
  // Nearly every line is this and nothing else.
  if (ipv4Bits(line) !== null) return line;
  const comment = line.search(/[#;]/);
  const text = (comment < 0 ? line : line.slice(0, comment)).trim();
  if (text === "") return "";
  return text.includes("/") ? (parseCidrRange(text)?.text ?? null) : parseIpAddress(text);
}

function parseAccount(line: string): Parsed {
  const text = line.trim();
  if (text === "") return "";
  return isId(text) && !text.includes("\ufffd") ? text : null;
}

/**
 * The lines of an imported list. One address or network on each, or one user id when accounts are imported. Of addresses, what stands behind `#` or
 * `;` is a comment, as public lists have it; empty lines are passed over.
 */
import { isId } from "../../core/ids.ts";
import { ipv4Bits, ipv4BitsAt, parseCidrRange, parseIpAddress } from "../../core/ip-address.ts";
import { Ipv4List } from "./ipv4-list.ts";

export interface BadLine {
  /** The first line is 1. */
  readonly line: number;
  readonly detail: string;
}

export interface Piece {
  /** What is no address of IPv4, in canonical form. */
  readonly values: readonly string[];
  readonly bad: readonly BadLine[];
}

/** `""`: the line says nothing; `null`: it is bad. */
type Parsed = string | null;

const CARRIAGE_RETURN = 13;

/** Reads a text piece by piece, so that nobody waits for all of it. */
export class ImportLines {
  /** The addresses of IPv4 that were read. */
  readonly ipv4 = new Ipv4List();
  readonly #areAccounts: boolean;
  readonly #text: string;
  readonly #parse: (line: string) => Parsed;
  readonly #detail: string;
  #at = 0;
  #line = 0;

  constructor(text: string, areAccounts: boolean) {
    // A byte order mark belongs to the file, not to its first line.
    this.#areAccounts = areAccounts;
    this.#text = text.startsWith("\ufeff") ? text.slice(1) : text;
    this.#parse = areAccounts ? parseAccount : parseAddress;
    this.#detail = areAccounts ? "is no user id" : "is no IPv4 or IPv6 address and no CIDR range";
  }

  /** Lines read so far. */
  get line(): number {
    return this.#line;
  }

  /** The values of some of the next lines, up to `limit` values; `null` at the end. Addresses of IPv4 go to `ipv4`. */
  next(limit: number): Piece | null {
    if (this.#at >= this.#text.length) return null;
    const values: string[] = [];
    const bad: BadLine[] = [];
    for (let lines = 0; lines < limit && this.#at < this.#text.length; lines += 1) {
      const found = this.#text.indexOf("\n", this.#at);
      const start = this.#at;
      let end = found < 0 ? this.#text.length : found;
      this.#at = end + 1;
      if (end > start && this.#text.charCodeAt(end - 1) === CARRIAGE_RETURN) end -= 1;
      this.#line += 1;
      // Nearly every line of addresses is this and nothing else, and then no text is made of it.
      const bits = this.#areAccounts ? null : ipv4BitsAt(this.#text, start, end);
      if (bits !== null) {
        this.ipv4.add(bits);
        continue;
      }
      const line = this.#text.slice(start, end);
      const parsed = this.#parse(line);
      const within = this.#areAccounts || parsed === null ? null : ipv4Bits(parsed);
      if (parsed === null) bad.push({ line: this.#line, detail: this.#detail });
      else if (within !== null) this.ipv4.add(within);
      else if (parsed !== "") values.push(parsed);
    }
    return { values, bad };
  }
}

function parseAddress(line: string): Parsed {
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

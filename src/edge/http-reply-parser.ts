/**
 * Reads one HTTP/1.1 reply from the pieces in which it arrives (RFC 9112). Made for a load generator: a reply that comes whole in one piece
 * costs one search and one short string, and everything that is not needed to find its end is left unread.
 */

export interface ParsedReply {
  readonly status: number;
  /** Status line and header lines as they came, for whoever wants to look one up. */
  readonly head: string;
  readonly body: string;
  /** Whether the connection can carry another request. */
  readonly keepsAlive: boolean;
}

/** `incomplete`: more bytes are needed. `broken`: this is no HTTP/1.1 reply, or there are bytes after its end. */
export type Parsed = ParsedReply | "incomplete" | "broken";

const END_OF_HEAD = "\r\n\r\n";
/** A head longer than this is not one of ours. */
const HEAD_BYTES_MAX = 16 * 1024;
/** A reply longer than this is not one that a load generator asks for. */
const REPLY_BYTES_MAX = 64 * 1024 * 1024;

export class HttpReplyParser {
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  /** Below this many bytes the reply cannot be whole, so that a long one is not searched again for every piece of it. */
  #bytesNeeded = 0;

  push(piece: Uint8Array): Parsed {
    if (this.#bytes === 0) return this.#read(asBuffer(piece), false);
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes > REPLY_BYTES_MAX) return "broken";
    return this.#bytes < this.#bytesNeeded ? "incomplete" : this.#read(Buffer.concat(this.#pieces), false);
  }

  /** The peer has closed: a reply without a length ends here. */
  end(): Parsed {
    return this.#bytes === 0 ? "incomplete" : this.#read(Buffer.concat(this.#pieces), true);
  }

  reset(): void {
    if (this.#bytes === 0) return;
    this.#pieces = [];
    this.#bytes = 0;
    this.#bytesNeeded = 0;
  }

  #read(bytes: Buffer, ended: boolean): Parsed {
    const read = readReply(bytes, ended);
    if (typeof read === "number") {
      // Copied, because the socket may reuse the memory of a piece after its callback.
      this.#pieces = [new Uint8Array(bytes)];
      this.#bytes = bytes.length;
      this.#bytesNeeded = read;
      return "incomplete";
    }
    this.reset();
    return read;
  }
}

const asBuffer = (piece: Uint8Array): Buffer =>
  piece instanceof Buffer ? piece : Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);

/** The reply, `broken`, or how many bytes it takes at least. */
function readReply(bytes: Buffer, ended: boolean): ParsedReply | "broken" | number {
  const headBytes = bytes.indexOf(END_OF_HEAD);
  if (headBytes < 0) return bytes.length > HEAD_BYTES_MAX ? "broken" : bytes.length + 1;
  const head = bytes.toString("latin1", 0, headBytes);
  const status = Number(/^HTTP\/1\.[01] ([1-5]\d\d)/.exec(head)?.[1] ?? 0);
  if (status === 0) return "broken";
  const bodyAt = headBytes + END_OF_HEAD.length;
  // An interim reply (100 Continue, 103 Early Hints) announces the real one.
  if (status < 200) return readReply(bytes.subarray(bodyAt), ended);
  const keepsAlive = !/\r\nconnection: *close/i.test(head);
  if (status === 204 || status === 304) return bytes.length > bodyAt ? "broken" : { status, head, body: "", keepsAlive };
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) {
    const chunks = readChunks(bytes, bodyAt);
    return typeof chunks === "string"
      ? { status, head, body: chunks, keepsAlive }
      : chunks.kind === "broken"
        ? "broken"
        : chunks.bytesNeeded;
  }
  const length = /\r\ncontent-length: *(\d{1,15})(?:\r\n|$)/i.exec(head)?.[1];
  if (length === undefined) return ended ? { status, head, body: bytes.toString("utf8", bodyAt), keepsAlive: false } : bytes.length + 1;
  const end = bodyAt + Number(length);
  if (bytes.length < end) return end;
  return bytes.length > end ? "broken" : { status, head, body: bytes.toString("utf8", bodyAt, end), keepsAlive };
}

/** The text of a chunked body (RFC 9112, 7.1). Trailers are skipped. */
function readChunks(
  bytes: Buffer,
  bodyAt: number,
): string | { readonly kind: "broken" } | { readonly kind: "incomplete"; readonly bytesNeeded: number } {
  const chunks: Buffer[] = [];
  let at = bodyAt;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    if (lineEnd < 0) return { kind: "incomplete", bytesNeeded: bytes.length + 1 };
    const digits = /^([0-9a-fA-F]{1,8})(?:;|$)/.exec(bytes.toString("latin1", at, lineEnd).trimEnd())?.[1];
    if (digits === undefined) return { kind: "broken" };
    const size = Number.parseInt(digits, 16);
    if (size === 0) {
      const done = bytes.length >= lineEnd + 4 && (bytes[lineEnd + 2] === 13 || bytes.indexOf(END_OF_HEAD, lineEnd) >= 0);
      return done ? Buffer.concat(chunks).toString("utf8") : { kind: "incomplete", bytesNeeded: bytes.length + 1 };
    }
    const end = lineEnd + 2 + size;
    if (bytes.length < end + 2) return { kind: "incomplete", bytesNeeded: end + 2 };
    chunks.push(bytes.subarray(lineEnd + 2, end));
    at = end + 2;
  }
}

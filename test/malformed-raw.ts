/**
 * What an HTTP client library refuses to send: bytes that are no HTTP request, or one that two readers could understand differently, and
 * requests that end before they are complete.
 */
import fc from "fast-check";

export interface RawRequest {
  readonly fault: string;
  readonly bytes: Uint8Array;
  /** Whether the server has all it could wait for, and so has to answer or to close. */
  readonly isComplete: boolean;
}

const latin1 = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

/** @param body goes out as it is; its length is announced unless `headers` say something about it */
function requestText(requestLine: string, headers: readonly string[], body: string): string {
  const framing = headers.some((line) => /^(content-length|transfer-encoding)/i.test(line)) ? [] : [`Content-Length: ${body.length}`];
  return `${[requestLine, "Host: localhost", "Content-Type: application/json", ...framing, ...headers].join("\r\n")}\r\n\r\n${body}`;
}

/** A purchase that would go through if a reader made a request out of what surrounds it. */
const goodBody = (sku: string): string =>
  JSON.stringify({ clientIP: "192.0.2.1", userID: "raw", userLevel: 5, goodsSKU: sku, goodsQuantity: 1 });
/** One that does not, for faults that a lenient reader may overlook without harm. */
const HARMLESS_BODY = goodBody("no-such-goods");

/** Faults about where a request ends: whoever overlooks one can be made to see requests that nobody sent. */
export function framingFaults(sku: string): RawRequest[] {
  const body = goodBody(sku);
  const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
  const headers: readonly (readonly [string, readonly string[], string])[] = [
    ["negative length", ["Content-Length: -1"], body],
    ["length of letters", ["Content-Length: abc"], body],
    ["signed length", [`Content-Length: +${body.length}`], body],
    ["hexadecimal length", [`Content-Length: 0x${body.length.toString(16)}`], body],
    ["two lengths", [`Content-Length: ${body.length}`, "Content-Length: 3"], body],
    ["list of lengths", [`Content-Length: ${body.length}, 3`], body],
    ["length beyond all numbers", [`Content-Length: ${"9".repeat(30)}`], body],
    ["length and chunks", [`Content-Length: ${body.length}`, "Transfer-Encoding: chunked"], chunked],
    ["chunks and length", ["Transfer-Encoding: chunked", "Content-Length: 3"], chunked],
    ["bad chunk size", ["Transfer-Encoding: chunked"], chunked.replace(/^\w+/, "zz")],
    ["negative chunk size", ["Transfer-Encoding: chunked"], `-${chunked}`],
    ["endless chunk size", ["Transfer-Encoding: chunked"], "f".repeat(40) + chunked],
  ];
  return headers.map(([fault, lines, text]) => ({
    fault,
    bytes: latin1(requestText("POST /buy HTTP/1.1", lines, text)),
    isComplete: true,
  }));
}

/** Faults of the request line and of headers. */
export function headFaults(): RawRequest[] {
  const requestLines = [
    "POST /buy",
    "POST",
    "",
    "POST  /buy HTTP/1.1",
    "POST buy HTTP/1.1",
    "post /buy HTTP/1.1",
    "POST /buy HTTP/9.9",
    "POST /buy HTTP/1.1 x",
    "POST /buy FTP/1.1",
    "POST /b\u0000uy HTTP/1.1",
    "POST /b uy HTTP/1.1",
    "POST /b\u0001uy HTTP/1.1",
    "POST /\u00e5\u0095\u0086 HTTP/1.1",
    "POST //buy HTTP/1.1",
    "POST /../../buy HTTP/1.1",
    "POST * HTTP/1.1",
    "POST http:// HTTP/1.1",
    "POST http://[::1/buy HTTP/1.1",
    "POST ?x HTTP/1.1",
    "CONNECT example.org:443 HTTP/1.1",
    "TRACE /buy HTTP/1.1",
    "BREW /buy HTTP/1.1",
    "P\u00d6ST /buy HTTP/1.1",
    "POST /health HTTP/1.1",
    `POST /${"x".repeat(20_000)} HTTP/1.1`,
    `POST /buy?${"x=1&".repeat(5_000)} HTTP/1.1`,
  ];
  const headerLines = [
    "X-Nul: a\u0000b",
    "X-Control: a\u0001b",
    "X-Delete: a\u007fb",
    "X Space: 1",
    "X-Space : 1",
    ": no name",
    "no colon",
    "\u00e9: latin",
    " folded",
    "Host: another",
    "Content-Type: text/plain",
    "Content-Encoding: gzip",
    "Idempotency-Key: \u00ff\u0080",
    "Idempotency-Key: a\u0001b",
    "Accept-Language: ,;q=,*;q=9;;zh-\u00ff",
    "Expect: 200-maybe",
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13",
    "Connection: \u0000",
    `X-Long: ${"x".repeat(100_000)}`,
    Array.from({ length: 500 }, (_, index) => `X-${index}: ${index}`).join("\r\n"),
  ];
  const complete = (fault: string, text: string): RawRequest => ({ fault, bytes: latin1(text), isComplete: false });
  return [
    ...requestLines.map((line) => complete(`request line ${line.slice(0, 40)}`, requestText(line, [], HARMLESS_BODY))),
    ...headerLines.map((line) => complete(`header ${line.slice(0, 40)}`, requestText("POST /buy HTTP/1.1", [line], HARMLESS_BODY))),
    complete("line feeds only", requestText("POST /buy HTTP/1.1", [], HARMLESS_BODY).replaceAll("\r", "")),
    complete("no host", requestText("POST /buy HTTP/1.1", [], HARMLESS_BODY).replace("Host: localhost\r\n", "")),
    complete("TLS", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003".padEnd(600, "\u00aa")),
    complete("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  ];
}

/** A good request, to show that those cut out of it fail for the cut alone. */
export function wholePurchase(sku: string): RawRequest {
  return { fault: "none", bytes: latin1(requestText("POST /buy HTTP/1.1", [], goodBody(sku))), isComplete: true };
}

/** Good requests that stop before their end. */
export function cutShort(sku: string): fc.Arbitrary<RawRequest> {
  const body = goodBody(sku);
  const whole = requestText("POST /buy HTTP/1.1", [], body);
  const chunked = requestText("POST /buy HTTP/1.1", ["Transfer-Encoding: chunked"], `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
  // The last two bytes of the chunked form end its trailer; a reader may do without them, so the cut comes before its last chunk.
  const lastCut = { whole: whole.length - 1, chunked: chunked.length - 6 };
  return fc.oneof(
    fc
      .integer({ min: 1, max: lastCut.whole })
      .map((length) => ({ fault: `cut after ${length} bytes`, bytes: latin1(whole.slice(0, length)), isComplete: false })),
    fc
      .integer({ min: 1, max: lastCut.chunked })
      .map((length) => ({ fault: `chunks cut after ${length} bytes`, bytes: latin1(chunked.slice(0, length)), isComplete: false })),
  );
}

export const noise: fc.Arbitrary<RawRequest> = fc
  .uint8Array({ minLength: 1, maxLength: 400 })
  .map((bytes) => ({ fault: "noise", bytes, isComplete: false }));

/** All that the server says until it has said a status, has closed, or - when it may wait for more of the request - for `waitMsMax`. */
export async function exchange(port: number, request: RawRequest, waitMsMax: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let heard = "";
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data: (_, chunk) => {
        heard += chunk.toString("latin1");
        if (/^HTTP\/1\.1 \d{3} /.test(heard)) resolve();
      },
      close: () => resolve(),
      error: () => resolve(),
    },
  });
  writeAll(socket, request.bytes);
  await (request.isComplete ? promise : Promise.race([promise, Bun.sleep(waitMsMax)]));
  socket.terminate();
  return heard;
}

/** What does not fit the kernel's buffer at once is left out: such a request is refused for its length long before. */
function writeAll(socket: Bun.Socket<undefined>, bytes: Uint8Array): void {
  socket.write(bytes);
  socket.flush();
}

/**
 * A wire between two processes that does what wires do: a TCP proxy which delays, cuts, swallows answers, swallows everything, or hands messages
 * over twice. What it does can be changed while connections stand.
 *
 * - `well`: everything passes, after `delayMs`.
 * - `no answers`: what is asked arrives; when it is answered, the connection is cut instead.
 * - `hole`: nothing passes in either direction, and nobody is told; new connections are taken and lead nowhere. A connection that was used in the
 *   hole leads nowhere afterwards either, as if the machine at its other end had gone.
 * - `twice`: every WebSocket message from the near side arrives two times.
 */
import { connect, createServer, type Server, type Socket } from "node:net";

export type Fault = "well" | "no answers" | "hole" | "twice";

/** A connection through the proxy. */
interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  readonly asked: Messages;
  isLost: boolean;
}

export class FlakyProxy {
  fault: Fault = "well";
  delayMs = 0;
  /** Towards each socket: how many pieces are on their way, and when the last of them has arrived. */
  readonly #underWay = new WeakMap<Socket, number>();
  readonly #last = new WeakMap<Socket, Promise<void>>();
  /** Connections taken so far. */
  taken = 0;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param targetUrl of HTTP, or of a store: then there are no messages that could arrive twice */
  static async open(targetUrl: string): Promise<FlakyProxy> {
    const { hostname, port, protocol } = new URL(targetUrl);
    const isHttp = protocol === "http:";
    const proxy: FlakyProxy = new FlakyProxy(createServer((near) => proxy.#take(near, connect(Number(port), hostname), isHttp)));
    const opened = Promise.withResolvers<void>();
    proxy.#server.listen(0, "127.0.0.1", opened.resolve);
    await opened.promise;
    return proxy;
  }

  get url(): string {
    return this.inPlaceOf("http://127.0.0.1");
  }
  /** The same URL, but through here. */
  inPlaceOf(targetUrl: string): string {
    const url = new URL(targetUrl);
    url.host = `127.0.0.1:${(this.#server.address() as { readonly port: number }).port}`;
    return url.href.replace(/\/$/, "");
  }

  /** Cuts what stands now. */
  cut(): void {
    for (const pair of this.#pairs) this.#end(pair);
  }

  stop(): void {
    this.cut();
    this.#server.close();
  }

  #take(near: Socket, far: Socket, isHttp: boolean): void {
    const pair: Pair = { near, far, asked: new Messages(isHttp), isLost: false };
    this.taken += 1;
    this.#pairs.add(pair);
    near.on("data", (bytes: Buffer) => this.#pass(pair, far, pair.asked.pieces(bytes, this.fault === "twice")));
    far.on("data", (bytes: Buffer) => (this.fault === "no answers" ? this.#end(pair) : this.#pass(pair, near, bytes)));
    for (const socket of [near, far]) {
      socket.setNoDelay(true);
      socket.on("error", () => this.#end(pair));
      // What came before the end is on its way.
      socket.on("close", () => setTimeout(() => this.#end(pair), this.delayMs));
    }
  }

  #pass(pair: Pair, to: Socket, bytes: Buffer): void {
    if (this.fault === "hole") pair.isLost = true;
    if (pair.isLost || bytes.length === 0) return;
    // A wire that becomes faster does not let what comes later overtake what is on its way.
    const underWay = this.#underWay.get(to) ?? 0;
    if (this.delayMs === 0 && underWay === 0) {
      to.write(bytes);
      return;
    }
    this.#underWay.set(to, underWay + 1);
    const before = this.#last.get(to) ?? Promise.resolve();
    const delayed = new Promise<void>((resolve) => setTimeout(resolve, this.delayMs));
    this.#last.set(
      to,
      Promise.all([before, delayed]).then(() => {
        to.write(bytes);
        this.#underWay.set(to, (this.#underWay.get(to) ?? 1) - 1);
      }),
    );
  }

  #end(pair: Pair): void {
    // Whoever is lost in the hole hears nothing, not even that it is over.
    if (!this.#pairs.delete(pair)) return;
    pair.near.destroy();
    pair.far.destroy();
  }
}

/** What one side sends, in whole messages once it has become a WebSocket. */
class Messages {
  #unread = Buffer.alloc(0);
  #isWebSocket: boolean | null;

  constructor(isHttp: boolean) {
    this.#isWebSocket = isHttp ? null : false;
  }

  pieces(bytes: Buffer, isTwice: boolean): Buffer {
    if (this.#isWebSocket === false) return bytes;
    this.#unread = Buffer.concat([this.#unread, bytes]);
    const whole: Buffer[] = [];
    for (let length = this.#nextLength(); length > 0 && length <= this.#unread.length; length = this.#nextLength()) {
      const piece = this.#unread.subarray(0, length);
      this.#unread = this.#unread.subarray(length);
      whole.push(piece);
      // The whole of a text or binary message, and no ping or close.
      const isMessage = this.#isWebSocket === true && [0x81, 0x82].includes(piece[0] as number);
      this.#isWebSocket ??= /\r\nupgrade: websocket\r\n/i.test(piece.toString("latin1"));
      if (isMessage && isTwice) whole.push(piece);
    }
    return Buffer.concat(whole);
  }

  /** Of a head of HTTP, of what follows one that asks for no WebSocket, or of a frame as clients send it, masked (RFC 6455, 5.2). 0: not known yet. */
  #nextLength(): number {
    const bytes = this.#unread;
    if (this.#isWebSocket === null) return bytes.indexOf("\r\n\r\n") + 4 > 3 ? bytes.indexOf("\r\n\r\n") + 4 : 0;
    if (!this.#isWebSocket) return bytes.length;
    const size = bytes.length < 2 ? null : (bytes[1] as number) & 0x7f;
    if (size === null) return 0;
    if (size < 126) return 6 + size;
    if (size === 126) return bytes.length < 4 ? 0 : 8 + bytes.readUInt16BE(2);
    return bytes.length < 10 ? 0 : 14 + Number(bytes.readBigUInt64BE(2));
  }
}

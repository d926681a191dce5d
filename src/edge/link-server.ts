/**
 * The far end of links' WebSockets: each frame is a request to one of this port's link routes, and is answered when that is.
 *
 * A connection that ends with `LINK_ENDED_WELL` has answered every frame that it has looked at, and will look at no other: what was sent and not
 * answered has not happened. Any other end leaves that open.
 */
import type { ServerWebSocket, WebSocketHandler } from "bun";
import type { HttpReply } from "../core/endpoint.ts";
import { LINK_BYTES_MAX, LINK_FRAMES_MAX } from "../limits/links.ts";
import type { RequestHandler } from "./request-handler.ts";

/** A number that grows with every frame of its connection, the path, and the text that came with it. */
const FRAME = /^(\d{1,15}) (\/link\/[a-z-]{1,64})\n/;
/** A policy of the protocol was not kept (RFC 6455, 7.4.1). */
const POLICY_VIOLATION = 1008;
/** A close code of our own: 4000 to 4999 are for that (RFC 6455, 7.4.2). */
export const LINK_ENDED_WELL = 4_000;

/** What is known of a connection. */
export interface LinkPeer {
  lastId: number;
}

export class LinkServer {
  readonly #handler: RequestHandler;
  readonly #open = new Set<ServerWebSocket<LinkPeer>>();
  #underWay = 0;
  #hasEnded = false;

  constructor(handler: RequestHandler) {
    this.#handler = handler;
  }

  /** Frames that wait for their answers. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Looks at no frame any more. To be called when none is under way. */
  end(): void {
    this.#hasEnded = true;
    for (const socket of this.#open) socket.close(LINK_ENDED_WELL, "this process is stopping");
  }

  readonly sockets: WebSocketHandler<LinkPeer> = {
    maxPayloadLength: LINK_BYTES_MAX,
    // Who does not read its answers is cut off; what it has asked for is done all the same.
    backpressureLimit: 2 * LINK_BYTES_MAX,
    closeOnBackpressureLimit: true,
    sendPings: true,
    open: (socket) => void this.#open.add(socket),
    close: (socket) => void this.#open.delete(socket),
    message: (socket, frame) => {
      if (!this.#hasEnded) void this.#take(socket, frame);
    },
  };

  async #take(socket: ServerWebSocket<LinkPeer>, frame: string | Buffer): Promise<void> {
    const head = typeof frame === "string" ? FRAME.exec(frame) : null;
    if (head === null || typeof frame !== "string") {
      socket.close(POLICY_VIOLATION, "a frame is ID PATH, a line break, and JSON");
      return;
    }
    const [{ length }, id, path] = [head[0], head[1], head[2] as string];
    // One that comes a second time, whoever has doubled it, is answered once.
    if (Number(id) <= socket.data.lastId) return;
    socket.data.lastId = Number(id);
    this.#underWay += 1;
    const reply = await this.#answer(path, frame.slice(length));
    this.#underWay -= 1;
    socket.send(`${id} ${reply.status}\n${reply.body}`);
  }

  #answer(path: string, body: string): HttpReply | Promise<HttpReply> {
    return this.#underWay > LINK_FRAMES_MAX ? this.#handler.tooBusy() : this.#handler.answerFrame(path, body);
  }
}

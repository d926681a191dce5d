/** The far end of links' WebSockets: each frame is a request to one of this port's link routes, and is answered when that is. */
import type { ServerWebSocket, WebSocketHandler } from "bun";
import type { HttpReply } from "../core/endpoint.ts";
import { LINK_BYTES_MAX, LINK_FRAMES_MAX } from "../link-limits.ts";
import type { RequestHandler } from "./request-handler.ts";

/** `PATH`, and the text that came with it. */
const FRAME = /^(\d{1,15}) (\/link\/[a-z-]{1,64})\n/;
/** A policy of the protocol was not kept (RFC 6455, 7.4.1). */
const POLICY_VIOLATION = 1008;

export class LinkServer {
  readonly #handler: RequestHandler;
  #underWay = 0;

  constructor(handler: RequestHandler) {
    this.#handler = handler;
  }

  /** Frames that wait for their answers. */
  get underWay(): number {
    return this.#underWay;
  }

  readonly sockets: WebSocketHandler<undefined> = {
    maxPayloadLength: LINK_BYTES_MAX,
    // Who does not read its answers is cut off; what it has asked for is done all the same.
    backpressureLimit: 2 * LINK_BYTES_MAX,
    closeOnBackpressureLimit: true,
    sendPings: true,
    message: (socket, frame) => void this.#take(socket, frame),
  };

  async #take(socket: ServerWebSocket<undefined>, frame: string | Buffer): Promise<void> {
    const head = typeof frame === "string" ? FRAME.exec(frame) : null;
    if (head === null || typeof frame !== "string") {
      socket.close(POLICY_VIOLATION, "a frame is ID PATH, a line break, and JSON");
      return;
    }
    const [{ length }, id, path] = [head[0], head[1], head[2] as string];
    this.#underWay += 1;
    const reply = await this.#answer(path, frame.slice(length));
    this.#underWay -= 1;
    socket.send(`${id} ${reply.status}\n${reply.body}`);
  }

  #answer(path: string, body: string): HttpReply | Promise<HttpReply> {
    return this.#underWay > LINK_FRAMES_MAX ? this.#handler.tooBusy() : this.#handler.answerFrame(path, body);
  }
}

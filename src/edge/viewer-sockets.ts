/**
 * WebSockets of pages that look on: what is sent to them is sent to whoever keeps up. A viewer that does not read is cut off when too much waits for it;
 * one whose machine has gone is noticed by pings.
 */
import type { ServerWebSocket, WebSocketHandler } from "bun";
import type { HttpReply } from "../core/endpoint.ts";

/** The other end of one connection, as its owner sees it. */
export interface ViewerLine {
  /** Sends, or cuts the viewer off when it has not kept up. */
  send(text: string): void;
  close(code: number, reason: string): void;
}

/** What becomes of one connection. */
export interface Viewer {
  opened(line: ViewerLine): void;
  heard(text: string): void;
  /** Once, however it ended; also when it was never opened. @param code what the other end said with its goodbye; `null`: there was none */
  closed(code: number | null): void;
}

/** Where viewers come in. */
export interface ViewerDoor {
  /** A path without parameters. */
  readonly path: string;
  /** Who may, by the headers of the request. */
  readonly admit: (headers: Headers) => { readonly viewer: Viewer } | { readonly refusal: HttpReply };
  readonly waitingBytesMax: number;
  readonly messageBytesMax: number;
  readonly idleSecondsMax: number;
}

/** There was no close frame (RFC 6455, 7.1.5). */
const NO_GOODBYE = 1006;
/** What is said to all viewers of a server at once is published under this name: one call, however many they are. */
export const EVERYBODY = "everybody";

export interface ViewerPeer {
  readonly viewer: Viewer;
}

export function viewerSockets(door: ViewerDoor): WebSocketHandler<ViewerPeer> {
  return {
    maxPayloadLength: door.messageBytesMax,
    backpressureLimit: door.waitingBytesMax,
    closeOnBackpressureLimit: true,
    idleTimeout: door.idleSecondsMax,
    sendPings: true,
    perMessageDeflate: false,
    open: (socket) => {
      socket.subscribe(EVERYBODY);
      socket.data.viewer.opened(lineOf(socket, door.waitingBytesMax));
    },
    message: (socket, frame) => socket.data.viewer.heard(typeof frame === "string" ? frame : ""),
    close: (socket, code) => socket.data.viewer.closed(code === NO_GOODBYE ? null : code),
  };
}

const lineOf = (socket: ServerWebSocket<ViewerPeer>, waitingBytesMax: number): ViewerLine => ({
  send: (text) => {
    if (socket.getBufferedAmount() > waitingBytesMax) socket.terminate();
    else socket.send(text);
  },
  close: (code, reason) => socket.close(code, reason),
});

/**
 * Carries the requests of links over one WebSocket to each instance: a request over a connection that stands costs much less than one over HTTP.
 * A frame is `ID PATH` and, on the next line, the body; its answer is `ID STATUS` and the text.
 *
 * A connection is OPENING (requests wait for it, nothing is sent), OPEN, or it ENDS: what was sent and not answered may have been heard, unless
 * its far end says that it was not. What was not sent or not heard is asked over HTTP, which knows whether anybody is there; the next request
 * opens another connection. One over which nothing has come for as long as a request may take is RETIRED: it may lead nowhere any more, as when
 * the machine at its other end has gone, and nobody would ever say so. What is under way on it ends as it would have; the next request opens
 * another.
 */
import type { Post, PostEnd } from "../core/link-post.ts";
import { LINK_BYTES_MAX, LINK_CONNECTIONS_MAX } from "../limits/links.ts";
import { LINK_ENDED_WELL } from "./link-server.ts";

export interface LinkSockets {
  readonly post: Post;
  close(): void;
}

/** @param overHttp asks an instance to which no connection stands */
export function linkSockets(adminKey: string | null, overHttp: Post): LinkSockets {
  const connections = new Map<string, Connection>();
  const connectionTo = (base: string): Connection => {
    const known = connections.get(base);
    if (known?.takesMore) return known;
    connections.delete(base);
    // Instances come and go under new addresses: the one that has been there for the longest time makes room.
    const [oldest] = connections.keys();
    if (connections.size >= LINK_CONNECTIONS_MAX && oldest !== undefined) {
      connections.get(oldest)?.retire();
      connections.delete(oldest);
    }
    const fresh = new Connection(base, adminKey);
    connections.set(base, fresh);
    return fresh;
  };
  return {
    post: async (url, body, deadlineMs) => {
      // A base address may have a path, behind which a proxy leads to the service.
      const base = url.slice(0, url.lastIndexOf("/link/"));
      const end = await connectionTo(base).ask(url.slice(base.length), body, deadlineMs);
      return end ?? overHttp(url, body, deadlineMs);
    },
    close: () => {
      for (const connection of connections.values()) connection.end("this process is stopping");
      connections.clear();
    },
  };
}

interface Asked {
  readonly path: string;
  readonly body: string;
  isSent: boolean;
  /** `null`: the connection has ended, and this was not heard. */
  readonly tell: (end: PostEnd | null) => void;
}

class Connection {
  /** Whether further requests may go over it. */
  takesMore = true;
  readonly #socket: WebSocket;
  readonly #asked = new Map<number, Asked>();
  #hasEnded = false;
  #lastId = 0;
  #answers = 0;

  constructor(base: string, adminKey: string | null) {
    const headers = adminKey === null ? {} : { authorization: `Bearer ${adminKey}` };
    // Bun's WebSocket takes headers, which browsers' do not.
    this.#socket = new WebSocket(`${base.replace(/^http/, "ws")}/link`, { headers } as unknown as string[]);
    this.#socket.onopen = () => this.#opened();
    this.#socket.onmessage = ({ data }) => this.#answered(String(data));
    this.#socket.onclose = ({ code }) => this.end(`the connection ended (${code})`, code === LINK_ENDED_WELL);
    this.#socket.onerror = () => this.end("the connection broke");
  }

  ask(path: string, body: string, deadlineMs: number): Promise<PostEnd | null> {
    return new Promise((resolve) => {
      this.#lastId += 1;
      const id = this.#lastId;
      const answersBefore = this.#answers;
      const late = setTimeout(() => {
        const asked = this.#asked.get(id);
        this.#asked.delete(id);
        if (this.#answers === answersBefore) this.retire();
        this.#endIfRetired();
        resolve(asked?.isSent ? { kind: "silent", why: `no answer within ${deadlineMs} ms` } : { kind: "refused" });
      }, deadlineMs);
      const tell = (end: PostEnd | null): void => {
        clearTimeout(late);
        resolve(end);
      };
      const asked: Asked = { path, body, isSent: false, tell };
      this.#asked.set(id, asked);
      if (this.#socket.readyState === WebSocket.OPEN) this.#send(id, asked);
    });
  }

  retire(): void {
    this.takesMore = false;
    this.#endIfRetired();
  }

  /** @param isAllAnswered what has no answer was not heard, and will not be */
  end(why: string, isAllAnswered = false): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.takesMore = false;
    this.#socket.close();
    for (const { isSent, tell } of this.#asked.values()) {
      if (isSent && !isAllAnswered) tell({ kind: "silent", why });
      else tell(null);
    }
    this.#asked.clear();
  }

  #endIfRetired(): void {
    if (!this.takesMore && this.#asked.size === 0) this.end("nothing is under way on it any more");
  }

  #opened(): void {
    for (const [id, asked] of this.#asked) this.#send(id, asked);
  }

  #send(id: number, asked: Asked): void {
    asked.isSent = true;
    this.#socket.send(`${id} ${asked.path}\n${asked.body}`);
  }

  #answered(frame: string): void {
    this.#answers += 1;
    const space = frame.indexOf(" ");
    const line = frame.indexOf("\n");
    const id = Number(frame.slice(0, space));
    const asked = this.#asked.get(id);
    // Its deadline has passed.
    if (!asked) return;
    this.#asked.delete(id);
    asked.tell(
      frame.length > LINK_BYTES_MAX
        ? { kind: "silent", why: `an answer of ${frame.length} bytes` }
        : { kind: "answered", status: Number(frame.slice(space + 1, line)), text: frame.slice(line + 1) },
    );
    this.#endIfRetired();
  }
}

/**
 * Carries the requests of links over one WebSocket to each instance: a request over a connection that stands costs a quarter of one over HTTP.
 * A frame is `ID PATH` and, on the next line, the body; its answer is `ID STATUS` and the text.
 *
 * A connection is OPENING (requests wait for it, nothing is sent), OPEN, or it ENDS: what waited was never sent, what was sent and not answered
 * may have been heard. The next request opens another one. One that cannot be opened is asked over HTTP, which tells why.
 */
import { LINK_BYTES_MAX, LINK_CONNECTIONS_MAX } from "../link-limits.ts";

type PostEnd =
  | { readonly kind: "answered"; readonly status: number; readonly text: string }
  | { readonly kind: "refused" }
  | { readonly kind: "silent"; readonly why: string };
type Post = (url: string, body: string, deadlineMs: number) => Promise<PostEnd>;

export interface LinkSockets {
  readonly post: Post;
  close(): void;
}

/** @param overHttp asks an instance to which no connection can be opened */
export function linkSockets(adminKey: string | null, overHttp: Post): LinkSockets {
  const connections = new Map<string, Connection>();
  const connectionTo = (origin: string): Connection => {
    const known = connections.get(origin);
    if (known && !known.hasEnded) return known;
    // Instances come and go under new addresses: the one that has been there for the longest time makes room.
    const [oldest] = connections.keys();
    if (connections.size >= LINK_CONNECTIONS_MAX && oldest !== undefined) {
      connections.get(oldest)?.end("too many connections");
      connections.delete(oldest);
    }
    const fresh = new Connection(origin, adminKey);
    connections.set(origin, fresh);
    return fresh;
  };
  return {
    post: async (url, body, deadlineMs) => {
      const { origin, pathname } = new URL(url);
      const end = await connectionTo(origin).ask(pathname, body, deadlineMs);
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
  /** `null`: the connection could not be opened. */
  readonly tell: (end: PostEnd | null) => void;
}

class Connection {
  hasEnded = false;
  readonly #socket: WebSocket;
  readonly #asked = new Map<number, Asked>();
  #wasOpen = false;
  #lastId = 0;

  constructor(origin: string, adminKey: string | null) {
    const headers = adminKey === null ? {} : { authorization: `Bearer ${adminKey}` };
    // Bun's WebSocket takes headers, which browsers' do not.
    this.#socket = new WebSocket(`${origin.replace(/^http/, "ws")}/link`, { headers } as unknown as string[]);
    this.#socket.onopen = () => this.#opened();
    this.#socket.onmessage = ({ data }) => this.#answered(String(data));
    this.#socket.onclose = ({ code }) => this.end(`the connection ended (${code})`);
    this.#socket.onerror = () => this.end("the connection broke");
  }

  ask(path: string, body: string, deadlineMs: number): Promise<PostEnd | null> {
    return new Promise((resolve) => {
      this.#lastId += 1;
      const id = this.#lastId;
      const late = setTimeout(() => {
        const asked = this.#asked.get(id);
        this.#asked.delete(id);
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

  end(why: string): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.#socket.close();
    for (const { isSent, tell } of this.#asked.values()) {
      if (isSent) tell({ kind: "silent", why });
      // It was open and is gone: nothing of this request was sent.
      else tell(this.#wasOpen ? { kind: "refused" } : null);
    }
    this.#asked.clear();
  }

  #opened(): void {
    this.#wasOpen = true;
    for (const [id, asked] of this.#asked) this.#send(id, asked);
  }

  #send(id: number, asked: Asked): void {
    asked.isSent = true;
    this.#socket.send(`${id} ${asked.path}\n${asked.body}`);
  }

  #answered(frame: string): void {
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
  }
}

/** Serves a service's routes on one port. What a request becomes is decided in `request-handler.ts`. */
import type { Server } from "bun";
import { CONNECTION_IDLE_SECONDS } from "../limits.ts";
import { type LinkPeer, LinkServer } from "./link-server.ts";
import { RequestHandler, type RequestHandlerSettings } from "./request-handler.ts";

export interface HttpServerSettings extends RequestHandlerSettings {
  readonly host: string;
  readonly port: number;
  /** Several processes listen on the port, and the kernel spreads connections over them. */
  readonly isPortShared?: boolean;
}

/** How often a closing server looks whether all is answered. */
const DRAIN_LOOK_MS = 5;
/** Where connections for links are opened. There can be goods and users of that name, under longer paths. */
const LINK_PATH = /^http:\/\/[^/]*\/link$/;

export class HttpServer {
  readonly #handler: RequestHandler;
  readonly #links: LinkServer;
  readonly #server: Server<LinkPeer>;

  constructor(settings: HttpServerSettings) {
    this.#handler = new RequestHandler(settings, (request) => this.#server.requestIP(request)?.address ?? "");
    this.#links = new LinkServer(this.#handler);
    const hasLinks = settings.routes.some(({ endpoint }) => endpoint.path.startsWith("/link/"));
    this.#server = Bun.serve({
      hostname: settings.host,
      port: settings.port,
      reusePort: settings.isPortShared ?? false,
      idleTimeout: CONNECTION_IDLE_SECONDS,
      // A declared length over our bound is answered 413 before a byte of the body is read, and a body without a length is read by us up
      // to the bound; Bun's own limit would answer without a problem document.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      routes: this.#handler.fixedPaths(),
      websocket: this.#links.sockets,
      fetch: (request) => (hasLinks && LINK_PATH.test(request.url) ? this.#openLink(request) : this.#handler.answerByPath(request)),
      error: (error) => this.#handler.failed(error),
    });
  }

  #openLink(request: Request): Response | undefined {
    const refusal = this.#handler.refuseLink(request);
    if (refusal) return refusal;
    return this.#server.upgrade(request, { data: { lastId: 0 } }) ? undefined : this.#handler.notFound();
  }

  get port(): number {
    return this.#server.port as number;
  }

  /** Takes no new connections, answers what is in flight, tells everyone else to come back; then closes. */
  async close(): Promise<void> {
    this.#handler.drain();
    void this.#server.stop(false);
    while (this.#server.pendingRequests + this.#links.underWay > 0)
      await new Promise<void>((resolve) => setTimeout(resolve, DRAIN_LOOK_MS));
    this.#links.end();
    await this.#server.stop(true);
  }

  /** Closes at once, whatever is in flight. */
  abort(): void {
    void this.#server.stop(true);
  }
}

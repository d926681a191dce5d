/** Serves a service's routes on one port. What a request becomes is decided in `request-handler.ts`. */
import type { Server, WebSocketHandler } from "bun";
import { CONNECTION_IDLE_SECONDS } from "../limits.ts";
import { type LinkPeer, LinkServer } from "./link-server.ts";
import { RequestHandler, type RequestHandlerSettings } from "./request-handler.ts";
import { EVERYBODY, type ViewerDoor, type ViewerPeer, viewerSockets } from "./viewer-sockets.ts";

export interface HttpServerSettings extends RequestHandlerSettings {
  readonly host: string;
  readonly port: number;
  /** Several processes listen on the port, and the kernel spreads connections over them. */
  readonly isPortShared?: boolean;
  /** Where pages come in that look on. A port that has it has no links: each server has one kind of WebSocket. */
  readonly viewers?: ViewerDoor;
}

/** How often a closing server looks whether all is answered. */
const DRAIN_LOOK_MS = 5;
/** Where connections for links are opened. There can be goods and users of that name, under longer paths. */
const LINK_PATH = /^http:\/\/[^/]*\/link$/;

export class HttpServer {
  readonly #handler: RequestHandler;
  readonly #links: LinkServer;
  readonly #server: Server<LinkPeer | ViewerPeer>;

  constructor(settings: HttpServerSettings) {
    this.#handler = new RequestHandler(settings, (request) => this.#server.requestIP(request)?.address ?? "");
    this.#links = new LinkServer(this.#handler);
    const viewers = settings.viewers ?? null;
    const hasLinks = settings.routes.some(({ endpoint }) => endpoint.path.startsWith("/link/"));
    this.#server = Bun.serve({
      hostname: settings.host,
      port: settings.port,
      reusePort: settings.isPortShared ?? false,
      idleTimeout: CONNECTION_IDLE_SECONDS,
      // A declared length over our bound is answered 413 before a byte of the body is read, and a body without a length is read by us up
      // to the bound; Bun's own limit would answer without a problem document.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      routes: this.#routes(viewers),
      websocket: (viewers === null ? this.#links.sockets : viewerSockets(viewers)) as WebSocketHandler<LinkPeer | ViewerPeer>,
      fetch: (request) => {
        if (hasLinks && LINK_PATH.test(request.url)) return this.#openLink(request);
        if (viewers !== null && new URL(request.url).pathname === viewers.path) return this.#letIn(request, viewers);
        return this.#handler.answerByPath(request);
      },
      error: (error) => this.#handler.failed(error),
    });
  }

  /** Where viewers come in there can be an endpoint too, for those who ask for no WebSocket. */
  #routes(viewers: ViewerDoor | null): ReturnType<RequestHandler["fixedPaths"]> {
    const routes = this.#handler.fixedPaths();
    const answer = viewers && routes[viewers.path];
    if (!viewers || !answer) return routes;
    const isForSocket = (request: Request): boolean => request.headers.get("upgrade")?.toLowerCase() === "websocket";
    // Bun wants no response to a request that has become a WebSocket.
    const letIn = (request: Request): Response => this.#letIn(request, viewers) as Response;
    return { ...routes, [viewers.path]: (request) => (isForSocket(request) ? letIn(request) : answer(request)) };
  }

  #openLink(request: Request): Response | undefined {
    const refusal = this.#handler.refuseLink(request);
    if (refusal) return refusal;
    return this.#server.upgrade(request, { data: { lastId: 0 } }) ? undefined : this.#handler.notFound();
  }

  #letIn(request: Request, viewers: ViewerDoor): Response | undefined {
    const refusal = this.#handler.refuseViewer();
    if (refusal) return refusal;
    const admitted = viewers.admit(request.headers);
    if ("refusal" in admitted) return this.#handler.respond(admitted.refusal);
    const { viewer } = admitted;
    if (this.#server.upgrade(request, { data: { viewer } })) return undefined;
    viewer.closed(null);
    return this.#handler.notFound();
  }

  /** Sends a text to all viewers. */
  tellViewers(text: string): void {
    this.#server.publish(EVERYBODY, text);
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

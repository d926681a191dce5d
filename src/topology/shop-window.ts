/** The shop page of a gate, and the board that it watches live: put together, with its timer. */
import { join } from "node:path";
import type { Route } from "../core/endpoint.ts";
import type { HttpServer } from "../edge/http-server.ts";
import type { ServiceMetrics } from "../edge/metrics.ts";
import { pageBundle } from "../edge/page-bundle.ts";
import { systemClock } from "../edge/system-clock.ts";
import { timers } from "../edge/timers.ts";
import type { ViewerDoor } from "../edge/viewer-sockets.ts";
import { ClientAddresses } from "../identity/client-address.ts";
import { BOARD_LOOK_MS, WATCHER_BACKLOG_BYTES_MAX, WATCHER_FRAME_BYTES_MAX, WATCHER_IDLE_SECONDS } from "../limits/shop.ts";
import type { Board } from "../services/gate-keeper/shopper-door.ts";
import type { Settings } from "../settings/table.ts";
import { shopApi } from "../shop/api.ts";
import { BoardWatch } from "../shop/board-watch.ts";
import { full, shopRoutes } from "../shop/routes.ts";

const PAGE = join(import.meta.dir, "../shop/page/start.tsx");

export class ShopWindow {
  readonly viewers: ViewerDoor;
  readonly routes: readonly Route[];
  readonly #watch: BoardWatch;
  #server: Pick<HttpServer, "tellViewers"> | null = null;
  readonly #stopLooking: () => void;

  constructor(board: Board, { shop }: Settings, metrics: ServiceMetrics, onBug: (error: unknown) => void) {
    const watch = new BoardWatch({ board, push: (text) => this.#server?.tellViewers(text), clock: systemClock, onBug });
    this.#watch = watch;
    this.viewers = {
      path: shopApi.boardLive.path,
      admit: () => {
        const viewer = watch.admit();
        return viewer ? { viewer } : { refusal: full() };
      },
      waitingBytesMax: WATCHER_BACKLOG_BYTES_MAX,
      messageBytesMax: WATCHER_FRAME_BYTES_MAX,
      idleSecondsMax: WATCHER_IDLE_SECONDS,
    };
    const { kind: identity, proxies } = shop.identity;
    const addresses = new ClientAddresses(proxies);
    this.routes = shopRoutes(watch, pageBundle(PAGE), {
      identity,
      currency: shop.currency,
      addressOf: (asking) => addresses.of(asking),
    });
    this.#stopLooking = timers.every(BOARD_LOOK_MS, () => void watch.look().catch(onBug));
    metrics.gauge("doorbuster_board_watchers", "Shoppers who watch the board over a WebSocket.", () => watch.sockets);
    metrics.gauge("doorbuster_board_streams", "Shoppers who watch the board over server-sent events.", () => watch.streams);
    metrics.counter(
      "doorbuster_board_watchers_lost_total",
      "WebSockets that ended without a goodbye: cut off because they did not read, or gone from the network.",
      () => watch.lost,
    );
  }

  /** To be called when the port is open. */
  open(server: Pick<HttpServer, "tellViewers">): void {
    this.#server = server;
  }

  /** Begins to end: the streams, which would keep their server from closing. */
  close(): void {
    this.#stopLooking();
    this.#watch.close();
  }
}

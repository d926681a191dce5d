/** The operators' console: its door, its page, what operators can ask of the services through it, and the live figures. */
import { type HttpReply, json, on, type Route } from "../core/endpoint.ts";
import { problem } from "../core/problem.ts";
import type { Clock, DurationMs } from "../core/time.ts";
import { searchApi } from "../traffic/search-api.ts";
import { curveEndpoint } from "./curve-endpoint.ts";
import { Figures } from "./figures.ts";
import { LiveFeed } from "./live.ts";
import { operatorRoutes } from "./operator-routes.ts";
import { pageRoutes, type ReadBundle } from "./page-routes.ts";
import { reportEndpoint, reportReply } from "./report-route.ts";
import type { Services } from "./services.ts";
import { Door } from "./session-routes.ts";
import { Sessions } from "./sessions.ts";
import { SignInAttempts } from "./sign-in.ts";
import { searchEndpoint, searchEverywhere } from "./traffic-search.ts";

export interface ConsoleParts {
  readonly services: Services;
  readonly adminKey: string | null;
  readonly port: number;
  readonly quietMsMax: DurationMs;
  readonly clock: Clock;
  readonly newSessionId: () => string;
  readonly readBundle: ReadBundle;
  readonly onBug: (error: unknown) => void;
}

export class Console {
  readonly live: LiveFeed;
  readonly #parts: ConsoleParts;
  readonly #door: Door;
  readonly #figures: Figures;

  constructor(parts: ConsoleParts) {
    const { services, adminKey, port, quietMsMax, clock, newSessionId, onBug } = parts;
    this.#parts = parts;
    const sessions = new Sessions(quietMsMax, newSessionId);
    this.#door = new Door({ sessions, attempts: new SignInAttempts(), adminKey, port, clock });
    this.#figures = new Figures(services, clock);
    const figures = this.#figures;
    const [collect, history] = [() => figures.collect(), () => figures.history()];
    this.live = new LiveFeed({ door: this.#door, collect, history, now: () => clock.now(), onBug });
  }

  /** Once a second. */
  async tick(): Promise<void> {
    await this.#figures.lookAtStock();
    await this.live.tick();
  }

  routes(): Route[] {
    return [
      ...pageRoutes(this.#door, this.#parts.readBundle),
      ...this.#door.routes(),
      on(curveEndpoint, ({ params, headers }) => this.#forOperators(headers, false, () => this.#curve(params.sku))),
      on(searchEndpoint(searchApi.search), ({ query, headers }) =>
        this.#forOperators(headers, false, () => searchEverywhere(this.#parts.services, query as Readonly<Record<string, unknown>>)),
      ),
      on(reportEndpoint, ({ query, headers }) =>
        this.#forOperators(headers, false, () =>
          reportReply({ services: this.#parts.services, curves: this.#figures.curves, clock: this.#parts.clock }, query),
        ),
      ),
      ...operatorRoutes((service, call, headers) =>
        this.#forOperators(headers, call.method !== "GET", (operator) => this.#parts.services.call(service, { ...call, operator })),
      ),
    ];
  }

  async #forOperators(
    headers: { get(name: string): string | null },
    isChange: boolean,
    answer: (operator: string | null) => HttpReply | Promise<HttpReply>,
  ): Promise<HttpReply> {
    const admitted = this.#door.admit(headers, isChange);
    return "status" in admitted ? admitted : answer(admitted.operator);
  }

  #curve(sku: string): HttpReply {
    const points = this.#figures.curves.of(sku);
    if (points.length === 0) return problem(404, "the stock of these goods is not followed here");
    return { ...json({ goodsSKU: sku, points }), headers: { "cache-control": "no-store" } };
  }
}

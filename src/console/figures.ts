/** The figures of the moment, from the services: what is told to whoever looks on, and the stock, which is followed while nobody looks too. */
import type { Clock, UnixMs } from "../core/time.ts";
import { LIVE_CALL_MS_MAX, POINTS_TOLD_MS, TRAFFIC_SHOWN_MS } from "../limits/console.ts";
import { type InstanceView, listedInstances, type OwnWord, withOwnWords } from "./instance-view.ts";
import { CONSOLE_SERVICES, type Services } from "./services.ts";
import { type SellOut, StockCurves, type StockFigures } from "./stock-curve.ts";

export interface StockView extends StockFigures {
  readonly goodsSKU: string;
  readonly stocked: number;
  /** `null`: it is not in sight. */
  readonly sellOut: SellOut | null;
  readonly hasCurve: boolean;
}

/** As InventoryManager tells it at `/stock`. */
interface StockRow {
  readonly goodsSKU: string;
  readonly onHand: number;
  readonly frozen: number;
  readonly paymentPending: number;
  readonly sold: number;
  readonly available: number;
}

export class Figures {
  readonly curves = new StockCurves();
  readonly #services: Services;
  readonly #clock: Clock;
  #rows: readonly StockRow[] | null = null;
  #hasMore = false;

  constructor(services: Services, clock: Clock) {
    this.#services = services;
    this.#clock = clock;
  }

  /** Once a second, also while nobody looks: a page that is opened late shows the whole drop. */
  async lookAtStock(): Promise<void> {
    const answer = (await this.#services.read("inventory-manager", "/stock", LIVE_CALL_MS_MAX)) as {
      readonly goods?: readonly StockRow[];
      readonly more?: boolean;
    } | null;
    this.#rows = answer?.goods ?? null;
    this.#hasMore = answer?.more ?? false;
    if (this.#rows === null) return;
    this.curves.record(this.#clock.now(), new Map(this.#rows.map((row) => [row.goodsSKU, figuresOf(row)])));
  }

  /** The traffic of the last minutes, for a page that has just been opened. */
  async history(): Promise<object> {
    return { history: await this.#pointsSince(this.#clock.now() - TRAFFIC_SHOWN_MS) };
  }

  /** All that is told each second. */
  async collect(): Promise<object> {
    const services = this.#services;
    const [traffic, points, invariant, instances] = await Promise.all([
      services.read("safe-protector", "/traffic/now", LIVE_CALL_MS_MAX),
      this.#pointsSince(this.#clock.now() - POINTS_TOLD_MS),
      services.read("shopping-cart", "/audit", LIVE_CALL_MS_MAX),
      this.#instances(),
    ]);
    return { traffic, points, stock: this.#stock(), invariant, services: instances };
  }

  async #pointsSince(since: UnixMs): Promise<readonly unknown[] | null> {
    const answer = await this.#services.read("safe-protector", `/traffic/history?since=${since}`, LIVE_CALL_MS_MAX);
    const { points } = (answer ?? {}) as { readonly points?: unknown };
    return Array.isArray(points) ? points : null;
  }

  #stock(): { readonly goods: readonly StockView[]; readonly more: boolean } | null {
    if (this.#rows === null) return null;
    const followed = new Set(this.curves.skus);
    const goods = this.#rows.map((row) => ({
      ...{ goodsSKU: row.goodsSKU, stocked: row.sold + row.onHand, ...figuresOf(row) },
      sellOut: this.curves.sellOutOf(row.goodsSKU),
      hasCurve: followed.has(row.goodsSKU),
    }));
    return { goods, more: this.#hasMore };
  }

  async #instances(): Promise<readonly InstanceView[]> {
    const services = this.#services;
    const asked = CONSOLE_SERVICES.flatMap((service) => services.urlsOf(service).map((url) => ({ service, url })));
    const [listing, ...words] = await Promise.all([
      services.read("service-registry", "/eureka/v2/apps", LIVE_CALL_MS_MAX),
      ...asked.map(
        async ({ service, url }): Promise<OwnWord> => ({ service, url, health: await services.readAt(url, "/health", LIVE_CALL_MS_MAX) }),
      ),
    ]);
    return withOwnWords(listedInstances(listing, this.#clock.now()), words);
  }
}

const figuresOf = ({ available, frozen, paymentPending, sold }: StockRow): StockFigures => ({
  ...{ available, held: Math.max(0, frozen - paymentPending), paymentPending, sold },
});

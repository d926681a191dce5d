/** The services over the stores that all processes share: each as a process of its own has it, or as one that has them all. */
import type { Route } from "../core/endpoint.ts";
import { Throttle } from "../core/throttle.ts";
import type { Clock } from "../core/time.ts";
import { collectGarbage } from "../edge/garbage.ts";
import { SWEEP_TICK_MS } from "../limits.ts";
import { SaleBoard } from "../sales/board.ts";
import { boardLinkRoutes } from "../sales/board-link.ts";
import { routes as saleRoutes } from "../sales/routes.ts";
import type { Sale } from "../sales/sale.ts";
import { StockWatch } from "../sales/stock-watch.ts";
import { inventoryManagerLinkRoutes } from "../services/inventory-manager/link.ts";
import { InventoryManager, routes as inventoryRoutes } from "../services/inventory-manager/service.ts";
import { policyControllerLinkRoutes } from "../services/policy-controller/link.ts";
import { PolicyController, routes as policyRoutes } from "../services/policy-controller/service.ts";
import { safeProtectorLinkRoutes } from "../services/safe-protector/link.ts";
import { routes as protectorRoutes } from "../services/safe-protector/routes.ts";
import { SafeProtector } from "../services/safe-protector/service.ts";
import type { ServiceName, Settings } from "../settings/table.ts";
import type { PostgresTrail } from "../trail/postgres-trail.ts";
import { trailRoutes } from "../trail/routes.ts";
import { trailedRoutes } from "../trail/trailed-routes.ts";
import { stockDemo } from "./demo.ts";
import { describeProtector, describeStock } from "./gauges.ts";
import { Place } from "./place.ts";
import { saleBookOver } from "./sale-book.ts";
import type { ServicePart } from "./service-process.ts";
import type { SharedLedger } from "./shared-ledger.ts";
import type { SharedStores } from "./shared-stores.ts";
import { openTraffic } from "./traffic.ts";

/** What this process has of what all share. */
export interface Shared {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly stores: SharedStores;
  readonly ledger: SharedLedger;
}

/** A service, and what its port and its timers need. Whoever has opened the stores closes them. */
export interface SharedService<Service> extends Omit<ServicePart, "isUp"> {
  readonly service: Service;
}

const nothing = (): void => undefined;
const closed = async (): Promise<void> => undefined;
export const throttleOf = (settings: Settings, service: ServiceName, clock: Clock): Throttle =>
  new Throttle(settings.throttles[service], clock);

/** @param trail `null`: nobody puts down who has changed what */
export async function safeProtectorOver(
  { settings, clock, stores }: Omit<Shared, "ledger">,
  trail: PostgresTrail | null,
): Promise<SharedService<SafeProtector>> {
  const service = new SafeProtector(await stores.decisions(), throttleOf(settings, "safe-protector", clock), clock, collectGarbage);
  const traffic = openTraffic(settings, service, new Place(settings).instanceIdOf("SafeProtector"));
  const own = [...protectorRoutes(service), ...traffic.routes];
  const trailed = trail === null ? own : trailedRoutes("SafeProtector", own, trail);
  return {
    name: "SafeProtector",
    service,
    routes: [...behindTheGate(trailed, settings), ...safeProtectorLinkRoutes(service), ...traffic.linkRoutes],
    chores: [{ everyMs: SWEEP_TICK_MS, sweep: (now) => service.sweep(now) }],
    inHealth: () => stores.inHealth(),
    describe: (metrics) => {
      describeProtector(metrics, service);
      traffic.describe(metrics);
      stores.describe(metrics);
    },
    beginToClose: nothing,
    close: () => traffic.close(),
  };
}

export interface SharedPolicyController extends SharedService<PolicyController> {
  /** `null`: there is none. */
  readonly demoSale: Sale | null;
}

export async function policyControllerOver({ settings, clock, stores, ledger: shared }: Shared): Promise<SharedPolicyController> {
  const { ledger, books } = shared;
  const sales = saleBookOver(await stores.sales(), clock);
  const service = new PolicyController(await stores.policies(), ledger, throttleOf(settings, "policy-controller", clock), clock, sales);
  // Of all services this one has everything that the demo needs. Several may do it at once: whoever comes second finds the sale there.
  const demoSale = settings.demo ? await stores.patience.until(() => stockDemo({ ledger, policies: service, sales }, clock.now())) : null;
  const watch = new StockWatch({ ledger, sales, clock });
  const board = new SaleBoard({ book: sales, ledger, clock, availability: settings.shop.saleAvailability });
  const own = [...policyRoutes(service), ...saleRoutes(sales, clock), ...trailRoutes(books.trail)];
  return {
    name: "PolicyController",
    service,
    demoSale,
    routes: [
      ...behindTheGate(trailedRoutes("PolicyController", own, books.trail), settings),
      ...policyControllerLinkRoutes(service),
      ...boardLinkRoutes(board, clock),
    ],
    chores: [{ everyMs: SWEEP_TICK_MS, sweep: (now) => sales.announce(now) }],
    inHealth: () => stores.inHealth(),
    describe: (metrics) => {
      metrics.gauge("doorbuster_policies", "SKUs with a policy.", () => service.policies);
      metrics.gauge("doorbuster_sales", "Sales, whatever their status.", () => sales.size);
      describeStock(metrics, watch);
      stores.describe(metrics);
    },
    beginToClose: nothing,
    close: closed,
  };
}

export function inventoryManagerOver({ settings, clock, stores, ledger: shared }: Shared): SharedService<InventoryManager> {
  const { ledger, books } = shared;
  const service = new InventoryManager(ledger, throttleOf(settings, "inventory-manager", clock), clock);
  const own = trailedRoutes("InventoryManager", inventoryRoutes(service), books.trail);
  return {
    name: "InventoryManager",
    service,
    routes: [...behindTheGate(own, settings), ...inventoryManagerLinkRoutes(service)],
    chores: [],
    inHealth: () => stores.inHealth(),
    describe: (metrics) => stores.describe(metrics),
    beginToClose: nothing,
    close: closed,
  };
}

/** Where shoppers prove who they are, the gate is their only door: a cart that anybody could fill beside it would make the proof worthless. */
export function behindTheGate(routes: readonly Route[], { shop }: Settings): Route[] {
  if (shop.identity.kind === "trusted") return [...routes];
  return routes.map((route) => ({ ...route, endpoint: { ...route.endpoint, needsAdminKey: true } }));
}

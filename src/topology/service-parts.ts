/** What makes a process the service that it is, over the stores that all processes share. */
import type { Route } from "../core/endpoint.ts";
import { Throttle } from "../core/throttle.ts";
import type { Clock } from "../core/time.ts";
import { askPeer } from "../edge/peer-http.ts";
import { Postgres } from "../edge/postgres.ts";
import { timers } from "../edge/timers.ts";
import { REGISTRY_TICK_MS } from "../limits/registry.ts";
import { SWEEP_TICK_MS } from "../limits.ts";
import { SaleBoard } from "../sales/board.ts";
import { boardLinkRoutes } from "../sales/board-link.ts";
import { routes as saleRoutes } from "../sales/routes.ts";
import { inventoryManagerLinkRoutes } from "../services/inventory-manager/link.ts";
import { InventoryManager, routes as inventoryRoutes } from "../services/inventory-manager/service.ts";
import { policyControllerLinkRoutes } from "../services/policy-controller/link.ts";
import { PolicyController, routes as policyRoutes } from "../services/policy-controller/service.ts";
import { safeProtectorLinkRoutes } from "../services/safe-protector/link.ts";
import { routes as protectorRoutes } from "../services/safe-protector/routes.ts";
import { SafeProtector } from "../services/safe-protector/service.ts";
import { RegistryNode } from "../services/service-registry/node.ts";
import type { ServiceName, Settings } from "../settings/table.ts";
import { PostgresTrail } from "../trail/postgres-trail.ts";
import { trailRoutes } from "../trail/routes.ts";
import { trailedRoutes } from "../trail/trailed-routes.ts";
import { stockDemo } from "./demo.ts";
import { complain } from "./process.ts";
import { saleBookOver } from "./sale-book.ts";
import type { ServicePart } from "./service-process.ts";
import { openSharedLedger } from "./shared-ledger.ts";
import { SharedStores } from "./shared-stores.ts";

const nothing = (): void => undefined;
const throttleOf = (settings: Settings, service: ServiceName, clock: Clock): Throttle => new Throttle(settings.throttles[service], clock);
/** Only who takes notifications of payments can find that one is due back. */
const noRefunds = (): never => {
  throw new Error("a payment is due back in a process that takes none");
};

export async function safeProtectorPart(settings: Settings, clock: Clock): Promise<ServicePart> {
  const stores = await SharedStores.open(settings, "safe-protector");
  const protector = new SafeProtector(await stores.decisions(), throttleOf(settings, "safe-protector", clock), clock);
  // It needs no database but to put down who has changed what.
  const db = settings.postgres === null ? null : new Postgres(settings.postgres);
  const own = protectorRoutes(protector);
  const trailed = db === null ? own : trailedRoutes("SafeProtector", own, new PostgresTrail({ db, clock, report: complain }));
  return {
    name: "SafeProtector",
    routes: [...behindTheGate(trailed, settings), ...safeProtectorLinkRoutes(protector)],
    chores: [{ everyMs: SWEEP_TICK_MS, sweep: (now) => protector.sweep(now) }],
    // Without Redis it answers from memory, as all others of its kind do.
    isUp: () => true,
    inHealth: () => stores.inHealth(),
    describe: (metrics) => {
      metrics.gauge("doorbuster_blacklist_entries", "Blacklist entries in force or not yet swept.", () => protector.decisions);
      stores.describe(metrics);
    },
    beginToClose: nothing,
    close: async () => {
      await stores.close();
      await db?.close();
    },
  };
}

export async function policyControllerPart(settings: Settings, clock: Clock): Promise<ServicePart> {
  const stores = await SharedStores.open(settings, "policy-controller");
  const { ledger, books, close } = await openSharedLedger(settings, "policy-controller", { stores, clock }, noRefunds);
  const sales = saleBookOver(await stores.sales(), clock);
  const policies = new PolicyController(await stores.policies(), ledger, throttleOf(settings, "policy-controller", clock), clock, sales);
  // Of all services this one has everything that the demo needs. Several may do it at once: whoever comes second finds the sale there.
  if (settings.demo) await stores.patience.until(() => stockDemo({ ledger, policies, sales }, clock.now()));
  const board = new SaleBoard({ book: sales, ledger, clock, availability: settings.shop.saleAvailability });
  const links = [...policyControllerLinkRoutes(policies), ...boardLinkRoutes(board, clock)];
  const own = [...policyRoutes(policies), ...saleRoutes(sales, clock), ...trailRoutes(books.trail)];
  return {
    name: "PolicyController",
    routes: [...behindTheGate(trailedRoutes("PolicyController", own, books.trail), settings), ...links],
    chores: [{ everyMs: SWEEP_TICK_MS, sweep: (now) => sales.announce(now) }],
    isUp: () => stores.redis.isReady,
    inHealth: () => stores.inHealth(),
    describe: (metrics) => {
      metrics.gauge("doorbuster_policies", "SKUs with a policy.", () => policies.policies);
      metrics.gauge("doorbuster_sales", "Sales, whatever their status.", () => sales.size);
      stores.describe(metrics);
    },
    beginToClose: nothing,
    close: async () => {
      await stores.close();
      await close();
    },
  };
}

export async function inventoryManagerPart(settings: Settings, clock: Clock): Promise<ServicePart> {
  const stores = await SharedStores.open(settings, "inventory-manager");
  const { ledger, books, close } = await openSharedLedger(settings, "inventory-manager", { stores, clock }, noRefunds);
  const inventory = new InventoryManager(ledger, throttleOf(settings, "inventory-manager", clock), clock);
  return {
    name: "InventoryManager",
    routes: [
      ...behindTheGate(trailedRoutes("InventoryManager", inventoryRoutes(inventory), books.trail), settings),
      ...inventoryManagerLinkRoutes(inventory),
    ],
    chores: [],
    isUp: () => stores.redis.isReady,
    inHealth: () => stores.inHealth(),
    describe: (metrics) => stores.describe(metrics),
    beginToClose: nothing,
    close: async () => {
      await stores.close();
      await close();
    },
  };
}

export async function serviceRegistryPart({ registry: { peerUrls } }: Settings, clock: Clock): Promise<ServicePart> {
  const node = new RegistryNode({ clock, peerUrls, ask: askPeer, report: complain });
  await node.join();
  const stopTicking = timers.every(REGISTRY_TICK_MS, () => node.tick());
  return {
    name: "ServiceRegistry",
    routes: node.routes(),
    chores: [],
    isUp: () => true,
    inHealth: () => ({}),
    describe: (metrics) =>
      metrics.gauge("doorbuster_registry_applications", "Applications with a live lease.", () => node.registry.applications().length),
    beginToClose: nothing,
    close: async () => {
      stopTicking();
      await node.close();
    },
  };
}

/** Where shoppers prove who they are, the gate is their only door: a cart that anybody could fill beside it would make the proof worthless. */
export function behindTheGate(routes: readonly Route[], { shop }: Settings): Route[] {
  if (shop.identity.kind === "trusted") return [...routes];
  return routes.map((route) => ({ ...route, endpoint: { ...route.endpoint, needsAdminKey: true } }));
}

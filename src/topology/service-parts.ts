/** What makes a process the service that it is, over the stores that all processes share. */
import type { Clock } from "../core/time.ts";
import { askPeer } from "../edge/peer-http.ts";
import { Postgres } from "../edge/postgres.ts";
import { timers } from "../edge/timers.ts";
import { REGISTRY_TICK_MS } from "../limits/registry.ts";
import { RegistryNode } from "../services/service-registry/node.ts";
import type { ServiceRegistry } from "../services/service-registry/service.ts";
import type { Settings } from "../settings/table.ts";
import { PostgresTrail } from "../trail/postgres-trail.ts";
import type { Place } from "./place.ts";
import { complain } from "./process.ts";
import type { ServicePart } from "./service-process.ts";
import { openSharedLedger } from "./shared-ledger.ts";
import { inventoryManagerOver, policyControllerOver, type Shared, type SharedService, safeProtectorOver } from "./shared-services.ts";
import { SharedStores } from "./shared-stores.ts";
import { shoppingCartOver } from "./shopping-cart-part.ts";

/** Only who takes notifications of payments can find that one is due back. */
const noRefunds = (): never => {
  throw new Error("a payment is due back in a process that takes none");
};

export async function safeProtectorPart(settings: Settings, clock: Clock): Promise<ServicePart> {
  const stores = await SharedStores.open(settings, "safe-protector");
  // It needs no database but to put down who has changed what.
  const db = settings.postgres === null ? null : new Postgres(settings.postgres);
  const trail = db && new PostgresTrail({ db, clock, report: complain });
  const part = await safeProtectorOver({ settings, clock, stores }, trail);
  const close = async (): Promise<void> => {
    await part.close();
    await stores.close();
    await db?.close();
  };
  // Without Redis it answers from memory, as all others of its kind do.
  return { ...part, isUp: () => true, close };
}

export async function policyControllerPart(settings: Settings, clock: Clock): Promise<ServicePart> {
  const stores = await SharedStores.open(settings, "policy-controller");
  const shared: Shared = {
    settings,
    clock,
    stores,
    ledger: await openSharedLedger(settings, "policy-controller", { stores, clock }, noRefunds),
  };
  return overLedger(await policyControllerOver(shared), shared);
}

export async function inventoryManagerPart(settings: Settings, clock: Clock): Promise<ServicePart> {
  const stores = await SharedStores.open(settings, "inventory-manager");
  const shared: Shared = {
    settings,
    clock,
    stores,
    ledger: await openSharedLedger(settings, "inventory-manager", { stores, clock }, noRefunds),
  };
  return overLedger(inventoryManagerOver(shared), shared);
}

export async function shoppingCartPart(settings: Settings, place: Place, clock: Clock): Promise<ServicePart> {
  const stores = await SharedStores.open(settings, "shopping-cart");
  // The shop stands on the ledger, and knows of refunds what the ledger has to save.
  const ledger = await openSharedLedger(settings, "shopping-cart", { stores, clock }, (payment, orderId) =>
    cart.shop.refunds.requested(payment, orderId),
  );
  const shared: Shared = { settings, clock, stores, ledger };
  const cart = await shoppingCartOver(shared, place, null);
  return overLedger(cart, shared);
}

function overLedger(part: Omit<ServicePart, "isUp">, { stores, ledger }: Shared): ServicePart {
  const close = async (): Promise<void> => {
    await part.close();
    await stores.close();
    await ledger.close();
  };
  return { ...part, isUp: () => stores.redis.isReady, close };
}

export async function serviceRegistryPart(settings: Settings, clock: Clock): Promise<ServicePart> {
  return { ...(await openRegistry(settings, clock)), isUp: () => true };
}

/** Knows, when this resolves, what its peers know. */
export async function openRegistry({ registry: { peerUrls } }: Settings, clock: Clock): Promise<SharedService<ServiceRegistry>> {
  const node = new RegistryNode({ clock, peerUrls, ask: askPeer, report: complain });
  await node.join();
  const stopTicking = timers.every(REGISTRY_TICK_MS, () => node.tick());
  return {
    name: "ServiceRegistry",
    service: node.registry,
    routes: node.routes(),
    chores: [],
    inHealth: () => ({}),
    describe: (metrics) =>
      metrics.gauge("doorbuster_registry_applications", "Applications with a live lease.", () => node.registry.applications().length),
    beginToClose: () => undefined,
    close: async () => {
      stopTicking();
      await node.close();
    },
  };
}

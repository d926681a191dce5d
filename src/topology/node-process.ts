/**
 * A node: the gate, the four services behind it and, where none is named, a registry, in one process over the stores that all processes share. The
 * steps of a purchase are direct calls, as where everything is in one process, and the ledger is the one of many: so any number of nodes stand side by
 * side behind a balancer, and one that dies takes nothing with it but its connections.
 */
import { callRegistry } from "../edge/registry-call.ts";
import { systemClock } from "../edge/system-clock.ts";
import { timers } from "../edge/timers.ts";
import { SHUTDOWN_MS_MAX } from "../limits.ts";
import { walkThrough } from "../purchase.ts";
import { routes as gateRoutes } from "../services/gate-keeper/service.ts";
import { RegistryClient } from "../services/service-registry/client.ts";
import type { Settings } from "../settings/table.ts";
import { Announcement, registrarOf } from "./announcement.ts";
import { consoleBesideRegistry } from "./console-part.ts";
import { makeGate } from "./gate.ts";
import { openGateRecords, requestsHeard } from "./gate-records.ts";
import { drained, OpenPorts } from "./open-ports.ts";
import { Place } from "./place.ts";
import type { PortName } from "./ports.ts";
import { openShoppersIdentity, type Process, reportBug } from "./process.ts";
import { openRegistry } from "./service-parts.ts";
import { begun } from "./service-process.ts";
import { openSharedLedger } from "./shared-ledger.ts";
import { inventoryManagerOver, policyControllerOver, type Shared, safeProtectorOver, throttleOf } from "./shared-services.ts";
import { SharedStores } from "./shared-stores.ts";
import { ShopWindow } from "./shop-window.ts";
import { type GateBeside, type SharedCart, shoppingCartOver } from "./shopping-cart-part.ts";

const ROLE = "a node";

export async function startNode(settings: Settings): Promise<Process> {
  const clock = systemClock;
  const place = new Place(settings);
  const gate: GateBeside = {
    identity: await openShoppersIdentity(settings),
    throttle: throttleOf(settings, "gate-keeper", clock),
    keysInFlight: new Set(),
  };
  const stores = await SharedStores.open(settings, ROLE);
  // The shop stands on the ledger, and knows of refunds what the ledger has to save.
  const ledger = await openSharedLedger(settings, ROLE, { stores, clock }, (payment, orderId) =>
    services.cart.shop.refunds.requested(payment, orderId),
  );
  const shared: Shared = { settings, clock, stores, ledger };
  const services = await servicesOver(shared, place, gate);
  return listen(shared, place, gate, services);
}

type Services = Awaited<ReturnType<typeof servicesOver>>;

async function servicesOver(shared: Shared, place: Place, gate: GateBeside) {
  const cart: SharedCart = await shoppingCartOver(shared, place, gate);
  return {
    cart,
    inventory: inventoryManagerOver(shared),
    policies: await policyControllerOver(shared),
    protector: await safeProtectorOver(shared, shared.ledger.books.trail),
  };
}

async function listen({ settings, clock, stores, ledger }: Shared, place: Place, gate: GateBeside, services: Services): Promise<Process> {
  const { cart, inventory, policies, protector } = services;
  const { registries } = settings.topology;
  const registry = registries.length === 0 ? await openRegistry(settings, clock) : null;
  const parts = [...(registry ? [registry] : []), cart, inventory, policies, protector];
  // Where the registry is, all nodes are seen.
  const console = registry && settings.console.isOn ? consoleBesideRegistry(settings, place, clock) : null;
  const records = await openGateRecords(settings, place);
  let closing: Promise<void> | null = null;
  const isUp = (): boolean => closing === null && stores.redis.isReady;
  const ports = new OpenPorts({ settings, place, clock, isUp, inHealth: cart.inHealth, onBug: reportBug });
  for (const { name, describe } of parts) describe(ports.metrics[name]);
  const door = makeGate({
    walk: walkThrough({
      safeProtector: protector.service,
      policyController: policies.service,
      inventoryManager: inventory.service,
      shoppingCart: cart.service,
      replies: ledger.ledger,
      clock,
    }),
    frozenForMs: settings.frozenForMs,
    throttle: gate.throttle,
    metrics: ports.metrics.GateKeeper,
    records,
    instance: place.instanceIdOf("GateKeeper"),
    keysInFlight: gate.keysInFlight,
    isIdentityProven: gate.identity.isProven,
    onBug: reportBug,
  });
  const window = new ShopWindow(cart.shop.board, settings, ports.metrics.GateKeeper, reportBug);
  const registrar = registry ? registrarOf(registry.service, clock) : new RegistryClient(registries, callRegistry, settings.adminKey);
  const announcement = new Announcement(place, registrar, clock, isUp);
  const stopChores = begun(parts.flatMap(({ chores }) => chores));
  const stopped = Promise.withResolvers<{ exitCode: number; message: string | null }>();
  const endPages = (): void => {
    window.close();
    console?.close();
  };
  const closeParts = async (): Promise<void> => {
    for (const part of parts) await part.close();
    await stores.close();
    await ledger.close();
    await records.close();
  };
  const close = async (): Promise<void> => {
    await announcement.end();
    await drained(settings.topology.drainForMs);
    stopChores();
    timers.after(SHUTDOWN_MS_MAX, () => ports.abort());
    for (const part of parts) part.beginToClose();
    endPages();
    await ports.close();
    await closeParts();
    stopped.resolve({ exitCode: 0, message: null });
  };
  try {
    for (const { name, routes } of parts) ports.open(name, routes);
    if (console) ports.open("Console", console.routes, console.viewers);
    // The public door opens last: whatever it needs is there by then.
    const routes = [...gateRoutes(door, gate.identity), ...cart.shop.doorRoutes(), ...window.routes];
    window.open(ports.open("GateKeeper", routes, window.viewers, requestsHeard(place, gate.identity, records)));
  } catch (error) {
    endPages();
    stopChores();
    ports.abort();
    await closeParts();
    throw error;
  }
  const selling: readonly PortName[] = ["GateKeeper", protector.name, policies.name, inventory.name, cart.name];
  await announcement.begin(selling);
  await console?.begin();
  return {
    addresses: [...selling, ...(console ? (["Console"] as const) : []), ...(registry ? [registry.name] : [])].map((service) => ({
      service,
      url: place.urlOf(service),
    })),
    demoSale: policies.demoSale,
    close: () => {
      closing ??= close();
      return closing;
    },
    stopped: stopped.promise,
  };
}

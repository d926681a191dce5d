/** A gate in a process of its own: the public door, with links to the services behind it. It keeps nothing but its connections. */
import type { Endpoint } from "../core/endpoint.ts";
import { withTokens } from "../core/endpoint.ts";
import { Throttle } from "../core/throttle.ts";
import { callRegistry } from "../edge/registry-call.ts";
import { SeldomTold } from "../edge/seldom-told.ts";
import { systemClock } from "../edge/system-clock.ts";
import { timers } from "../edge/timers.ts";
import { SHUTDOWN_MS_MAX } from "../limits.ts";
import { payPageApi } from "../payment/api.ts";
import { handedOn } from "../services/gate-keeper/door-link.ts";
import { routes as gateRoutes } from "../services/gate-keeper/service.ts";
import { shopperApi } from "../services/gate-keeper/shopper-api.ts";
import { boardRoutes } from "../services/gate-keeper/shopper-door.ts";
import { RegistryClient } from "../services/service-registry/client.ts";
import type { Settings } from "../settings/table.ts";
import { LINKED_SERVICES } from "../settings/topology.ts";
import { Announcement } from "./announcement.ts";
import { makeGate } from "./gate.ts";
import { openGateRecords, requestsHeard } from "./gate-records.ts";
import { drained, OpenPorts } from "./open-ports.ts";
import { Place } from "./place.ts";
import { complain, openShoppersIdentity, type Process, reportBug } from "./process.ts";
import { RecordsSender } from "./records-sender.ts";
import { ServiceLinks } from "./service-links.ts";
import { ShopWindow } from "./shop-window.ts";

export async function startGate(settings: Settings): Promise<Process> {
  const { registries, services } = settings.topology;
  const lost = LINKED_SERVICES.filter((service) => services[service].length === 0);
  if (registries.length === 0 && lost.length > 0)
    throw new Error(`a gate has to find ${lost.join(", ")}: give --registry, or --${lost[0]}-url and its like for each`);
  const clock = systemClock;
  const place = new Place(settings);
  const strangers = new SeldomTold(clock, complain);
  const onStrangers = (app: string, count: number): void =>
    strangers.say(`the registry lists ${count} of ${app} that were not registered with this gate's admin key: they are asked nothing`);
  const registry = registries.length > 0 ? new RegistryClient(registries, callRegistry, settings.adminKey, onStrangers) : null;
  const links = new ServiceLinks(settings, registry, clock);
  const identity = await openShoppersIdentity(settings);
  const records = await openGateRecords(settings, place);
  // Where there is a Redis, the analysis reads its streams.
  const isSending = settings.traffic.isOn && settings.redis.length === 0;
  const sender = isSending ? new RecordsSender(links.protector, reportBug) : null;
  if (sender) records.carriedBy(sender);
  let closing: Promise<void> | null = null;
  const isUp = (): boolean => closing === null && links.hasFoundAll;
  const ports = new OpenPorts({ settings, place, clock, isUp, onBug: reportBug });
  const throttle = new Throttle(settings.throttles["gate-keeper"], clock);
  const gate = makeGate({
    walk: links.walk(),
    frozenForMs: settings.frozenForMs,
    throttle,
    metrics: ports.metrics.GateKeeper,
    records,
    instance: place.instanceIdOf("GateKeeper"),
    keysInFlight: new Set(),
    isIdentityProven: identity.isProven,
    onBug: reportBug,
  });
  const board = links.board();
  const window = new ShopWindow(board, settings, ports.metrics.GateKeeper, reportBug);
  links.describe(ports.metrics.GateKeeper);
  if (sender)
    ports.metrics.GateKeeper.counter(
      "doorbuster_traffic_unsent_total",
      "Records that did not reach the analysis of the traffic.",
      () => sender.dropped,
    );
  const announcement = registry && new Announcement(place, registry, clock, isUp);
  const stopped = Promise.withResolvers<{ exitCode: number; message: string | null }>();
  const close = async (): Promise<void> => {
    await announcement?.end();
    await drained(settings.topology.drainForMs);
    timers.after(SHUTDOWN_MS_MAX, () => ports.abort());
    window.close();
    await ports.close();
    await records.close();
    await sender?.close();
    links.close();
    stopped.resolve({ exitCode: 0, message: null });
  };
  try {
    await links.open();
    const routes = [
      ...gateRoutes(gate, identity),
      ...boardRoutes(board),
      ...window.routes,
      ...handedOn(endpointsBehind(settings, identity.isProven), links.door, throttle),
    ];
    window.open(ports.open("GateKeeper", routes, window.viewers, requestsHeard(place, identity, records)));
  } catch (error) {
    window.close();
    links.close();
    ports.abort();
    await records.close();
    throw error;
  }
  await announcement?.begin(["GateKeeper"]);
  return {
    addresses: [{ service: "GateKeeper", url: place.urlOf("GateKeeper") }],
    demoSale: null,
    close: () => {
      closing ??= close();
      return closing;
    },
    stopped: stopped.promise,
  };
}

/** What the gate does not answer itself. */
function endpointsBehind(settings: Settings, isIdentityProven: boolean): Endpoint[] {
  const { sales: _, sale: __, ...others } = shopperApi;
  const all: readonly Endpoint[] = [...Object.values(others), ...(settings.demo ? Object.values(payPageApi) : [])];
  return isIdentityProven ? all.map(withTokens) : [...all];
}

/** The operators' console, in the process that keeps the store or in one of its own: where it finds the services, and what it is given of the edge. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Console } from "../console/console.ts";
import { CONSOLE_SERVICES, type ConsoleService, Services } from "../console/services.ts";
import type { Route } from "../core/endpoint.ts";
import type { Clock } from "../core/time.ts";
import { chance } from "../edge/chance.ts";
import { urlsBehind } from "../edge/name-lookup.ts";
import { pageBundle } from "../edge/page-bundle.ts";
import { askPeer } from "../edge/peer-http.ts";
import { callRegistry } from "../edge/registry-call.ts";
import { SeldomTold } from "../edge/seldom-told.ts";
import { timers } from "../edge/timers.ts";
import type { ViewerDoor } from "../edge/viewer-sockets.ts";
import { LIVE_IDLE_SECONDS, LIVE_MESSAGE_BYTES_MAX, LIVE_TICK_MS, LIVE_WAITING_BYTES_MAX } from "../limits/console.ts";
import { INSTANCES_REFRESH_MS } from "../limits/links.ts";
import { Instances } from "../links/instances.ts";
import { RegistryClient } from "../services/service-registry/client.ts";
import type { Settings } from "../settings/table.ts";
import type { Place } from "./place.ts";
import type { PortName } from "./ports.ts";
import { complain, reportBug } from "./process.ts";
import type { ServicePart } from "./service-process.ts";

const PAGE = join(import.meta.dir, "../console/page/start.tsx");

const PORT_NAMES: Readonly<Record<ConsoleService, PortName>> = {
  "gate-keeper": "GateKeeper",
  "safe-protector": "SafeProtector",
  "policy-controller": "PolicyController",
  "inventory-manager": "InventoryManager",
  "shopping-cart": "ShoppingCart",
  "service-registry": "ServiceRegistry",
};

export interface OpenConsole {
  readonly routes: readonly Route[];
  readonly viewers: ViewerDoor;
  /** Begins to look, when the services can be asked. */
  begin(): Promise<void>;
  close(): void;
}

/** Where a service is: `null`, it is looked up in the registry. */
type Known = Readonly<Record<ConsoleService, readonly string[] | null>>;

/** @param known where services are that need no registry to be found */
export function openConsole(settings: Settings, place: Place, clock: Clock, known: Known): OpenConsole {
  const registries = known["service-registry"] ?? [];
  const strangers = new SeldomTold(clock, complain);
  const onStrangers = (app: string, count: number): void =>
    strangers.say(`the registry lists ${count} of ${app} that were not registered with this console's admin key: they are asked nothing`);
  const registry = registries.length > 0 ? new RegistryClient(registries, callRegistry, settings.adminKey, onStrangers) : null;
  const instances = CONSOLE_SERVICES.map((service) => {
    const urls = known[service];
    return new Instances(async () => (urls === null ? ((await registry?.instancesOf(PORT_NAMES[service])) ?? null) : urlsBehind(urls)));
  });
  const urlsOf = (service: ConsoleService): readonly string[] => (instances[CONSOLE_SERVICES.indexOf(service)] as Instances).current();
  const { adminKey } = settings;
  const console = new Console({
    services: new Services({ urlsOf, ask: askPeer, adminKey, clock, random: chance }),
    ...{ adminKey, clock, port: place.portOf("Console"), quietMsMax: settings.console.quietMsMax },
    newSessionId: () => randomBytes(32).toString("base64url"),
    readBundle: pageBundle(PAGE),
    onBug: reportBug,
  });
  const look = async (): Promise<void> => void (await Promise.all(instances.map((each) => each.refresh())));
  let stops: readonly (() => void)[] = [];
  return {
    routes: console.routes(),
    viewers: {
      ...{ path: "/live", admit: (headers) => console.live.admit(headers) },
      ...{ waitingBytesMax: LIVE_WAITING_BYTES_MAX, messageBytesMax: LIVE_MESSAGE_BYTES_MAX, idleSecondsMax: LIVE_IDLE_SECONDS },
    },
    begin: async () => {
      await look();
      stops = [
        timers.every(INSTANCES_REFRESH_MS, () => void look().catch(reportBug)),
        timers.every(LIVE_TICK_MS, () => void console.tick().catch(reportBug)),
      ];
      void console.tick().catch(reportBug);
    },
    close: () => {
      for (const stop of stops) stop();
    },
  };
}

/** The console in a process of its own, which finds everything by the registry or by addresses that it is given. */
export async function consolePart(settings: Settings, place: Place, clock: Clock): Promise<ServicePart> {
  const { registries, services, gateUrl } = settings.topology;
  const named = (urls: readonly string[]): readonly string[] | null => (urls.length > 0 || registries.length === 0 ? urls : null);
  const lost = Object.entries(services).find(([, urls]) => urls.length === 0);
  if (registries.length === 0 && lost)
    throw new Error(`the console has to find ${lost[0]}: give --registry, or --${lost[0]}-url and its like for each`);
  const console = openConsole(settings, place, clock, {
    "safe-protector": named(services["safe-protector"]),
    "policy-controller": named(services["policy-controller"]),
    "inventory-manager": named(services["inventory-manager"]),
    "shopping-cart": named(services["shopping-cart"]),
    "gate-keeper": named(gateUrl === null ? [] : [gateUrl]),
    "service-registry": registries.map((url) => url.replace(/\/+(eureka(\/v2)?)?\/*$/, "")),
  });
  await console.begin();
  return {
    name: "Console",
    routes: console.routes,
    viewers: console.viewers,
    chores: [],
    isUp: () => true,
    inHealth: () => ({}),
    describe: () => undefined,
    beginToClose: () => console.close(),
    close: async () => undefined,
  };
}

/** The console beside the store: the services are in this process, and gates perhaps in others. @param hasGate whether the gate is here too */
export function consoleBesideStore(settings: Settings, place: Place, clock: Clock, hasGate: boolean): OpenConsole {
  const here = (service: ConsoleService): readonly string[] => [place.ownUrlOf(PORT_NAMES[service])];
  return openConsole(settings, place, clock, {
    "gate-keeper": hasGate ? here("gate-keeper") : null,
    "safe-protector": here("safe-protector"),
    "policy-controller": here("policy-controller"),
    "inventory-manager": here("inventory-manager"),
    "shopping-cart": here("shopping-cart"),
    "service-registry": here("service-registry"),
  });
}

/** The console in a node that has the registry: it finds all nodes there. */
export function consoleBesideRegistry(settings: Settings, place: Place, clock: Clock): OpenConsole {
  const lookedUp = {
    "gate-keeper": null,
    "safe-protector": null,
    "policy-controller": null,
    "inventory-manager": null,
    "shopping-cart": null,
  };
  return openConsole(settings, place, clock, { ...lookedUp, "service-registry": [place.ownUrlOf("ServiceRegistry")] });
}

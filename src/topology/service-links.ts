/** The links of a gate to the four services behind it: where each is found, and what is asked of it. */
import type { Clock } from "../core/time.ts";
import { chance } from "../edge/chance.ts";
import { linkPost } from "../edge/link-post.ts";
import { type LinkSockets, linkSockets } from "../edge/link-socket.ts";
import type { ServiceMetrics } from "../edge/metrics.ts";
import { urlsBehind } from "../edge/name-lookup.ts";
import { SeldomTold } from "../edge/seldom-told.ts";
import { timers } from "../edge/timers.ts";
import { INSTANCES_REFRESH_MS } from "../limits/links.ts";
import { Instances } from "../links/instances.ts";
import { Link } from "../links/link.ts";
import { openWhenDown } from "../links/when-down.ts";
import { type Walk, walkThrough } from "../purchase.ts";
import { BoardCopy, readBoard } from "../sales/board-link.ts";
import { walkOver, walkTurn } from "../services/gate-keeper/walk-link.ts";
import { validateInventory } from "../services/inventory-manager/link.ts";
import { validatePolicies } from "../services/policy-controller/link.ts";
import type { PolicyCheck, PolicyVerdict } from "../services/policy-controller/service.ts";
import { validateSafely } from "../services/safe-protector/link.ts";
import type { SafeVerdict } from "../services/safe-protector/service.ts";
import type { RegistryClient } from "../services/service-registry/client.ts";
import { addToCart, recallReplies, rememberReplies } from "../services/shopping-cart/link.ts";
import type { Settings } from "../settings/table.ts";
import { LINKED_SERVICES, type LinkedService } from "../settings/topology.ts";
import type { PortName } from "./ports.ts";
import { complain, reportBug } from "./process.ts";

const PORT_NAMES: Readonly<Record<LinkedService, PortName>> = {
  "safe-protector": "SafeProtector",
  "policy-controller": "PolicyController",
  "inventory-manager": "InventoryManager",
  "shopping-cart": "ShoppingCart",
};

const PASSED: SafeVerdict = { allowed: true };
const unlimited = ({ quantity }: PolicyCheck): PolicyVerdict => ({
  ...{ allowed: true, reason: null, quantityLimit: 0, sale: null },
  orderQuantity: quantity,
});

/** What becomes of purchases while a service cannot be reached, as its operator has chosen. */
export function meanwhile({ topology: { whenDown } }: Settings, service: LinkedService): string {
  const isOpen =
    (service === "safe-protector" && whenDown.protect === "open") || (service === "policy-controller" && whenDown.policy === "open");
  return isOpen ? "purchases pass without it meanwhile" : "purchases are answered with 503 meanwhile";
}

export class ServiceLinks {
  readonly #links: Readonly<Record<LinkedService, Link>>;
  readonly #instances: readonly Instances[];
  readonly #sockets: LinkSockets;
  readonly #settings: Settings;
  readonly #clock: Clock;
  #stopLooking = (): void => undefined;

  /** @param registry where services are looked up that the settings do not name; `null`: there is none */
  constructor(settings: Settings, registry: RegistryClient | null, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#sockets = linkSockets(settings.adminKey, linkPost(settings.adminKey));
    const { post } = this.#sockets;
    const instances = LINKED_SERVICES.map((service) => {
      const urls = settings.topology.services[service];
      if (urls.length > 0) return new Instances(() => urlsBehind(urls));
      return new Instances(async () => registry?.instancesOf(PORT_NAMES[service]) ?? null);
    });
    this.#instances = instances;
    const troubles = LINKED_SERVICES.map(() => new SeldomTold(clock, complain));
    const linkTo = (service: LinkedService, index: number): Link =>
      new Link({
        ...{ service, post, clock, random: chance, nextTurn: setImmediate },
        onBug: reportBug,
        onFailure: (why) => (troubles[index] as SeldomTold).say(`${why}; ${meanwhile(settings, service)}`),
        onAnswer: () => (troubles[index] as SeldomTold).over(`${service} answers again`),
        instances: (instances[index] as Instances).current,
      });
    this.#links = Object.fromEntries(LINKED_SERVICES.map((service, index) => [service, linkTo(service, index)])) as Record<
      LinkedService,
      Link
    >;
  }

  /** Looks where the services are, and from then on again and again. */
  async open(): Promise<void> {
    const look = (): Promise<unknown> => Promise.all(this.#instances.map((instances) => instances.refresh()));
    await look();
    // What the registry says comes from others: a look that fails in a way that nobody has thought of must not end a gate.
    this.#stopLooking = timers.every(INSTANCES_REFRESH_MS, () => void look().catch(reportBug));
  }

  /** Whether every service has been found that a purchase cannot do without: before that a gate can only refuse. */
  get hasFoundAll(): boolean {
    const { protect, policy } = this.#settings.topology.whenDown;
    const isOpen: Partial<Record<LinkedService, boolean>> = {
      "safe-protector": protect === "open",
      "policy-controller": policy === "open",
    };
    return LINKED_SERVICES.every((service, index) => isOpen[service] || (this.#instances[index] as Instances).current().length > 0);
  }

  close(): void {
    this.#stopLooking();
    this.#sockets.close();
  }

  get protector(): Link {
    return this.#links["safe-protector"];
  }

  get door(): Link {
    return this.#links["shopping-cart"];
  }

  board(): BoardCopy {
    return new BoardCopy(this.#links["policy-controller"].method(readBoard), this.#clock);
  }

  /** How purchases go on behind the gate's throttle. */
  walk(): Walk {
    const { whenDown, wholeTurns } = this.#settings.topology;
    const cart = this.#links["shopping-cart"];
    if (wholeTurns) return walkOver(cart.method(walkTurn), this.#clock);
    const recall = cart.method(recallReplies);
    const policies = openWhenDown(whenDown.policy, this.#links["policy-controller"].method(validatePolicies), unlimited);
    return walkThrough({
      safeProtector: {
        validate: openWhenDown(whenDown.protect, this.#links["safe-protector"].method(validateSafely), () => PASSED),
      },
      policyController: { validate: async (checks) => policies(checks) },
      inventoryManager: { validate: this.#links["inventory-manager"].method(validateInventory) },
      shoppingCart: { add: cart.method(addToCart), frozenForMs: this.#settings.frozenForMs },
      replies: { recall: (keys) => recall(keys), remember: cart.method(rememberReplies) },
      clock: this.#clock,
    });
  }

  describe(metrics: ServiceMetrics): void {
    const links = Object.values(this.#links);
    const each = (read: (link: Link) => number) => () => links.map((link) => [link.service, read(link)] as const);
    const count = (name: string, help: string, read: (link: Link) => number): void =>
      metrics.labelled("counter", `doorbuster_link_${name}_total`, help, "to", each(read));
    count("requests", "Requests over links, by the service they lead to.", ({ counts }) => counts.requests);
    count(
      "items",
      "What was asked in them: purchases, or whole turns of them where one process has all services.",
      ({ counts }) => counts.items,
    );
    count("retries", "Requests that were sent again, to another instance.", ({ counts }) => counts.retries);
    count("failures", "Requests that nobody has answered in the end.", ({ counts }) => counts.failures);
    const gauge = (name: string, help: string, read: (link: Link) => number): void =>
      metrics.labelled("gauge", `doorbuster_link_instances_${name}`, help, "to", each(read));
    gauge("known", "Instances that are registered or named.", (link) => link.instanceCounts().known);
    gauge("asked", "Those of them that are asked: the others have failed lately.", (link) => link.instanceCounts().closed);
  }
}

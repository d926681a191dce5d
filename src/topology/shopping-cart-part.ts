/**
 * ShoppingCart over shared stores: the purchase's last step, and all that comes of it. Any number of them answer; one of them at a time leads
 * and does what must be done by one alone: deliver to webhooks, ask for refunds, and forget old events.
 */
import { randomBytes } from "node:crypto";
import { Throttle } from "../core/throttle.ts";
import type { UnixMs } from "../core/time.ts";
import { RequestHandler } from "../edge/request-handler.ts";
import type { Identity } from "../identity/identity.ts";
import { LEDGER_SWEEP_TICK_MS, RECOVER_TICK_MS, RELAY_ALL_TICK_MS, RELAY_TICK_MS } from "../limits/ledger.ts";
import { SWEEP_TICK_MS } from "../limits.ts";
import { openProviders } from "../payment/providers.ts";
import { doorLinkRoutes } from "../services/gate-keeper/door-link.ts";
import { PolicyController } from "../services/policy-controller/service.ts";
import { shoppingCartLinkRoutes } from "../services/shopping-cart/link.ts";
import { routes as cartRoutes, ShoppingCart } from "../services/shopping-cart/service.ts";
import { trailedRoutes } from "../trail/trailed-routes.ts";
import { demoSecretIn } from "./demo-secret.ts";
import { describeOutgoing } from "./gauges.ts";
import type { Place } from "./place.ts";
import { openShoppersIdentity, reportBug } from "./process.ts";
import { runningAudit } from "./running-audit.ts";
import { saleBookOver } from "./sale-book.ts";
import type { Chore } from "./service-process.ts";
import { behindTheGate, type Shared, type SharedService, throttleOf } from "./shared-services.ts";
import { saleEventRelay } from "./shared-tables.ts";
import { Shop } from "./shop.ts";

/** What the shop of a process shares with the gate that is in it. */
export interface GateBeside {
  readonly identity: Identity;
  readonly throttle: Throttle;
  readonly keysInFlight: Set<string>;
}

export interface SharedCart extends SharedService<ShoppingCart> {
  readonly shop: Shop;
}

/** @param gate `null`: it is in another process */
export async function shoppingCartOver(
  { settings, clock, stores, ledger: shared }: Shared,
  place: Place,
  gate: GateBeside | null,
): Promise<SharedCart> {
  const identity = gate?.identity ?? (await openShoppersIdentity(settings));
  const providers = await openProviders(settings.shop.providers, fetch, clock);
  const { ledger, books } = shared;
  const sales = saleBookOver(await stores.sales(), clock);
  // What the gates have let through is throttled nowhere else, and limits are only looked up here.
  const unlimited = new Throttle({ ratePerSecond: null, burst: 1 }, clock);
  const policies = new PolicyController(await stores.policies(), ledger, unlimited, clock, sales);
  const service = new ShoppingCart(ledger, throttleOf(settings, "shopping-cart", clock), clock, settings.frozenForMs, sales);
  const proposed = randomBytes(32).toString("base64");
  const demoSecret = await stores.patience.until(() => demoSecretIn(stores.redis, proposed));
  const shop = new Shop({
    ...{ settings, ledger, sales, policies, identity, providers, clock },
    ...{ events: books.outbox, webhooks: books.webhooks, refundBook: books.refundBook },
    saveRefund: (refund) => books.saveRefund(refund),
    demoSecret,
    keysInFlight: gate?.keysInFlight ?? new Set(),
    keyClaims: shared.keys,
    throttle: gate?.throttle ?? unlimited,
    gateUrl: settings.topology.gateUrl ?? place.urlOf("GateKeeper"),
    onBug: reportBug,
  });
  await stores.patience.until(() => shared.recover(clock.now()));
  books.start(shop.refunds);
  const relay = saleEventRelay(stores.redis, (event, id) => books.outbox.appendOnce(event, id));
  const recovered = async (now: UnixMs): Promise<boolean> => {
    await shared.restores.restore(now);
    await shared.recover(now);
    return false;
  };
  const chores: readonly Chore[] = [
    { everyMs: LEDGER_SWEEP_TICK_MS, sweep: (now) => shared.sweep(now) },
    { everyMs: RELAY_TICK_MS, sweep: () => shared.relayOwn() },
    { everyMs: RELAY_ALL_TICK_MS, sweep: () => shared.relay() },
    { everyMs: RECOVER_TICK_MS, sweep: recovered },
    { everyMs: SWEEP_TICK_MS, sweep: () => relay.relay() },
  ];
  const audit = runningAudit({ kind: "shared", redis: settings.redis, postgres: settings.postgres ?? "" }, clock);
  const door = new RequestHandler(
    { routes: shop.doorRoutes(), adminKey: null, showsAbout: true, onBug: reportBug, onReply: () => undefined },
    () => "",
  );
  return {
    name: "ShoppingCart",
    service,
    shop,
    routes: [
      ...behindTheGate(
        trailedRoutes("ShoppingCart", [...cartRoutes(service), ...shop.cartRoutes(), ...audit.routes], books.trail),
        settings,
      ),
      ...shoppingCartLinkRoutes(service, ledger, clock),
      ...doorLinkRoutes((request) => door.answerByPath(request)),
    ],
    chores,
    inHealth: () => ({ ...stores.inHealth(), postgres: books.isReachable ? "connected" : "away", isLeading: books.isLeading }),
    describe: (metrics) => {
      describeOutgoing(metrics, books.outgoing, clock);
      shared.restores.describe(metrics);
      stores.describe(metrics);
    },
    beginToClose: () => shop.endStreams(),
    close: () => {
      audit.close();
      return shop.close();
    },
  };
}

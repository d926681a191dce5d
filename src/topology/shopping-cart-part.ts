/**
 * ShoppingCart as a process of its own: the purchase's last step, and all that comes of it. Any number of them answer; one of them at a time leads
 * and does what must be done by one alone: deliver to webhooks, ask for refunds, and forget old events.
 */
import { randomBytes } from "node:crypto";
import { Throttle } from "../core/throttle.ts";
import type { Clock, UnixMs } from "../core/time.ts";
import { RequestHandler } from "../edge/request-handler.ts";
import { RECOVER_TICK_MS, RELAY_TICK_MS } from "../limits/ledger.ts";
import { SWEEP_TICK_MS } from "../limits.ts";
import { openProviders } from "../payment/providers.ts";
import { doorLinkRoutes } from "../services/gate-keeper/door-link.ts";
import { PolicyController } from "../services/policy-controller/service.ts";
import { shoppingCartLinkRoutes } from "../services/shopping-cart/link.ts";
import { routes as cartRoutes, ShoppingCart } from "../services/shopping-cart/service.ts";
import type { Settings } from "../settings/table.ts";
import { trailedRoutes } from "../trail/trailed-routes.ts";
import { demoSecretIn } from "./demo-secret.ts";
import { describeOutgoing } from "./gauges.ts";
import type { Place } from "./place.ts";
import { openShoppersIdentity, reportBug } from "./process.ts";
import { saleBookOver } from "./sale-book.ts";
import { behindTheGate } from "./service-parts.ts";
import type { Chore, ServicePart } from "./service-process.ts";
import { openSharedLedger } from "./shared-ledger.ts";
import { SharedStores } from "./shared-stores.ts";
import { saleEventRelay } from "./shared-tables.ts";
import { Shop } from "./shop.ts";

export async function shoppingCartPart(settings: Settings, place: Place, clock: Clock): Promise<ServicePart> {
  const identity = await openShoppersIdentity(settings);
  const providers = await openProviders(settings.shop.providers, fetch, clock);
  const stores = await SharedStores.open(settings, "shopping-cart");
  // The shop stands on the ledger, and knows of refunds what the ledger has to save.
  const shared = await openSharedLedger(settings, "shopping-cart", { stores, clock }, (payment, orderId) =>
    shop.refunds.requested(payment, orderId),
  );
  const { ledger, books } = shared;
  const sales = saleBookOver(await stores.sales(), clock);
  // What the gates have let through is throttled nowhere else, and limits are only looked up here.
  const unlimited = new Throttle({ ratePerSecond: null, burst: 1 }, clock);
  const policies = new PolicyController(await stores.policies(), ledger, unlimited, clock, sales);
  const cart = new ShoppingCart(ledger, new Throttle(settings.throttles["shopping-cart"], clock), clock, settings.frozenForMs, sales);
  const proposed = randomBytes(32).toString("base64");
  const demoSecret = await stores.patience.until(() => demoSecretIn(stores.redis, proposed));
  const shop: Shop = new Shop({
    ...{ settings, ledger, sales, policies, identity, providers, clock },
    ...{ events: books.outbox, webhooks: books.webhooks, refundBook: books.refundBook },
    saveRefund: (refund) => books.saveRefund(refund),
    demoSecret,
    keysInFlight: new Set(),
    keyClaims: shared.keys,
    throttle: unlimited,
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
    { everyMs: SWEEP_TICK_MS, sweep: (now) => shared.sweep(now) },
    { everyMs: RELAY_TICK_MS, sweep: () => shared.relay() },
    { everyMs: RECOVER_TICK_MS, sweep: recovered },
    { everyMs: SWEEP_TICK_MS, sweep: () => relay.relay() },
  ];
  const door = new RequestHandler({ routes: shop.doorRoutes(), adminKey: null, onBug: reportBug, onReply: () => undefined }, () => "");
  return {
    name: "ShoppingCart",
    routes: [
      ...behindTheGate(trailedRoutes("ShoppingCart", [...cartRoutes(cart), ...shop.cartRoutes()], books.trail), settings),
      ...shoppingCartLinkRoutes(cart, ledger, clock),
      ...doorLinkRoutes((request) => door.answerByPath(request)),
    ],
    chores,
    isUp: () => stores.redis.isReady,
    inHealth: () => ({ ...stores.inHealth(), postgres: books.isReachable ? "connected" : "away", isLeading: books.isLeading }),
    describe: (metrics) => {
      describeOutgoing(metrics, books.outgoing);
      shared.restores.describe(metrics);
      stores.describe(metrics);
    },
    beginToClose: () => shop.endStreams(),
    close: async () => {
      await shop.close();
      await stores.close();
      await shared.close();
    },
  };
}

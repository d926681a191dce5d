/**
 * Everything that keeps state in one process, on the embedded store: the four services behind the gate, the registry, and the shop around the
 * purchase. The gate is in it too, or stands before it in processes of its own, which reach it over links.
 */
import { randomBytes } from "node:crypto";
import { assert } from "../core/assert.ts";
import type { Route } from "../core/endpoint.ts";
import type { Failure } from "../core/failure.ts";
import type { SaleId } from "../core/ids.ts";
import { Throttle } from "../core/throttle.ts";
import type { Clock, UnixMs } from "../core/time.ts";
import { chance } from "../edge/chance.ts";
import { collectGarbage } from "../edge/garbage.ts";
import { GroupCommit } from "../edge/group-commit.ts";
import { askPeer } from "../edge/peer-http.ts";
import { RequestHandler } from "../edge/request-handler.ts";
import { openSqliteFile, type SqliteFile } from "../edge/sqlite-file.ts";
import { Sweeper } from "../edge/sweeper.ts";
import { systemClock } from "../edge/system-clock.ts";
import { timers } from "../edge/timers.ts";
import { OUTBOX_SCHEMA, Outbox } from "../events/outbox.ts";
import { WEBHOOKS_SCHEMA, WebhookStore } from "../events/webhook-store.ts";
import { Webhooks } from "../events/webhooks.ts";
import type { Identity } from "../identity/identity.ts";
import { EmbeddedLedger } from "../ledger/embedded/embedded-ledger.ts";
import { LEDGER_SCHEMA, SqliteJournal } from "../ledger/embedded/sqlite-journal.ts";
import type { LedgerEvent } from "../ledger/ledger.ts";
import { REGISTRY_TICK_MS } from "../limits/registry.ts";
import { REFUND_TICK_MS, SHUTDOWN_MS_MAX, SWEEP_TICK_MS, WEBHOOK_TICK_MS } from "../limits.ts";
import type { PaymentProvider } from "../payment/provider.ts";
import { openProviders } from "../payment/providers.ts";
import { EmbeddedRefundBook } from "../payment/refund-book.ts";
import { REFUNDS_SCHEMA, RefundStore } from "../payment/refund-store.ts";
import { type Walk, walkThrough } from "../purchase.ts";
import { boardLinkRoutes } from "../sales/board-link.ts";
import { routes as saleRoutes } from "../sales/routes.ts";
import { SaleBook } from "../sales/sale-book.ts";
import { type EmbeddedSales, embeddedSales, SALES_SCHEMA } from "../sales/sale-store.ts";
import { doorLinkRoutes } from "../services/gate-keeper/door-link.ts";
import { routes as gateRoutes } from "../services/gate-keeper/service.ts";
import { walkLinkRoutes } from "../services/gate-keeper/walk-link.ts";
import { inventoryManagerLinkRoutes } from "../services/inventory-manager/link.ts";
import { InventoryManager, routes as inventoryRoutes } from "../services/inventory-manager/service.ts";
import { policyControllerLinkRoutes } from "../services/policy-controller/link.ts";
import { embeddedPolicies, POLICIES_SCHEMA } from "../services/policy-controller/policy-store.ts";
import { PolicyController, routes as policyRoutes } from "../services/policy-controller/service.ts";
import { DECISIONS_FROM_BLACKLIST, DECISIONS_SCHEMA, embeddedDecisions } from "../services/safe-protector/decision-store.ts";
import { safeProtectorLinkRoutes } from "../services/safe-protector/link.ts";
import { routes as protectorRoutes } from "../services/safe-protector/routes.ts";
import { SafeProtector } from "../services/safe-protector/service.ts";
import { RegistryNode } from "../services/service-registry/node.ts";
import { shoppingCartLinkRoutes } from "../services/shopping-cart/link.ts";
import { routes as cartRoutes, ShoppingCart } from "../services/shopping-cart/service.ts";
import type { ServiceName, Settings } from "../settings/table.ts";
import { EmbeddedTrail, TRAIL_SCHEMA } from "../trail/embedded-trail.ts";
import { trailRoutes } from "../trail/routes.ts";
import { trailedRoutes } from "../trail/trailed-routes.ts";
import { Announcement, registrarOf } from "./announcement.ts";
import { consoleBesideStore, type OpenConsole } from "./console-part.ts";
import { stockDemo } from "./demo.ts";
import { makeGate } from "./gate.ts";
import { type GateRecords, openGateRecords, requestsHeard } from "./gate-records.ts";
import { describeGauges } from "./gauges.ts";
import { drained, OpenPorts } from "./open-ports.ts";
import { Place } from "./place.ts";
import type { PortName } from "./ports.ts";
import { complain, openShoppersIdentity, type Process, reportBug } from "./process.ts";
import { type RunningAudit, runningAudit } from "./running-audit.ts";
import { guarded, Shop, sender } from "./shop.ts";
import { ShopWindow } from "./shop-window.ts";
import { openTraffic, type Traffic } from "./traffic.ts";

export const STORE_SCHEMA =
  LEDGER_SCHEMA + POLICIES_SCHEMA + DECISIONS_SCHEMA + SALES_SCHEMA + OUTBOX_SCHEMA + WEBHOOKS_SCHEMA + REFUNDS_SCHEMA + TRAIL_SCHEMA;
/** By the version of a store, what makes the next version of it. */
export const STORE_ADDITIONS: ReadonlyMap<number, string> = new Map([
  [2, TRAIL_SCHEMA],
  [3, DECISIONS_FROM_BLACKLIST],
]);

/** @param hasGate whether the public door is in this process */
export async function startEmbedded(settings: Settings, hasGate: boolean): Promise<Process> {
  const file = openSqliteFile(settings.data, STORE_SCHEMA, STORE_ADDITIONS);
  try {
    const gateRecords = hasGate ? await openGateRecords(settings, new Place(settings)) : null;
    const identity = await openShoppersIdentity(settings);
    const providers = await openProviders(settings.shop.providers, fetch, systemClock);
    return await new EmbeddedProcess({ settings, file, gateRecords, identity, providers }).listen();
  } catch (error) {
    file.close();
    throw error;
  }
}

/** What must be open before the parts are put together. */
interface Opened {
  readonly settings: Settings;
  readonly file: SqliteFile;
  /** `null`: the gate is elsewhere. */
  readonly gateRecords: GateRecords | null;
  readonly identity: Identity;
  readonly providers: readonly PaymentProvider[];
}

class EmbeddedProcess {
  readonly #settings: Settings;
  readonly #place: Place;
  readonly #file: SqliteFile;
  readonly #gateRecords: GateRecords | null;
  readonly #clock: Clock = systemClock;
  readonly #commit: GroupCommit;
  readonly #ledger: EmbeddedLedger;
  readonly #protector: SafeProtector;
  readonly #traffic: Traffic;
  readonly #saleTable: EmbeddedSales;
  readonly #sales: SaleBook;
  readonly #policies: PolicyController;
  readonly #inventory: InventoryManager;
  readonly #cart: ShoppingCart;
  readonly #registryNode: RegistryNode;
  readonly #identity: Identity;
  readonly #outbox: Outbox;
  readonly #keysInFlight = new Set<string>();
  readonly #gateThrottle: Throttle;
  readonly #refundBook: EmbeddedRefundBook;
  readonly #webhooks: Webhooks;
  readonly #trail: EmbeddedTrail;
  /** `null` where gates in processes of their own have it. */
  readonly #window: ShopWindow | null;
  readonly #shop: Shop;
  readonly #stopTicking: readonly (() => void)[];
  readonly #ports: OpenPorts;
  readonly #announcement: Announcement;
  readonly #audit: RunningAudit;
  /** `null`: it is switched off. */
  readonly #console: OpenConsole | null;
  readonly #sweeper: Sweeper;
  readonly #stopped = Promise.withResolvers<{ exitCode: number; message: string | null }>();
  #stopRegistryTicks = (): void => undefined;
  #failure: Failure | null = null;
  #closing: Promise<void> | null = null;

  constructor({ settings, file, gateRecords, identity, providers }: Opened) {
    this.#settings = settings;
    this.#place = new Place(settings);
    this.#identity = identity;
    this.#file = file;
    this.#commit = new GroupCommit(file.db, (failure) => this.#stopSelling(failure));
    this.#ledger = new EmbeddedLedger(new SqliteJournal(file.db, this.#commit), { emit: (event) => this.#tell(event) });
    // After the ledger: what that tells while a turn is being closed belongs to the same turn's row.
    this.#outbox = new Outbox(file.db, this.#commit, settings.shop.currency);
    const clock = this.#clock;
    this.#protector = new SafeProtector(embeddedDecisions(file.db, this.#commit), this.#throttle("safe-protector"), clock, collectGarbage);
    this.#traffic = openTraffic(settings, this.#protector);
    this.#gateRecords = gateRecords;
    gateRecords?.carriedBy(this.#traffic);
    this.#saleTable = embeddedSales(file.db, this.#commit, (event) => this.#outbox.add(event));
    this.#sales = new SaleBook({ sales: this.#saleTable, clock, newId: () => randomBytes(8).toString("hex") as SaleId });
    const policyThrottle = this.#throttle("policy-controller");
    const policies = embeddedPolicies(file.db, this.#commit);
    this.#policies = new PolicyController(policies, this.#ledger, policyThrottle, clock, this.#sales);
    this.#inventory = new InventoryManager(this.#ledger, this.#throttle("inventory-manager"), clock);
    this.#cart = new ShoppingCart(this.#ledger, this.#throttle("shopping-cart"), clock, settings.frozenForMs, this.#sales);
    // A gate elsewhere has asked its own throttle before it hands anything on.
    this.#gateThrottle = gateRecords ? this.#throttle("gate-keeper") : new Throttle({ ratePerSecond: null, burst: 1 }, clock);
    const { peerUrls } = settings.registry;
    this.#registryNode = new RegistryNode({ clock, peerUrls, ask: askPeer, report: complain });
    const isUp = (): boolean => this.#failure === null && this.#closing === null;
    this.#ports = new OpenPorts({ settings, place: this.#place, clock, isUp, onBug: reportBug });
    this.#announcement = new Announcement(this.#place, registrarOf(this.#registryNode.registry, clock), clock, isUp);
    this.#audit = runningAudit({ kind: "file", data: settings.data }, clock);
    this.#console = settings.console.isOn ? consoleBesideStore(settings, this.#place, clock, gateRecords !== null) : null;
    const turn = <T>(work: () => T): Promise<T> => this.#commit.turn(work);
    this.#refundBook = new EmbeddedRefundBook({
      store: new RefundStore(file.db),
      turns: { turn },
      emit: (event) => this.#outbox.add(event),
    });
    this.#trail = new EmbeddedTrail({ db: file.db, turns: { turn }, clock, report: complain });
    const tools = { outbox: this.#outbox, send: sender(settings), clock, random: chance, onBug: reportBug, turns: { turn }, randomBytes };
    this.#webhooks = new Webhooks(new WebhookStore(file.db), tools);
    this.#shop = new Shop({
      ...{ settings, ledger: this.#ledger, sales: this.#sales, policies: this.#policies, identity, providers, clock, onBug: reportBug },
      events: this.#outbox,
      webhooks: this.#webhooks,
      refundBook: this.#refundBook,
      saveRefund: (refund) => turn(() => this.#refundBook.request(refund)),
      demoSecret: randomBytes(32).toString("base64"),
      keysInFlight: this.#keysInFlight,
      keyClaims: null,
      throttle: this.#gateThrottle,
      gateUrl: this.#place.urlOf("GateKeeper"),
    });
    const { GateKeeper: gateMetrics } = this.#ports.metrics;
    this.#window = gateRecords && new ShopWindow(this.#shop.board, settings, gateMetrics, reportBug);
    this.#stopTicking = [
      timers.every(
        WEBHOOK_TICK_MS,
        guarded(() => this.#webhooks.tick(), reportBug),
      ),
      timers.every(REFUND_TICK_MS, () => void this.#shop.refunds.work().catch(reportBug)),
    ];
    const sweeps = [
      (now: UnixMs) => this.#ledger.sweep(now),
      (now: UnixMs) => this.#protector.sweep(now),
      (now: UnixMs) => this.#sales.announce(now),
      (now: UnixMs) => this.#outbox.sweep(now),
      (now: UnixMs) => this.#trail.sweep(now),
    ];
    this.#sweeper = new Sweeper(sweeps, clock, SWEEP_TICK_MS, reportBug);
    this.#traffic.describe(this.#ports.metrics.SafeProtector);
    describeGauges(this.#ports.metrics, {
      clock,
      protector: this.#protector,
      policies: this.#policies,
      sales: this.#sales,
      ledger: this.#ledger,
      outbox: this.#outbox,
      webhooks: this.#webhooks,
      refunds: this.#refundBook,
      applications: () => this.#registryNode.registry.applications().length,
    });
  }

  async listen(): Promise<Process> {
    const demoParts = { ledger: this.#ledger, policies: this.#policies, sales: this.#sales };
    const demoSale = this.#settings.demo ? await stockDemo(demoParts, this.#clock.now()) : null;
    await this.#registryNode.join();
    const routes = this.#routes();
    const names = Object.keys(routes) as PortName[];
    const all: readonly PortName[] = this.#console ? [...names, "Console"] : names;
    try {
      if (this.#console) this.#ports.open("Console", this.#console.routes, this.#console.viewers);
      // The public door opens last: whatever it needs is there by then.
      for (const name of names.toReversed()) {
        const isGate = name === "GateKeeper";
        const heard = isGate && this.#gateRecords ? requestsHeard(this.#place, this.#identity, this.#gateRecords) : undefined;
        const server = this.#ports.open(name, routes[name] ?? [], isGate ? this.#window?.viewers : undefined, heard);
        if (isGate) this.#window?.open(server);
      }
    } catch (error) {
      this.#ports.abort();
      this.#window?.close();
      this.#sweeper.stop();
      await this.#closeShop();
      await this.#gateRecords?.close();
      await this.#traffic.close();
      throw error;
    }
    this.#stopRegistryTicks = timers.every(REGISTRY_TICK_MS, () => this.#registryNode.tick());
    await this.#announcement.begin(names.filter((name) => name !== "ServiceRegistry"));
    await this.#console?.begin();
    return {
      addresses: all.map((service) => ({ service, url: this.#place.urlOf(service) })),
      demoSale,
      close: () => this.#close(0, null),
      stopped: this.#stopped.promise,
    };
  }

  #routes(): Partial<Record<PortName, Route[]>> {
    const behind = {
      SafeProtector: this.#behindTheGate("SafeProtector", [...protectorRoutes(this.#protector), ...this.#traffic.routes]),
      PolicyController: this.#behindTheGate("PolicyController", [
        ...policyRoutes(this.#policies),
        ...saleRoutes(this.#sales, this.#clock),
        ...trailRoutes(this.#trail),
      ]),
      InventoryManager: this.#behindTheGate("InventoryManager", inventoryRoutes(this.#inventory)),
      ShoppingCart: this.#behindTheGate("ShoppingCart", [...cartRoutes(this.#cart), ...this.#shop.cartRoutes(), ...this.#audit.routes]),
      ServiceRegistry: this.#registryNode.routes(),
    };
    if (this.#gateRecords) return { GateKeeper: this.#gateRoutes(this.#gateRecords), ...behind };
    behind.SafeProtector.push(...safeProtectorLinkRoutes(this.#protector), ...this.#traffic.linkRoutes);
    behind.PolicyController.push(...policyControllerLinkRoutes(this.#policies), ...boardLinkRoutes(this.#shop.board, this.#clock));
    behind.InventoryManager.push(...inventoryManagerLinkRoutes(this.#inventory));
    behind.ShoppingCart.push(...shoppingCartLinkRoutes(this.#cart, this.#ledger, this.#clock), ...this.#doorRoutes());
    behind.ShoppingCart.push(...walkLinkRoutes(this.#walk(), this.#clock, setImmediate));
    return behind;
  }

  #walk(): Walk {
    return walkThrough({
      safeProtector: this.#protector,
      policyController: this.#policies,
      inventoryManager: this.#inventory,
      shoppingCart: this.#cart,
      replies: this.#ledger,
      clock: this.#clock,
    });
  }

  /** The shopper's door, for gates in other processes. */
  #doorRoutes(): Route[] {
    const settings = { routes: this.#shop.doorRoutes(), adminKey: null, showsAbout: true, onBug: reportBug, onReply: () => undefined };
    const door = new RequestHandler(settings, () => "");
    return doorLinkRoutes((request) => door.answerByPath(request));
  }

  #gateRoutes(records: GateRecords): Route[] {
    const gate = makeGate({
      walk: this.#walk(),
      frozenForMs: this.#settings.frozenForMs,
      throttle: this.#gateThrottle,
      metrics: this.#ports.metrics.GateKeeper,
      records,
      instance: this.#place.instanceIdOf("GateKeeper"),
      keysInFlight: this.#keysInFlight,
      isIdentityProven: this.#identity.isProven,
      onBug: reportBug,
    });
    return [...gateRoutes(gate, this.#identity), ...this.#shop.doorRoutes(), ...(this.#window?.routes ?? [])];
  }

  /** What operators change here is put down first. Where shoppers prove who they are, the gate is their only door: a cart that anybody could fill beside
   *  it would make the proof worthless. */
  #behindTheGate(service: PortName, routes: readonly Route[]): Route[] {
    const trailed = trailedRoutes(service, routes, this.#trail);
    if (!this.#identity.isProven) return trailed;
    return trailed.map((route) => ({ ...route, endpoint: { ...route.endpoint, needsAdminKey: true } }));
  }

  #throttle(service: ServiceName): Throttle {
    return new Throttle(this.#settings.throttles[service], this.#clock);
  }

  /** Within a turn. What is due back is asked for in the same commit that finds it due. */
  #tell(event: LedgerEvent): void {
    // A sale's start is told before the first hold in it, whenever the sweeper comes by.
    if (event.at >= this.#sales.nextChangeAt) this.#saleTable.table.changeInTurn(this.#sales.tellDue());
    this.#outbox.add(event);
    if (event.type !== "order.refund-due") return;
    const { payment, orderId } = event.order;
    assert(payment !== null, "money made the order refund-due");
    // An order of free goods can expire while it is being paid with nothing.
    if (payment.amountCents > 0) this.#refundBook.request(this.#shop.refunds.requested(payment, orderId));
  }

  /** Fail-stop: nothing is sold any more; what is in flight hears 503, and the process ends and says why. */
  #stopSelling(failure: Failure): void {
    this.#failure = failure;
    void this.#close(1, whyStopped(failure));
  }

  #close(exitCode: number, message: string | null): Promise<void> {
    this.#closing ??= this.#closeOnce(exitCode, message);
    return this.#closing;
  }

  async #closeShop(): Promise<void> {
    for (const stop of this.#stopTicking) stop();
    this.#audit.close();
    await this.#shop.close();
    await this.#webhooks.close();
  }

  async #closeOnce(exitCode: number, message: string | null): Promise<void> {
    await this.#announcement.end();
    // One that has stopped selling keeps nobody waiting.
    if (message === null) await drained(this.#settings.topology.drainForMs);
    this.#stopRegistryTicks();
    this.#console?.close();
    this.#sweeper.stop();
    timers.after(SHUTDOWN_MS_MAX, () => this.#ports.abort());
    this.#shop.endStreams();
    this.#window?.close();
    await Promise.all([this.#ports.close(), this.#registryNode.close()]);
    await this.#closeShop();
    this.#commit.close();
    await this.#gateRecords?.close();
    await this.#traffic.close();
    this.#file.close();
    // A commit can still fail while the last requests are answered.
    this.#stopped.resolve(this.#failure ? { exitCode: 1, message: whyStopped(this.#failure) } : { exitCode, message });
  }
}

const whyStopped = (failure: Failure): string =>
  `stopped selling: ${failure.message}. Nothing that was acknowledged is lost. Repair the cause (disk full?), then start again`;

/**
 * Which services run in this process, over which store, behind which ports. The only file that knows. Today there is one topology: everything
 * in one process, on the embedded store.
 */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { join } from "node:path";
import packageJson from "../package.json" with { type: "json" };
import { assert } from "./core/assert.ts";
import type { Route } from "./core/endpoint.ts";
import type { Failure } from "./core/failure.ts";
import type { SaleId } from "./core/ids.ts";
import { Throttle } from "./core/throttle.ts";
import type { Clock, UnixMs } from "./core/time.ts";
import { traceIds } from "./core/trace-id.ts";
import { AccessLog } from "./edge/access-log.ts";
import { GroupCommit } from "./edge/group-commit.ts";
import { HttpServer } from "./edge/http-server.ts";
import { fetchKeySet, readKeyFile } from "./edge/key-text.ts";
import { ServiceMetrics } from "./edge/metrics.ts";
import { openSqliteFile, type SqliteFile } from "./edge/sqlite-file.ts";
import { Sweeper } from "./edge/sweeper.ts";
import { systemClock } from "./edge/system-clock.ts";
import { timers } from "./edge/timers.ts";
import { OUTBOX_SCHEMA, Outbox } from "./events/outbox.ts";
import { WEBHOOKS_SCHEMA } from "./events/webhook-store.ts";
import type { Greeter } from "./greeting.ts";
import type { Identity } from "./identity/identity.ts";
import { openIdentity } from "./identity/open-identity.ts";
import { EmbeddedLedger } from "./ledger/embedded/embedded-ledger.ts";
import { LEDGER_SCHEMA, SqliteJournal } from "./ledger/embedded/sqlite-journal.ts";
import type { LedgerEvent } from "./ledger/ledger.ts";
import { LEASE_DURATION_SECONDS, LEASE_RENEWAL_MS, SHUTDOWN_MS_MAX, SWEEP_TICK_MS } from "./limits.ts";
import type { PaymentProvider } from "./payment/provider.ts";
import { openProviders } from "./payment/providers.ts";
import { REFUNDS_SCHEMA } from "./payment/refund-store.ts";
import type { Outcome } from "./purchase.ts";
import { routes as saleRoutes } from "./sales/routes.ts";
import { SaleBook } from "./sales/sale-book.ts";
import { type EmbeddedSales, embeddedSales, SALES_SCHEMA } from "./sales/sale-store.ts";
import { GateKeeper, routes as gateRoutes } from "./services/gate-keeper/service.ts";
import { type Health, healthRoutes } from "./services/health.ts";
import { InventoryManager, routes as inventoryRoutes } from "./services/inventory-manager/service.ts";
import { embeddedPolicies, POLICIES_SCHEMA } from "./services/policy-controller/policy-store.ts";
import { PolicyController, routes as policyRoutes } from "./services/policy-controller/service.ts";
import { DECISIONS_SCHEMA, embeddedDecisions } from "./services/safe-protector/decision-store.ts";
import { routes as protectorRoutes, SafeProtector } from "./services/safe-protector/service.ts";
import { type Instance, instanceIdOf, ourInstance } from "./services/service-registry/instance.ts";
import { routes as registryRoutes, ServiceRegistry } from "./services/service-registry/service.ts";
import { routes as cartRoutes, ShoppingCart } from "./services/shopping-cart/service.ts";
import { hostListenedOn, type ServiceName, type Settings } from "./settings/table.ts";
import { stockDemo } from "./topology/demo.ts";
import { describedRoutes } from "./topology/description.ts";
import { describeGauges } from "./topology/gauges.ts";
import { PORTS, type PortName } from "./topology/ports.ts";
import { Shop } from "./topology/shop.ts";

export const STORE_SCHEMA =
  LEDGER_SCHEMA + POLICIES_SCHEMA + DECISIONS_SCHEMA + SALES_SCHEMA + OUTBOX_SCHEMA + WEBHOOKS_SCHEMA + REFUNDS_SCHEMA;

export interface Running extends Greeter {
  /** Stops accepting, answers what is in flight, commits, closes. */
  close(): Promise<void>;
  /** Resolves when everything is closed: exit code and, when it stopped by itself, why. */
  readonly stopped: Promise<{ readonly exitCode: number; readonly message: string | null }>;
}

/** Starts everything in this process. Throws, with one line for the operator, when the store or a port cannot be had. */
export async function start(settings: Settings): Promise<Running> {
  const file = openSqliteFile(settings.data, STORE_SCHEMA);
  try {
    const accessLog = await AccessLog.open({ folder: join(settings.data, "access-log"), ...settings.accessLog }, complain);
    const { identity: who, providers: payment } = settings.shop;
    const io = { clock: systemClock, readFile: readKeyFile, fetchText: fetchKeySet, report: complain };
    const identity = await openIdentity(who, io);
    const providers = await openProviders(payment, fetch, systemClock);
    return await new OneProcess({ settings, file, accessLog, identity, providers }).listen();
  } catch (error) {
    file.close();
    throw error;
  }
}

function complain(message: string): void {
  process.stderr.write(`doorbuster: ${message}\n`);
}

function reportBug(error: unknown): void {
  complain(`a bug, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
}

/** What must be open before the parts are put together. */
interface Opened {
  readonly settings: Settings;
  readonly file: SqliteFile;
  readonly accessLog: AccessLog;
  readonly identity: Identity;
  readonly providers: readonly PaymentProvider[];
}

class OneProcess {
  readonly #settings: Settings;
  readonly #file: SqliteFile;
  readonly #accessLog: AccessLog;
  readonly #clock: Clock = systemClock;
  readonly #startedUs = systemClock.monotonicUs();
  readonly #commit: GroupCommit;
  readonly #ledger: EmbeddedLedger;
  readonly #protector: SafeProtector;
  readonly #saleTable: EmbeddedSales;
  readonly #sales: SaleBook;
  readonly #policies: PolicyController;
  readonly #inventory: InventoryManager;
  readonly #cart: ShoppingCart;
  readonly #registry = new ServiceRegistry();
  readonly #metrics: Readonly<Record<PortName, ServiceMetrics>>;
  readonly #identity: Identity;
  readonly #outbox: Outbox;
  readonly #keysInFlight = new Set<string>();
  readonly #gateThrottle: Throttle;
  readonly #shop: Shop;
  readonly #gate: GateKeeper;
  readonly #servers: HttpServer[] = [];
  readonly #sweeper: Sweeper;
  readonly #stopped = Promise.withResolvers<{ exitCode: number; message: string | null }>();
  #instances: Instance[] = [];
  #stopRenewing = (): void => undefined;
  #failure: Failure | null = null;
  #closing: Promise<void> | null = null;

  constructor({ settings, file, accessLog, identity, providers }: Opened) {
    this.#settings = settings;
    this.#identity = identity;
    this.#file = file;
    this.#accessLog = accessLog;
    this.#commit = new GroupCommit(file.db, (failure) => this.#stopSelling(failure));
    this.#ledger = new EmbeddedLedger(new SqliteJournal(file.db, this.#commit), { emit: (event) => this.#tell(event) });
    // After the ledger: what that tells while a turn is being closed belongs to the same turn's row.
    this.#outbox = new Outbox(file.db, this.#commit, settings.shop.currency);
    const clock = this.#clock;
    this.#protector = new SafeProtector(embeddedDecisions(file.db, this.#commit), this.#throttle("safe-protector"), clock);
    this.#saleTable = embeddedSales(file.db, this.#commit, (event) => this.#outbox.add(event));
    this.#sales = new SaleBook({ sales: this.#saleTable, clock, newId: () => randomBytes(8).toString("hex") as SaleId });
    const policyThrottle = this.#throttle("policy-controller");
    const policies = embeddedPolicies(file.db, this.#commit);
    this.#policies = new PolicyController(policies, this.#ledger, policyThrottle, clock, this.#sales);
    this.#inventory = new InventoryManager(this.#ledger, this.#throttle("inventory-manager"), clock);
    this.#cart = new ShoppingCart(this.#ledger, this.#throttle("shopping-cart"), clock, settings.frozenForMs, this.#sales);
    this.#gateThrottle = this.#throttle("gate-keeper");
    this.#metrics = Object.fromEntries(Object.keys(PORTS).map((name) => [name, new ServiceMetrics(name)])) as Record<
      PortName,
      ServiceMetrics
    >;
    this.#shop = new Shop({
      ...{ settings, db: file.db, commit: this.#commit, ledger: this.#ledger, outbox: this.#outbox, sales: this.#sales },
      ...{
        policies: this.#policies,
        identity,
        providers,
        keysInFlight: this.#keysInFlight,
        throttle: this.#gateThrottle,
        gateUrl: this.#urlOf("GateKeeper"),
      },
      ...{ clock, onBug: reportBug },
    });
    this.#gate = this.#makeGate();
    const sweeps = [
      (now: UnixMs) => this.#ledger.sweep(now),
      (now: UnixMs) => this.#protector.sweep(now),
      (now: UnixMs) => this.#sales.announce(now),
      (now: UnixMs) => this.#outbox.sweep(now),
    ];
    this.#sweeper = new Sweeper(sweeps, clock, SWEEP_TICK_MS, reportBug);
    for (const name of Object.keys(PORTS) as PortName[]) this.#metrics[name].describeBuild(this.#instanceIdOf(name), packageJson.version);
    describeGauges(this.#metrics, {
      gate: this.#gate,
      accessLog,
      protector: this.#protector,
      policies: this.#policies,
      sales: this.#sales,
      ledger: this.#ledger,
      outbox: this.#outbox,
      webhooks: this.#shop.webhooks,
      refunds: this.#shop.refunds,
      applications: () => this.#registry.applications(this.#clock.now()).length,
    });
  }

  async listen(): Promise<Running> {
    const demoParts = { ledger: this.#ledger, policies: this.#policies, sales: this.#sales };
    const demoSale = this.#settings.demo ? await stockDemo(demoParts, this.#clock.now()) : null;
    const routes: Readonly<Record<PortName, Route[]>> = {
      GateKeeper: [...gateRoutes(this.#gate, this.#identity), ...this.#shop.gateRoutes()],
      SafeProtector: this.#behindTheGate(protectorRoutes(this.#protector)),
      PolicyController: this.#behindTheGate([...policyRoutes(this.#policies), ...saleRoutes(this.#sales, this.#clock)]),
      InventoryManager: this.#behindTheGate(inventoryRoutes(this.#inventory)),
      ShoppingCart: this.#behindTheGate([...cartRoutes(this.#cart), ...this.#shop.cartRoutes()]),
      ServiceRegistry: registryRoutes(this.#registry, this.#clock),
    };
    const names = Object.keys(PORTS) as PortName[];
    try {
      // The public door opens last: whatever it needs is there by then.
      for (const name of names.toReversed()) this.#servers.push(this.#serve(name, routes[name]));
    } catch (error) {
      for (const server of this.#servers) server.abort();
      this.#sweeper.stop();
      await this.#shop.close();
      await this.#accessLog.close();
      throw error;
    }
    this.#register(names.filter((name) => name !== "ServiceRegistry"));
    return {
      addresses: names.map((service) => ({ service, url: this.#urlOf(service) })),
      demoSale,
      close: () => this.#close(0, null),
      stopped: this.#stopped.promise,
    };
  }

  /** Where shoppers prove who they are, the gate is their only door: a cart that anybody could fill beside it would make the proof worthless. */
  #behindTheGate(routes: readonly Route[]): Route[] {
    if (!this.#identity.isProven) return [...routes];
    return routes.map((route) => ({ ...route, endpoint: { ...route.endpoint, needsAdminKey: true } }));
  }

  #makeGate(): GateKeeper {
    const throttle = this.#gateThrottle;
    const countPurchase = this.#metrics.GateKeeper.purchases();
    return new GateKeeper({
      services: {
        admit: (wanted) => throttle.admit(wanted),
        safeProtector: this.#protector,
        policyController: this.#policies,
        inventoryManager: this.#inventory,
        shoppingCart: this.#cart,
        replies: this.#ledger,
        clock: this.#clock,
      },
      clock: this.#clock,
      nextTraceId: traceIds(randomBytes(16).toString("hex")),
      instance: this.#instanceIdOf("GateKeeper"),
      nextTurn: setImmediate,
      record: (line) => this.#accessLog.add(line),
      count: (outcome, totalUs) => countPurchase(endOf(outcome), totalUs),
      retryAfterSeconds: () => throttle.retryAfterSeconds(),
      onBug: reportBug,
      keysInFlight: this.#keysInFlight,
      isIdentityProven: this.#identity.isProven,
    });
  }

  #throttle(service: ServiceName): Throttle {
    return new Throttle(this.#settings.throttles[service], this.#clock);
  }

  #urlOf(name: PortName): string {
    const host = reachableHost(hostListenedOn(this.#settings));
    return `http://${host.includes(":") ? `[${host}]` : host}:${this.#portOf(name)}`;
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
    if (payment.amountCents > 0) this.#shop.refunds.request(payment, orderId);
  }

  #instanceIdOf(name: PortName): string {
    return instanceIdOf(reachableHost(hostListenedOn(this.#settings)), name, this.#portOf(name));
  }

  #portOf(name: PortName): number {
    return PORTS[name] + this.#settings.portOffset;
  }

  #serve(name: PortName, routes: readonly Route[]): HttpServer {
    const metrics = this.#metrics[name];
    const port = this.#portOf(name);
    try {
      return new HttpServer({
        host: hostListenedOn(this.#settings),
        port,
        routes: describedRoutes(name, [
          ...routes,
          ...healthRoutes(
            () => this.#health(name),
            () => metrics.text(),
          ),
        ]),
        adminKey: this.#settings.adminKey,
        onBug: reportBug,
        onReply: (status) => metrics.countReply(status),
      });
    } catch (error) {
      throw new Error(
        `${name} cannot listen on port ${port} (${error instanceof Error ? error.message : String(error)}); free it, or give --port-offset`,
      );
    }
  }

  #health(name: PortName): Health {
    const uptimeSeconds = Math.floor((this.#clock.monotonicUs() - this.#startedUs) / 1_000_000);
    const details = name === "GateKeeper" ? {} : { instance: this.#instanceIdOf(name), pid: process.pid, uptimeSeconds };
    return { isUp: this.#failure === null && this.#closing === null, details };
  }

  #register(names: readonly PortName[]): void {
    const host = reachableHost(hostListenedOn(this.#settings));
    const now = this.#clock.now();
    this.#instances = names.map((app) => ourInstance({ app, host, port: this.#portOf(app), now, leaseSeconds: LEASE_DURATION_SECONDS }));
    for (const instance of this.#instances) this.#registry.register(instance, now);
    this.#stopRenewing = timers.every(LEASE_RENEWAL_MS, () => {
      for (const instance of this.#instances) {
        // A lease can lapse while the whole process is stopped, by a debugger for one.
        const renewed = this.#registry.renew(instance.app, instance.instanceId, this.#clock.now());
        if (renewed === "unknown") this.#registry.register(instance, this.#clock.now());
      }
    });
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

  async #closeOnce(exitCode: number, message: string | null): Promise<void> {
    this.#stopRenewing();
    for (const { app, instanceId } of this.#instances) this.#registry.cancel(app, instanceId, this.#clock.now());
    this.#sweeper.stop();
    timers.after(SHUTDOWN_MS_MAX, () => {
      for (const server of this.#servers) server.abort();
    });
    this.#shop.endStreams();
    await Promise.all(this.#servers.map((server) => server.close()));
    await this.#shop.close();
    this.#commit.close();
    await this.#accessLog.close();
    this.#file.close();
    // A commit can still fail while the last requests are answered.
    this.#stopped.resolve(this.#failure ? { exitCode: 1, message: whyStopped(this.#failure) } : { exitCode, message });
  }
}

const whyStopped = (failure: Failure): string =>
  `stopped selling: ${failure.message}. Nothing that was acknowledged is lost. Repair the cause (disk full?), then start again`;

/** Under which name others reach a host that is listened on: a wildcard stands for all addresses of this machine and is none itself. */
const reachableHost = (listened: string): string => (listened === "0.0.0.0" || listened === "::" ? hostname() : listened);

/** How a purchase ended, as the metrics name it. */
function endOf(outcome: Outcome): string {
  if (outcome.kind === "held") return "success";
  return outcome.kind === "refused" ? outcome.reason : outcome.kind;
}

/** The system under measurement: `start` in a process of its own, and the few calls that set it up and look at what it did. */
import { join } from "node:path";
import { DEFAULT_SCENARIOS } from "../src/traffic/default-scenarios.ts";
import { Child, freePortOffset, PROJECT } from "./processes.ts";

export const MAIN = join(PROJECT, "src", "main.ts");

const ROLES_BEHIND = ["safe-protector", "policy-controller", "inventory-manager", "shopping-cart"] as const;

export interface Bought {
  readonly status: number;
  readonly reason: string | null;
  readonly isAccepted: boolean;
  readonly bodyBytes: number;
}

/** The crowd of a benchmark is an attack in everything: thousands of accounts, from one address, as fast as it goes. So every scenario asks for one
 *  thing more that never happens, and asks for it last. */
const NOBODY_IS_BLOCKED = [
  "--scenarios",
  JSON.stringify(
    DEFAULT_SCENARIOS.map((scenario) => ({ ...scenario, when: [...scenario.when, { signal: "blocked", of: "requests", atLeast: 1_000 }] })),
  ),
] as const;

export class System {
  readonly #child: Child;
  /** Further processes of the system, in the order in which they were started. */
  readonly #others: readonly Child[];
  readonly #offset: number;

  private constructor(
    child: Child,
    offset: number,
    readonly startMs: number,
    others: readonly Child[] = [],
  ) {
    this.#others = others;
    this.#child = child;
    this.#offset = offset;
  }

  /** Resolves when the system says that it is ready; `startMs` counts from the start of the process. */
  static async start(dataDir: string, flags: readonly string[] = [], bunFlags: readonly string[] = []): Promise<System> {
    const offset = freePortOffset();
    const child = new Child(
      "the system",
      [MAIN, "start", "--data", dataDir, "--port-offset", `${offset}`, ...NOBODY_IS_BLOCKED, ...flags],
      bunFlags,
    );
    await child.ready();
    return new System(child, offset, performance.now() - child.startedAt);
  }

  /** Each service in a process of its own, over this Redis and this Postgres, which is migrated. */
  static async startServices(redisUrl: string, postgresUrl: string, dataDir: string): Promise<System> {
    const offset = freePortOffset();
    const shared = [
      ...NOBODY_IS_BLOCKED,
      "--redis",
      redisUrl,
      "--postgres",
      postgresUrl,
      "--registry",
      `http://127.0.0.1:${8761 + offset}`,
    ];
    const children: Child[] = [];
    for (const role of ["service-registry", ...ROLES_BEHIND, "gate-keeper"]) {
      const child = new Child(role, [MAIN, "start", role, "--data", dataDir, "--port-offset", `${offset}`, ...shared]);
      await child.ready();
      children.push(child);
    }
    const gate = children.pop() as Child;
    return new System(gate, offset, performance.now() - gate.startedAt, children);
  }

  get pid(): number {
    return this.#child.pid;
  }
  /** Of the four services behind the gate, where each has a process of its own. */
  get pidsBehindGate(): readonly number[] {
    return this.#others.slice(1).map(({ pid }) => pid);
  }
  /** The GateKeeper's port. */
  get port(): number {
    return 8080 + this.#offset;
  }

  /** The process behind an operator's port. */
  pidOf(service: "ShoppingCart"): Promise<number> {
    return this.#pidAt({ ShoppingCart: 8084 }[service]);
  }
  /** A gate's process, where there are several: it tells so on a port of its own. */
  gatePid(number: number): Promise<number> {
    return this.#pidAt(8180 + number);
  }

  putGoods(goodsSKU: string, goodsQuantity: number): Promise<void> {
    return this.#post(8083, "/add", { goodsSKU, goodsQuantity, goodsPrice: 99.9 });
  }
  putPolicy(goodsSKU: string, userLevel: number, quantityLimit: number): Promise<void> {
    return this.#post(8082, "/policy/add", { goodsSKU, userLevel, quantityLimit });
  }
  /** A sale of one SKU that is on. */
  putSale(id: string, goodsSKU: string): Promise<void> {
    const hour = 3_600_000;
    const [startsAt, endsAt] = [Date.now() - hour, Date.now() + hour].map((at) => new Date(at).toISOString());
    return this.#post(8082, "/sales", { id, name: "The benchmark", startsAt, endsAt, items: [{ goodsSKU, salePrice: 49.9 }] });
  }
  blockAddress(clientIP: string): Promise<void> {
    return this.#post(8081, "/badip/add", { clientIP, isBadIP: true });
  }

  /** One purchase, to see what kind of answer the crowd gets. */
  async buy(userID: string, goodsSKU: string, clientIP: string): Promise<Bought> {
    const body = { sessionID: "xxxx", clientIP, userID, userLevel: 5, goodsSKU, goodsQuantity: 1 };
    const reply = await this.#fetch(8080, "/buy", body);
    const text = await reply.text();
    const { repResult, reason } = JSON.parse(text) as { repResult: boolean; reason?: string | null };
    return { status: reply.status, reason: reason ?? null, isAccepted: repResult, bodyBytes: Buffer.byteLength(text) };
  }

  /** How many purchases have ended so, by the gate's own count; `null`: accepted. */
  async ended(reason: string | null): Promise<number> {
    return this.#metric(`doorbuster_purchases_total{reason="${reason ?? "success"}",service="GateKeeper"}`);
  }
  /** Access-log records that were given up because the disk could not follow: they would make a purchase look cheaper than it is. */
  recordsDropped(): Promise<number> {
    return this.#metric('doorbuster_access_log_dropped_total{service="GateKeeper"}');
  }

  /** What is frozen of one SKU, or of all goods together: how many purchases were accepted. */
  async frozen(goodsSKU: string | null): Promise<number> {
    const reply = await fetch(this.#url(8083, goodsSKU === null ? "/all" : `/sku/${goodsSKU}`));
    if (!reply.ok) throw new Error(`the inventory answered ${reply.status}: ${await reply.text()}`);
    const answer = (await reply.json()) as { frozenQuantity: number } | { frozenQuantity: number }[];
    return (Array.isArray(answer) ? answer : [answer]).reduce((sum, goods) => sum + goods.frozenQuantity, 0);
  }

  async stock(goodsSKU: string): Promise<{ readonly onHand: number; readonly frozen: number }> {
    const reply = await fetch(this.#url(8083, `/sku/${goodsSKU}`));
    const { goodsQuantity, frozenQuantity } = (await reply.json()) as { goodsQuantity: number; frozenQuantity: number };
    return { onHand: goodsQuantity, frozen: frozenQuantity };
  }

  /** Milliseconds since the start of the process. */
  ageMs(): number {
    return performance.now() - this.#child.startedAt;
  }

  async stop(): Promise<void> {
    await this.#child.stop();
    for (const other of this.#others.toReversed()) await other.stop();
  }

  async #pidAt(port: number): Promise<number> {
    const reply = await fetch(this.#url(port, "/health"));
    return ((await reply.json()) as { pid: number }).pid;
  }

  async #metric(name: string): Promise<number> {
    const text = await (await fetch(this.#url(8080, "/metrics"))).text();
    const line = text.split("\n").find((each) => each.startsWith(`${name} `));
    return Number(line?.slice(name.length + 1) ?? 0);
  }

  #url(port: number, path: string): string {
    return `http://127.0.0.1:${port + this.#offset}${path}`;
  }

  #fetch(port: number, path: string, body: unknown): Promise<Response> {
    return fetch(this.#url(port, path), { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  }

  async #post(port: number, path: string, body: unknown): Promise<void> {
    const reply = await this.#fetch(port, path, body);
    if (!reply.ok) throw new Error(`${path} answered ${reply.status}: ${await reply.text()}`);
  }
}

/**
 * A crowd that does not give up: every buyer asks again with the same key until they are told yes or no, as a client library does. After
 * whatever happened to the system meanwhile, what they were told is what is in the store, no unit more or less.
 */
import { expect } from "bun:test";
import { HttpLoadClient, requestText, targetOf } from "../src/edge/http-load-client.ts";
import { getJson, postJson, type System } from "./system.ts";
import { waitFor } from "./wait.ts";

const CONNECTIONS = 32;
/** Between two tries of one buyer. */
const PATIENCE_MS = 20;
const REPLY_SECONDS_MAX = 15;
/** How often a balancer asks the doors for their health, and how long it waits for an answer. */
const HEALTH_TICK_MS = 50;
const HEALTH_MS_MAX = 1_000;

/** The doors of a system: several where there are several gates, and then the crowd goes only through those that say that they are UP. */
export type Doors = Pick<System, "gate" | "inventory" | "cart"> & { readonly gates?: readonly string[] };

export class Crowd {
  /** By buyer: whether they have the goods. */
  readonly told = new Map<string, boolean>();
  /** How often which answer came: a status, or `cut`. */
  readonly answers = new Map<string, number>();
  /** The most that any buyer has had to ask. */
  attemptsMax = 0;
  readonly #system: Doors;
  readonly #sku: string;
  readonly #name: string;
  #bought = 0;
  readonly #closed = new Set<string>();
  #inARow = 0;
  #lastFailureMs = 0;
  #isEnough = false;
  #running: Promise<void> | null = null;

  private constructor(system: Doors, sku: string, name: string) {
    this.#system = system;
    this.#sku = sku;
    this.#name = name;
  }

  /** Puts goods on the shelf and lets the crowd begin. */
  static async come(system: Doors, sku: string, stock: number, name = "buyer"): Promise<Crowd> {
    await stocked(system, sku, stock);
    const crowd = new Crowd(system, sku, name);
    crowd.#running = crowd.#run();
    return crowd;
  }

  /** Resolves when so many more have been told something. */
  async more(count: number): Promise<void> {
    const before = this.told.size;
    await waitFor(() => this.told.size >= before + count, `${count} more buyers of ${this.#sku} have been told`, 60_000);
  }

  /** Resolves when so many more have been told in a row and nobody was sent away or cut off between them. */
  async calm(count: number): Promise<void> {
    this.#inARow = 0;
    await waitFor(() => this.#inARow >= count, `${count} in a row have been told; so far ${this.#told()}`, 60_000);
  }

  /** By the clock of `performance.now`: when somebody was last sent away or cut off. */
  get lastFailureMs(): number {
    return this.#lastFailureMs;
  }

  /** Nobody new comes; resolves when everybody has been told. */
  async leave(): Promise<void> {
    this.#isEnough = true;
    await this.#running;
  }

  get held(): readonly string[] {
    return [...this.told].filter(([, isHeld]) => isHeld).map(([user]) => user);
  }

  /** What they were told is what there is. */
  async expectTrue(): Promise<void> {
    const { held } = this;
    expect(held.length).toBeGreaterThan(0);
    expect((await getJson(`${this.#system.inventory}/sku/${this.#sku}`)).body).toMatchObject({ frozenQuantity: held.length });
    const step = Math.max(1, Math.floor(held.length / 50));
    for (let index = 0; index < held.length; index += step) {
      const { body } = await getJson(`${this.#system.cart}/all/userid/${held[index]}`);
      expect(body).toMatchObject([{ goodsSKU: this.#sku, goodsQuantity: 1 }]);
    }
  }

  #isClosed(at: number): boolean {
    const { gates = [] } = this.#system;
    return this.#closed.has(gates[at % gates.length] ?? "");
  }

  #told(): string {
    return JSON.stringify(Object.fromEntries(this.answers));
  }

  async #run(): Promise<void> {
    const size = { connections: CONNECTIONS, waitingMax: CONNECTIONS, replySecondsMax: this.#system.gates ? 4 : REPLY_SECONDS_MAX };
    const doors = this.#system.gates ?? [this.#system.gate];
    const clients = await Promise.all(doors.map((door) => HttpLoadClient.open(targetOf(door), size)));
    const worker = async (_: unknown, index: number): Promise<void> => {
      let at = index;
      while (!this.#isEnough) at = await this.#buy(clients, at);
    };
    if (doors.length > 1) for (const door of doors) void this.#watch(door);
    await Promise.all(Array.from({ length: CONNECTIONS }, worker));
    for (const client of clients) client.close();
  }

  async #watch(door: string): Promise<void> {
    while (!this.#isEnough) {
      const isUp = await fetch(`${door}/health`, { signal: AbortSignal.timeout(HEALTH_MS_MAX) }).then(
        ({ ok }) => ok,
        () => false,
      );
      if (isUp) this.#closed.delete(door);
      else this.#closed.add(door);
      await Bun.sleep(HEALTH_TICK_MS);
    }
  }

  /** @returns at which door the buyer was told */
  async #buy(clients: readonly HttpLoadClient[], firstAt: number): Promise<number> {
    const userID = `${this.#name}-${this.#bought}`;
    this.#bought += 1;
    // A private address: from one on the Internet, such a crowd is what the analysis of the traffic catches.
    const body = { clientIP: "10.0.0.7", userID, userLevel: 5, goodsSKU: this.#sku, goodsQuantity: 1 };
    const request = requestText("POST", "/buy", body, { "idempotency-key": `${userID} of ${this.#sku}`.replaceAll(" ", "-") });
    for (let at = firstAt, attempt = 1; ; attempt += 1) {
      this.attemptsMax = Math.max(this.attemptsMax, attempt);
      if (this.#isClosed(at) && !this.#isClosed(at + 1)) at += 1;
      const exchange = await (clients[at % clients.length] as HttpLoadClient).ask(request);
      const answer = exchange.kind === "reply" ? String(exchange.status) : exchange.kind;
      this.answers.set(answer, (this.answers.get(answer) ?? 0) + 1);
      if (exchange.kind === "reply" && exchange.status === 200) {
        this.told.set(userID, (JSON.parse(exchange.body) as { repResult: boolean }).repResult);
        this.#inARow += 1;
        return at;
      }
      this.#inARow = 0;
      this.#lastFailureMs = performance.now();
      const mayPass = exchange.kind !== "reply" || [409, 429, 503].includes(exchange.status);
      if (!mayPass) throw new Error(`${userID} was answered with ${answer}: ${exchange.body}`);
      // A door that does not open is left for the next one, as a balancer in front of them would.
      if (exchange.kind !== "reply") at += 1;
      await Bun.sleep(PATIENCE_MS);
    }
  }
}

/** Puts goods on the shelf. Just after a fault a part of the store may still be compared, and says so with 503: an operator asks again. */
export async function stocked({ inventory }: Pick<Doors, "inventory">, sku: string, stock: number): Promise<void> {
  const goods = { goodsSKU: sku, goodsQuantity: stock, goodsPrice: 9.9 };
  await waitFor(async () => {
    const { status } = await postJson(`${inventory}/add`, goods);
    expect([200, 503]).toContain(status);
    return status === 200;
  }, `there are goods ${sku}`);
}

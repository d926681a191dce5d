/**
 * A crowd that does not give up: every buyer asks again with the same key until they are told yes or no, as a client library does. After
 * whatever happened to the system meanwhile, what they were told is what is in the store, no unit more or less.
 */
import { expect } from "bun:test";
import { HttpLoadClient, type LoadExchange, requestText, targetOf } from "../src/edge/http-load-client.ts";
import { getJson, postJson, type System } from "./system.ts";
import { waitFor } from "./wait.ts";

const CONNECTIONS = 32;
/** Between two tries of one buyer. */
const PATIENCE_MS = 20;
const REPLY_SECONDS_MAX = 15;

export class Crowd {
  /** By buyer: whether they have the goods. */
  readonly told = new Map<string, boolean>();
  /** How often which answer came: a status, or `cut`. */
  readonly answers = new Map<string, number>();
  readonly #system: System;
  readonly #sku: string;
  readonly #name: string;
  #bought = 0;
  #isEnough = false;
  #running: Promise<void> | null = null;

  private constructor(system: System, sku: string, name: string) {
    this.#system = system;
    this.#sku = sku;
    this.#name = name;
  }

  /** Puts goods on the shelf and lets the crowd begin. */
  static async come(system: System, sku: string, stock: number, name = "buyer"): Promise<Crowd> {
    expect((await postJson(`${system.inventory}/add`, { goodsSKU: sku, goodsQuantity: stock, goodsPrice: 9.9 })).status).toBe(200);
    const crowd = new Crowd(system, sku, name);
    crowd.#running = crowd.#run();
    return crowd;
  }

  /** Resolves when so many more have been told something. */
  async more(count: number): Promise<void> {
    const before = this.told.size;
    await waitFor(() => this.told.size >= before + count, `${count} more buyers of ${this.#sku} have been told`, 60_000);
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

  async #run(): Promise<void> {
    const size = { connections: CONNECTIONS, waitingMax: CONNECTIONS, replySecondsMax: REPLY_SECONDS_MAX };
    const client = await HttpLoadClient.open(targetOf(this.#system.gate), size);
    const worker = async (): Promise<void> => {
      while (!this.#isEnough) await this.#buy(client);
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, worker));
    client.close();
  }

  async #buy(client: HttpLoadClient): Promise<void> {
    const userID = `${this.#name}-${this.#bought}`;
    this.#bought += 1;
    const body = { clientIP: "198.51.100.7", userID, userLevel: 5, goodsSKU: this.#sku, goodsQuantity: 1 };
    const request = requestText("POST", "/buy", body, { "idempotency-key": `${userID} of ${this.#sku}`.replaceAll(" ", "-") });
    for (;;) {
      const exchange = await new Promise<LoadExchange>((resolve) => client.send(request, resolve));
      const answer = exchange.kind === "reply" ? String(exchange.status) : exchange.kind;
      this.answers.set(answer, (this.answers.get(answer) ?? 0) + 1);
      if (exchange.kind === "reply" && exchange.status === 200) {
        this.told.set(userID, (JSON.parse(exchange.body) as { repResult: boolean }).repResult);
        return;
      }
      const mayPass = exchange.kind !== "reply" || [409, 429, 503].includes(exchange.status);
      if (!mayPass) throw new Error(`${userID} was answered with ${answer}: ${exchange.body}`);
      await Bun.sleep(PATIENCE_MS);
    }
  }
}

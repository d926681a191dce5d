/** The gate with the real services behind it, over a ledger in memory. The tests are the event loop, and the clock moves with every look at it. */
import { Database } from "bun:sqlite";
import { expect } from "bun:test";
import type { HttpReply } from "../src/core/endpoint.ts";
import type { IpAddress, Sku, UserId } from "../src/core/ids.ts";
import { parseIpAddress } from "../src/core/ip-address.ts";
import { Throttle } from "../src/core/throttle.ts";
import { traceIds } from "../src/core/trace-id.ts";
import { GroupCommit } from "../src/edge/group-commit.ts";
import type { Shopper } from "../src/identity/identity.ts";
import { EmbeddedLedger } from "../src/ledger/embedded/embedded-ledger.ts";
import { MemoryJournal } from "../src/ledger/embedded/memory-journal.ts";
import { type Outcome, type PurchaseServices, walkThrough } from "../src/purchase.ts";
import type { BuyBody } from "../src/services/gate-keeper/api.ts";
import { GateKeeper } from "../src/services/gate-keeper/service.ts";
import { InventoryManager } from "../src/services/inventory-manager/service.ts";
import { embeddedPolicies, POLICIES_SCHEMA } from "../src/services/policy-controller/policy-store.ts";
import { PolicyController } from "../src/services/policy-controller/service.ts";
import { DECISIONS_SCHEMA, embeddedDecisions } from "../src/services/safe-protector/decision-store.ts";
import { SafeProtector } from "../src/services/safe-protector/service.ts";
import { ShoppingCart } from "../src/services/shopping-cart/service.ts";
import { NO_SALES } from "./sale-desk.ts";

export const SKU = "SKU1" as Sku;
export const sample = {
  ...{ sessionID: "given by the client", clientIP: "::ffff:1.2.3.4", userID: "U1", userLevel: 1 },
  ...{ goodsSKU: SKU as string, goodsQuantity: 1 },
};

export interface AccessRecord {
  readonly steps: readonly { readonly step: string; readonly outcome: string; readonly us: number }[];
  readonly reason: string | null;
  readonly traceId: string;
}

export class Gate {
  nowMs = Date.UTC(2026, 10, 22, 12, 0, 0);
  #us = 0;
  readonly clock = {
    now: () => this.nowMs,
    monotonicUs: () => {
      this.#us += 1.5;
      return this.#us;
    },
  };
  readonly ledger = new EmbeddedLedger(new MemoryJournal());
  readonly protector: SafeProtector;
  readonly policies: PolicyController;
  readonly lines: string[] = [];
  readonly counted: [Outcome["kind"], number][] = [];
  readonly bugs: unknown[] = [];
  readonly keeper: GateKeeper;
  /** What runs in the next turn of the event loop; the tests are the event loop. */
  readonly nextTurn: (() => void)[] = [];
  looks = 0;
  /** What runs when so much time has passed. */
  readonly timers: { readonly delayMs: number; readonly work: () => void }[] = [];
  /** How many went in each turn. */
  readonly turns: number[] = [];

  constructor(alter: (services: PurchaseServices) => PurchaseServices = (services) => services, burst: number | null = null) {
    const { clock, ledger } = this;
    const db = new Database(":memory:");
    db.run(POLICIES_SCHEMA + DECISIONS_SCHEMA);
    const turns = new GroupCommit(db, (failure) => {
      throw failure;
    });
    const unlimited = new Throttle({ ratePerSecond: null, burst: 1 }, clock);
    const throttle = burst === null ? unlimited : new Throttle({ ratePerSecond: 1, burst }, clock);
    this.protector = new SafeProtector(embeddedDecisions(db, turns), unlimited, clock);
    this.policies = new PolicyController(embeddedPolicies(db, turns), ledger, unlimited, clock, NO_SALES);
    const services = alter({
      safeProtector: this.protector,
      policyController: this.policies,
      inventoryManager: new InventoryManager(ledger, unlimited, clock),
      shoppingCart: new ShoppingCart(ledger, unlimited, clock, 1_800_000, NO_SALES),
      replies: ledger,
      clock,
    });
    this.keeper = new GateKeeper({
      instance: "host:gatekeeper:8080",
      purchase: {
        admit: (wanted) => {
          this.turns.push(wanted);
          return throttle.admit(wanted);
        },
        walk: walkThrough(services),
        clock,
      },
      frozenForMs: 1_800_000,
      clock,
      after: (delayMs, work) => this.timers.push({ delayMs, work }),
      nextTraceId: traceIds("0".repeat(32)),
      nextTurn: (work) => this.nextTurn.push(work),
      record: (line) => this.lines.push(line),
      count: (outcome, totalUs) => this.counted.push([outcome.kind, totalUs]),
      trace: null,
      retryAfterSeconds: () => 3,
      onBug: (error) => this.bugs.push(error),
      keysInFlight: new Set(),
      isIdentityProven: false,
    });
  }

  passUs(us: number): void {
    this.#us += us;
  }

  async stock(onHand: number, sku: Sku = SKU): Promise<void> {
    await this.ledger.stock([{ verb: "stock", mode: "put", sku, onHand, priceCents: 100 }], this.nowMs);
  }

  arrive(body: Partial<typeof sample> = {}, key: string | null = null): HttpReply | Promise<HttpReply> {
    const { userID, userLevel, clientIP, ...asked } = { ...sample, ...body };
    const shopper: Shopper = { userId: userID as UserId, userLevel, clientIp: parseIpAddress(clientIP) as IpAddress };
    return this.keeper.buy(shopper, { userID, userLevel, clientIP, ...asked } as BuyBody, key, "en");
  }

  /** Looks at the sockets, where nobody new is, until every turn that was to begin has begun, those too that others' ends have let go. */
  async runTurns(): Promise<void> {
    do {
      for (let work = this.nextTurn.shift(); work; work = this.nextTurn.shift()) {
        this.looks += 1;
        work();
      }
      await new Promise<void>((resolve) => void setImmediate(resolve));
    } while (this.nextTurn.length > 0);
  }

  async buy(
    body: Partial<typeof sample> = {},
    key: string | null = null,
  ): Promise<{ readonly status: number; readonly body: { readonly sessionID: string } }> {
    const arrived = this.arrive(body, key);
    await this.runTurns();
    const reply = await arrived;
    return { status: reply.status, body: JSON.parse(reply.body as string) };
  }

  /** The last record. It is one line, and the shortest JSON of itself. */
  record(): AccessRecord {
    const line = this.lines.at(-1) as string;
    expect(line.indexOf("\n")).toBe(line.length - 1);
    const record = JSON.parse(line) as AccessRecord;
    expect(`${JSON.stringify(record)}\n`).toBe(line);
    return record;
  }
}

export async function openGate(...given: ConstructorParameters<typeof Gate>): Promise<Gate> {
  const gate = new Gate(...given);
  await gate.stock(10);
  await gate.protector.decide({ scope: "account", value: "bad", action: "block" }, undefined, "");
  await gate.policies.put(SKU, { userLevel: 1, quantityLimit: 20 }, "add");
  return gate;
}

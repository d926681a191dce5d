/** The five steps with the real services over a ledger in memory, asked in turns as the gate asks them, and a clock that a test moves by hand. */
import { Database } from "bun:sqlite";
import { expect } from "bun:test";
import type { IpAddress, SessionId, Sku, UserId } from "../src/core/ids.ts";
import type { Step } from "../src/core/reason.ts";
import { Throttle } from "../src/core/throttle.ts";
import { GroupCommit } from "../src/edge/group-commit.ts";
import { EmbeddedLedger } from "../src/ledger/embedded/embedded-ledger.ts";
import { MemoryJournal } from "../src/ledger/embedded/memory-journal.ts";
import type { Key } from "../src/ledger/ledger.ts";
import {
  type Course,
  type Outcome,
  type Purchase,
  type PurchaseGate,
  type PurchaseServices,
  purchaseTogether,
  walkThrough,
} from "../src/purchase.ts";
import { InventoryManager } from "../src/services/inventory-manager/service.ts";
import { embeddedPolicies, POLICIES_SCHEMA } from "../src/services/policy-controller/policy-store.ts";
import { PolicyController, type SaleTermsSource } from "../src/services/policy-controller/service.ts";
import { DECISIONS_SCHEMA, embeddedDecisions } from "../src/services/safe-protector/decision-store.ts";
import { SafeProtector } from "../src/services/safe-protector/service.ts";
import { ShoppingCart } from "../src/services/shopping-cart/service.ts";
import { NO_SALES } from "./sale-desk.ts";

export const SKU = "SKU1" as Sku;
export const FROZEN_FOR_MS = 1_800_000;
export const user = (text: string) => text as UserId;
export const keyed = (text: string, fingerprint = "body"): Key => ({ text, fingerprint });

export interface Wish {
  readonly user?: string;
  readonly sku?: Sku;
  readonly quantity?: number;
  readonly level?: number;
  readonly ip?: string;
  readonly key?: Key;
}

/** How many requests each step lets through before it throttles; unlimited where nothing is said. */
export type Bursts = Partial<Record<Step, number>>;

export class Shop {
  nowMs = 1_000_000;
  monotonicUs = 0;
  #purchases = 0;
  readonly clock = {
    now: () => this.nowMs,
    // Every look at the clock is one microsecond after the last.
    monotonicUs: () => {
      this.monotonicUs += 1;
      return this.monotonicUs;
    },
  };
  readonly ledger = new EmbeddedLedger(new MemoryJournal(), { repliesMax: 1 });
  readonly protector: SafeProtector;
  readonly policies: PolicyController;
  /** Who was asked about whom: the step, and the users of each call. */
  readonly asked: [Step, ...string[]][] = [];
  services: PurchaseServices;
  /** What the purchase that has ended last was told of its sale. */
  lastSale: Purchase["sale"] = null;
  readonly #throttle: Throttle;

  /** @param sales where the terms of SKUs are found; in no sale unless given */
  constructor(bursts: Bursts = {}, sales: SaleTermsSource = NO_SALES) {
    const db = new Database(":memory:");
    db.run(POLICIES_SCHEMA + DECISIONS_SCHEMA);
    const turns = new GroupCommit(db, (failure) => {
      throw failure;
    });
    const { clock, ledger } = this;
    const throttle = (step: Step) => {
      const burst = bursts[step];
      return new Throttle(burst === undefined ? { ratePerSecond: null, burst: 1 } : { ratePerSecond: 1, burst }, clock);
    };
    this.protector = new SafeProtector(embeddedDecisions(db, turns), throttle("protect"), clock);
    this.policies = new PolicyController(embeddedPolicies(db, turns), ledger, throttle("policy"), clock, sales);
    const inventory = new InventoryManager(ledger, throttle("inventory"), clock);
    const cart = new ShoppingCart(ledger, throttle("cart"), clock, FROZEN_FOR_MS, sales);
    this.#throttle = throttle("throttle");
    const noted = <C extends { readonly userId: UserId }, V>(step: Step, answer: (checks: readonly C[]) => V) => {
      return (checks: readonly C[]): V => {
        this.asked.push([step, ...checks.map(({ userId }) => userId)]);
        return answer(checks);
      };
    };
    this.services = {
      safeProtector: { validate: noted("protect", (checks) => this.protector.validate(checks)) },
      policyController: { validate: noted("policy", (checks) => this.policies.validate(checks)) },
      inventoryManager: { validate: noted("inventory", (checks: readonly Purchase[]) => inventory.validate(checks)) },
      shoppingCart: { add: noted("cart", (adds) => cart.add(adds)), frozenForMs: FROZEN_FOR_MS },
      replies: ledger,
      clock,
    };
  }

  /** The services as they are now, behind the gate's throttle. */
  get gate(): PurchaseGate {
    return { admit: (wanted) => this.#throttle.admit(wanted), walk: walkThrough(this.services), clock: this.clock };
  }

  async stock(onHand: number, sku = SKU): Promise<void> {
    await this.ledger.stock([{ verb: "stock", mode: "put", sku, onHand, priceCents: 100 }], this.nowMs);
  }

  async frozen(sku = SKU): Promise<number> {
    return (await this.ledger.goods([sku], this.nowMs))[0]?.frozen ?? 0;
  }

  /** One turn of the gate. Resolves with the ends in order of arrival; each purchase ends once. */
  async buy(...wishes: readonly Wish[]): Promise<{ readonly ends: readonly Outcome[]; readonly courses: readonly Course[] }> {
    const ends: (Outcome | null)[] = wishes.map(() => null);
    const courses: Course[] = [];
    const purchases = wishes.map((wish, index): Purchase => {
      this.#purchases += 1;
      const purchase: Purchase = {
        sessionId: `trace${this.#purchases}` as SessionId,
        userId: user(wish.user ?? "U1"),
        userLevel: wish.level ?? 1,
        clientIp: (wish.ip ?? "1.1.1.1") as IpAddress,
        sku: wish.sku ?? SKU,
        quantity: wish.quantity ?? 1,
        key: wish.key ?? null,
        quantityLimit: 0,
        sale: null,
        settle: (outcome, course) => {
          expect(ends[index]).toBeNull();
          this.lastSale = purchase.sale;
          ends[index] = outcome;
          courses[index] = { atUs: course.atUs, steps: [...course.steps], beganUs: [...course.beganUs], stepUs: [...course.stepUs] };
        },
      };
      return purchase;
    });
    await purchaseTogether(purchases, this.gate);
    return { ends: ends.map((end) => end as Outcome), courses };
  }

  /** One purchase, alone in its turn. */
  async buyOne(wish: Wish = {}): Promise<Outcome> {
    return (await this.buy(wish)).ends[0] as Outcome;
  }
}

export const held = (shop: Shop, quantity: number) => ({ kind: "held", quantity, heldUntil: shop.nowMs + FROZEN_FOR_MS });
export const refused = (step: Step, reason: string) => ({ kind: "refused", step, reason });

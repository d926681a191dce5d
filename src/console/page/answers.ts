/** What the services and the console's own routes answer, as far as the pages read it. */

export interface SessionAnswer {
  readonly isKeyNeeded: boolean;
  readonly operator: string | null;
  readonly expiresAt: number | null;
}

export interface TrafficWindow {
  readonly seconds: number;
  readonly requests: number;
  readonly purchases: number;
  readonly held: number;
  readonly failed: number;
  readonly funnel: readonly { readonly step: string; readonly entered: number; readonly refused: Readonly<Record<string, number>> }[];
  readonly other: Readonly<Record<string, number>>;
  readonly latencyUs: { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number };
  readonly distinct: { readonly users: number; readonly addresses: number };
  readonly skus: readonly { readonly goodsSKU: string; readonly requests: number; readonly held: number; readonly refused: number }[];
  readonly heaviest: {
    readonly addresses: readonly Heavy[];
    readonly networks: readonly Heavy[];
    readonly accounts: readonly Heavy[];
  };
}
export interface Heavy {
  readonly value: string;
  readonly requests: number;
  readonly errorMax: number;
}
export interface TrafficNow {
  readonly at: number;
  readonly eventsSeen: number;
  readonly eventsDropped: number;
  readonly isSampled: boolean;
  readonly windows: readonly TrafficWindow[];
  readonly scenarios: readonly {
    readonly name: string;
    readonly group: string;
    readonly action: string;
    readonly offencesInHour: number;
  }[];
  readonly observed: readonly { readonly scope: string; readonly value: string; readonly seen: number; readonly bought: number }[];
}
export interface TrafficPoint {
  readonly at: number;
  readonly requests: number;
  readonly purchases: number;
  readonly held: number;
  readonly failed: number;
  readonly p50Us: number;
  readonly p95Us: number;
  readonly p99Us: number;
  readonly users: number;
  readonly addresses: number;
}

export interface StockPoint {
  readonly at: number;
  readonly available: number;
  readonly held: number;
  readonly paymentPending: number;
  readonly sold: number;
}
export interface StockView extends Omit<StockPoint, "at"> {
  readonly goodsSKU: string;
  readonly stocked: number;
  readonly sellOut: { readonly at: number; readonly isProjected: boolean } | null;
  readonly hasCurve: boolean;
}
export interface InstanceView {
  readonly service: string;
  readonly instance: string;
  readonly url: string | null;
  readonly status: string | null;
  readonly leaseAgeMs: number | null;
  readonly leaseMs: number | null;
  readonly isUp: boolean | null;
  readonly isSilent: boolean;
  readonly uptimeSeconds: number | null;
}
export interface Invariant {
  readonly state: "holding" | "broken" | "unknown";
  readonly checkedAt: number | null;
  readonly tookMs: number | null;
  readonly checks: readonly { readonly promise: string; readonly looked: number; readonly breaches: readonly string[] }[];
}

/** One message of the live feed. `null`: that part is not available now. */
export interface LiveMessage {
  readonly at: number;
  readonly traffic: TrafficNow | null;
  readonly points: readonly TrafficPoint[] | null;
  readonly stock: { readonly goods: readonly StockView[]; readonly more: boolean } | null;
  readonly invariant: Invariant | null;
  readonly services: readonly InstanceView[];
}

/** A sale as its operators have it. */
export interface SaleAnswer {
  readonly id: string;
  readonly name: string;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly status: "scheduled" | "live" | "paused" | "ended";
  readonly isPaused: boolean;
  readonly frozenForSeconds?: number;
  readonly paymentWindowSeconds?: number;
  readonly items: readonly { readonly goodsSKU: string; readonly salePrice: number; readonly quantityLimit?: number }[];
}

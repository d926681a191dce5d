/**
 * A drop as the gates see it, on a clock of its own: who asks when, from where, and what they are told. The same seed gives the same drop.
 *
 * People come before the start and try, come at the start, and try again a few times when they are refused; most sit at home, two hundred in an
 * office behind one address, six hundred behind one address of a phone carrier, whose other addresses in that network have thousands more. Some
 * change from one network to another, some try again after they have bought, some may not buy at all, some think better of it.
 */
import type { TrafficEvent } from "../src/traffic/event.ts";

export interface Attempt {
  readonly at: number;
  readonly userId: string | null;
  readonly clientIp: string;
  readonly what: "buy" | "malformed" | "release";
  /** What the shop would say on any day, of goods that nobody else wants; `null`: as the sale stands. */
  readonly told: "level-too-low" | "unknown-goods" | "allowed" | null;
  /** Nobody, when it is an attack. */
  readonly human: number | null;
}

/** Numbers from 0 to 1 (mulberry32). */
export function chanceOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const HUMANS = 20_000;
const CARRIER = "203.0.113";

function homeOf(human: number, chance: () => number): string {
  if (human < 600) return `${CARRIER}.1`;
  if (human < 800) return "192.0.2.77";
  if (human < 3_000) return `${CARRIER}.${2 + Math.floor(chance() * 200)}`;
  // Households of about two, a tenth of them with IPv6.
  const household = Math.floor(chance() * 9_000);
  return household < 900
    ? `2001:db8:${household.toString(16)}::${(human & 7).toString(16)}`
    : `10.${household >> 8}.${household & 255}.${1 + (human & 3)}`;
}

/** @param startsAt of the sale */
export function crowd(seed: number, startsAt: number): Attempt[] {
  const chance = chanceOf(seed);
  const attempts: Attempt[] = [];
  for (let human = 0; human < HUMANS; human += 1) {
    const home = homeOf(human, chance);
    const elsewhere = chance() < 0.03 ? `198.51.100.${Math.floor(chance() * 250)}` : home;
    const told = chance() < 0.01 ? "level-too-low" : null;
    const from = () => (chance() < 0.3 ? elsewhere : home);
    const common = { userId: `UID${human}`, told, human } as const;
    // The impatient try before the start, a few times.
    if (chance() < 0.3) {
      let at = startsAt - 20_000 * chance();
      for (let tries = 1 + Math.floor(chance() * 4); tries > 0 && at < startsAt; tries -= 1) {
        attempts.push({ ...common, at, clientIp: from(), what: "buy" });
        at += 700 + 4_000 * chance();
      }
    }
    // At the start most press within seconds, the rest within the minute; refused, they press again: fast at first, then slower.
    let at = startsAt + (chance() < 0.8 ? 3_000 * chance() ** 2 : 60_000 * chance());
    for (let tries = 1 + Math.floor(chance() * 6), wait = 600; tries > 0; tries -= 1, wait *= 2) {
      attempts.push({ ...common, at, clientIp: from(), what: chance() < 0.003 ? "malformed" : "buy" });
      at += wait * (0.5 + chance());
    }
    if (chance() < 0.02) attempts.push({ ...common, at: at + 5_000 * chance(), clientIp: home, what: "release" });
  }
  return attempts;
}

/** The gate, as far as the analysis can see it. */
export class Gate {
  readonly #startsAt: number;
  readonly #held = new Map<string, number>();
  #left: number;
  #traces = 0;

  constructor(startsAt: number, stock: number) {
    this.#startsAt = startsAt;
    this.#left = stock;
  }

  answer({ at, userId, clientIp, what, told }: Attempt, isBlocked: boolean): TrafficEvent {
    this.#traces += 1;
    const common = {
      at: Math.floor(at),
      instance: "gate",
      traceId: this.#traces.toString(16).padStart(32, "0"),
      clientIp,
      userId,
      totalUs: 900,
    };
    if (what === "malformed")
      return { ...common, userId: null, sku: null, quantity: 0, steps: [], reason: "malformed", request: "POST /buy", status: 400 };
    if (what === "release") {
      const held = userId === null ? 0 : (this.#held.get(userId) ?? 0);
      if (userId !== null) this.#held.set(userId, 0);
      this.#left += held;
      return { ...common, sku: "SKU0001", quantity: 0, steps: [], reason: null, request: "DELETE /cart/{sku}", status: 200 };
    }
    const reason = isBlocked ? "blacklisted" : this.#refusal(at, userId ?? "", told);
    const step =
      { blacklisted: "protect", "not-started": "policy", "level-too-low": "policy", "sold-out": "inventory" }[reason ?? ""] ?? "cart";
    const steps = [{ step, outcome: reason ?? "allowed", us: 5 }];
    return { ...common, sku: "SKU0001", quantity: 1, steps, reason, request: null, status: null };
  }

  #refusal(at: number, userId: string, told: Attempt["told"]): string | null {
    if (told !== null) return told === "allowed" ? null : told;
    if (at < this.#startsAt) return "not-started";
    if ((this.#held.get(userId) ?? 0) > 0) return "limit-reached";
    if (this.#left === 0) return "sold-out";
    this.#left -= 1;
    this.#held.set(userId, 1);
    return null;
  }
}

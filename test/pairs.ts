/**
 * Two of every service, each in a process of its own, over a Redis and a Postgres of the test's: the smallest system that can lose any one of its
 * processes. The first of each kind stands at one port offset, the second at another; the two registries replicate to each other.
 */
import { expect } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Crowd } from "./crowd.ts";
import { type RunningProcess, startProcess } from "./process.ts";
import { ROLES, type ServiceRole } from "./services.ts";
import { freePortOffset, freshDataDir, getJson } from "./system.ts";
import { waitFor } from "./wait.ts";

/** By then whatever is there again is asked by everybody. */
export const RECOVERED_MS_MAX = 10_000;

/** The first or the second of its kind. */
export type Which = 0 | 1;

const PORTS: Readonly<Record<ServiceRole, number>> = {
  "service-registry": 8761,
  "safe-protector": 8081,
  "policy-controller": 8082,
  "inventory-manager": 8083,
  "shopping-cart": 8084,
  "gate-keeper": 8080,
};

const START_ATTEMPTS_MAX = 5;
const MAIN = join(import.meta.dir, "../src/main.ts");

export interface PairsOptions {
  /** What `--redis` and `--postgres` take. */
  readonly redis: string;
  readonly postgres: string;
  /** What the carts have in their place, as a wire that can be cut. */
  readonly cartStores?: { readonly redis: string; readonly postgres: string };
  /** Further arguments of each process. */
  readonly args?: readonly string[];
}

export class Pairs {
  readonly #dataDir = freshDataDir();
  readonly #offsets: readonly [number, number];
  readonly #options: PairsOptions;
  readonly #running = new Map<string, RunningProcess>();

  private constructor(options: PairsOptions) {
    this.#options = options;
    const first = freePortOffset();
    let second = freePortOffset();
    while (second === first) second = freePortOffset();
    this.#offsets = [first, second];
  }

  /** Resolves when both gates see both of each. */
  static async start(options: PairsOptions): Promise<Pairs> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await Pairs.#startOnce(options);
      } catch (error) {
        // Somebody else may have taken a port between our look and a process's own bind.
        if (!/EADDRINUSE|\bport \d/i.test(String(error)) || attempt === START_ATTEMPTS_MAX) throw error;
      }
    }
  }

  static async #startOnce(options: PairsOptions): Promise<Pairs> {
    const pairs = new Pairs(options);
    const both = (role: ServiceRole): Promise<unknown> => Promise.all([pairs.begin(role, 0), pairs.begin(role, 1)]);
    try {
      await both("service-registry");
      await Promise.all(ROLES.slice(1, -1).map(both));
      await both("gate-keeper");
      for (const which of [0, 1] as const) await waitFor(() => pairs.seesAll(which), "the gate sees both of each");
    } catch (error) {
      await pairs.kill();
      throw error;
    }
    return pairs;
  }

  /** Where the second of a kind stands in for the first, ask for its URL. */
  url(role: ServiceRole, which: Which = 0): string {
    return `http://127.0.0.1:${PORTS[role] + this.#offsets[which]}`;
  }

  get gates(): readonly string[] {
    return [this.url("gate-keeper", 0), this.url("gate-keeper", 1)];
  }
  get gate(): string {
    return this.url("gate-keeper");
  }
  get inventory(): string {
    return this.url("inventory-manager");
  }
  get cart(): string {
    return this.url("shopping-cart");
  }

  of(role: ServiceRole, which: Which): RunningProcess {
    const running = this.#running.get(`${role} ${which}`);
    if (running === undefined) throw new Error(`there is no ${role} ${which}`);
    return running;
  }

  /** Starts one that has ended, or has never been. */
  async begin(role: ServiceRole, which: Which): Promise<void> {
    const { cartStores, args = [] } = this.#options;
    const { redis, postgres } = (role === "shopping-cart" ? cartStores : undefined) ?? this.#options;
    const [registry, peer] = [this.url("service-registry", which), this.url("service-registry", which === 0 ? 1 : 0)];
    const own = role === "service-registry" ? ["--registry-peers", peer] : ["--registry", `${registry},${peer}`];
    const stores = ["service-registry", "gate-keeper"].includes(role) ? [] : ["--redis", redis, "--postgres", postgres];
    // A balancer stands in front of the gates, and hears of it when one stops.
    const drain = role === "gate-keeper" ? ["--drain-for", "1s"] : [];
    const place = ["--data", `${this.#dataDir}/${role}-${which}`, "--port-offset", String(this.#offsets[which])];
    this.#running.set(`${role} ${which}`, await startProcess([role, ...place, ...own, ...stores, ...drain, ...args]));
  }

  /** Whether the gate knows two instances of each service, and asks both. */
  async seesAll(which: Which): Promise<boolean> {
    const { text } = await getJson(`${this.url("gate-keeper", which)}/metrics`);
    const counts = text.match(/^doorbuster_link_instances_(known|asked)\{[^}]*\} \d+$/gm) ?? [];
    return counts.length === 8 && counts.every((line) => line.endsWith(" 2"));
  }

  /** Whether the gate knows so many instances of the service. */
  async knows(which: Which, role: ServiceRole, count: number): Promise<boolean> {
    const { text } = await getJson(`${this.url("gate-keeper", which)}/metrics`);
    return new RegExp(`^doorbuster_link_instances_known\\{[^}]*to="${role}"[^}]*\\} ${count}$`, "m").test(text);
  }

  /** What all of them have written on standard error. */
  stderr(): string {
    return [...this.#running].map(([name, one]) => one.stderr().replaceAll(/^/gm, `${name}: `)).join("");
  }

  /** `doorbuster audit` of the two stores finds nothing wrong. */
  async expectAudited(): Promise<void> {
    const { redis, postgres } = this.#options;
    const audit = Bun.spawn([process.execPath, MAIN, "audit", "--redis", redis, "--postgres", postgres], {
      stdout: "pipe",
      stderr: "pipe",
    });
    const [text, errors, code] = await Promise.all([audit.stdout.text(), audit.stderr.text(), audit.exited]);
    expect({ code, text, errors }).toEqual({ code: 0, text: expect.stringMatching(/^audit: all \d+ checks passed$/m), errors: "" });
  }

  allRun(): boolean {
    return [...this.#running.values()].every((one) => one.isRunning());
  }

  async kill(): Promise<void> {
    await Promise.all([...this.#running.values()].map((one) => one.kill()));
    rmSync(this.#dataDir, { recursive: true, force: true });
  }
}

/** All of them sell, as before, and the crowd was told the truth. */
export async function expectRecovered(pairs: Pairs, crowd: Crowd): Promise<void> {
  for (const which of [0, 1] as const) await waitFor(() => pairs.seesAll(which), "every gate asks everybody again", RECOVERED_MS_MAX);
  await crowd.calm(100);
  await crowd.leave();
  expect([...crowd.answers.keys()].filter((answer) => !["200", "409", "503", "cut", "unreachable"].includes(answer))).toEqual([]);
  await crowd.expectTrue();
  expect(pairs.allRun()).toBe(true);
  expect(pairs.stderr()).not.toContain("a bug");
}

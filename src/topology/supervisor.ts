/**
 * Gates on every core of one machine: this process starts the one that keeps the store and all services behind the gate, and N gates that share
 * the public port, and starts again whichever of them dies. It takes no part in a purchase.
 *
 * Each of them *lives* until it ends. If it was told to, that is all. Otherwise it is started again after a pause, which doubles with every
 * end that comes soon after a start. A first start that fails ends everything, with the reason on standard error.
 */
import type { DurationMs } from "../core/time.ts";
import { type Child, coresOf, ownCommand, startChild } from "../edge/child-process.ts";
import { systemClock } from "../edge/system-clock.ts";
import { timers } from "../edge/timers.ts";
import { CHILD_PAUSE_MS_MAX, CHILD_PAUSE_MS_MIN, CHILD_SETTLED_MS, GATES_MAX } from "../limits/links.ts";
import { SHUTDOWN_MS_MAX } from "../limits.ts";
import type { Sale } from "../sales/sale.ts";
import type { Settings } from "../settings/table.ts";
import { LINKED_SERVICES } from "../settings/topology.ts";
import { Place } from "./place.ts";
import { PORTS, type PortName } from "./ports.ts";
import { complain, type Process } from "./process.ts";

/** What a child tells when it has opened its ports. */
export interface Ready {
  readonly ready: true;
  readonly demoSale: Sale | null;
}

/** Where the gates' own ports for health and metrics begin. */
const GATE_METRICS_PORT = 8180;

/** @param flags the settings as they were given on the command line, for the children */
export async function startGates(settings: Settings, flags: readonly string[]): Promise<Process> {
  const place = new Place(settings);
  const names = (Object.keys(PORTS) as PortName[]).filter((name) => name !== "Console" || settings.console.isOn);
  const stopped = Promise.withResolvers<{ exitCode: number; message: string | null }>();
  const ledger = new Supervised("the ledger", ["ledger", ...flags], settings.topology.drainForMs);
  const gates = Array.from({ length: gateCount(settings) }, (_, index) => {
    const number = index + 1;
    const metricsPort = GATE_METRICS_PORT + number + settings.portOffset;
    const own = ["--instance", `gate-${number}`, "--metrics-port", String(metricsPort), ...linksTo(place), ...throttleOf(settings)];
    return new Supervised(`gate ${number}`, ["gate-keeper", ...flags, ...own], settings.topology.drainForMs);
  });
  const close = async (): Promise<void> => {
    // Whoever stops them may have told them all at once: none of them is to come back.
    for (const one of [...gates, ledger]) one.letGo();
    // Nobody is let in any more before anything behind the door goes.
    await Promise.all(gates.map((gate) => gate.stop()));
    await ledger.stop();
    stopped.resolve({ exitCode: 0, message: null });
  };
  try {
    const { demoSale } = await ledger.start();
    await Promise.all(gates.map((gate) => gate.start()));
    return {
      addresses: names.map((service) => ({ service, url: place.urlOf(service) })),
      demoSale,
      close,
      stopped: stopped.promise,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function gateCount({ topology: { gates } }: Settings): number {
  // One core is the ledger's; the kernel shares the others out.
  return Math.min(GATES_MAX, gates === "auto" ? Math.max(1, coresOf() - 1) : (gates ?? 1));
}

/** Each gate has its share of what the gates may answer together. */
function throttleOf(settings: Settings): string[] {
  const { ratePerSecond, burst } = settings.throttles["gate-keeper"];
  if (ratePerSecond === null) return [];
  const gates = gateCount(settings);
  return ["--gate-keeper-rate", String(ratePerSecond / gates), "--gate-keeper-burst", String(Math.max(1, Math.ceil(burst / gates)))];
}

function linksTo(place: Place): string[] {
  const urls: Readonly<Record<(typeof LINKED_SERVICES)[number], PortName>> = {
    "safe-protector": "SafeProtector",
    "policy-controller": "PolicyController",
    "inventory-manager": "InventoryManager",
    "shopping-cart": "ShoppingCart",
  };
  const links = LINKED_SERVICES.flatMap((service) => [`--${service}-url`, place.urlOf(urls[service])]);
  return [...links, "--whole-turns", "--registry", place.urlOf("ServiceRegistry")];
}

class Supervised {
  readonly #name: string;
  readonly #args: readonly string[];
  readonly #drainForMs: DurationMs;
  readonly #firstReady = Promise.withResolvers<Ready>();
  readonly #gone = Promise.withResolvers<void>();
  #child: Child | null = null;
  #isStopping = false;
  #wasReady = false;
  #startedAtUs = 0;
  #pauseMs: DurationMs = CHILD_PAUSE_MS_MIN;

  constructor(name: string, args: readonly string[], drainForMs: DurationMs) {
    this.#drainForMs = drainForMs;
    this.#name = name;
    this.#args = args;
  }

  /** Resolves when it is ready for the first time. Rejects when it ends before. */
  start(): Promise<Ready> {
    this.#startedAtUs = systemClock.monotonicUs();
    this.#child = startChild({
      command: [...ownCommand(), "start", ...this.#args],
      onMessage: (message) => {
        this.#wasReady = true;
        this.#firstReady.resolve(message as Ready);
      },
      onEnd: ({ exitCode, signal }) => this.#ended(signal ?? `exit code ${exitCode}`),
    });
    return this.#firstReady.promise;
  }

  /** When it ends now, that is all. */
  letGo(): void {
    this.#isStopping = true;
  }

  /** Resolves when it has gone. */
  stop(): Promise<void> {
    this.letGo();
    if (this.#child === null) return Promise.resolve();
    this.#child.stop();
    // It cuts what is unanswered by then itself; one that cannot even do that is ended.
    timers.after(this.#drainForMs + SHUTDOWN_MS_MAX + CHILD_PAUSE_MS_MAX, () => this.#child?.kill());
    return this.#gone.promise;
  }

  #ended(how: string): void {
    this.#child = null;
    if (this.#isStopping) {
      this.#gone.resolve();
      return;
    }
    if (!this.#wasReady) {
      this.#firstReady.reject(new Error(`${this.#name} did not start (${how}); its own message stands above`));
      return;
    }
    const livedMs = (systemClock.monotonicUs() - this.#startedAtUs) / 1_000;
    if (livedMs >= CHILD_SETTLED_MS) this.#pauseMs = CHILD_PAUSE_MS_MIN;
    complain(`${this.#name} has ended (${how}); it is started again in ${this.#pauseMs} ms`);
    timers.after(this.#pauseMs, () => {
      if (!this.#isStopping) void this.start();
    });
    this.#pauseMs = Math.min(this.#pauseMs * 2, CHILD_PAUSE_MS_MAX);
  }
}

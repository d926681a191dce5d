/**
 * Runs the real system for a test: the command line in a process of its own, on fresh data and on ports that nobody else uses. A system is
 * handed out when it says that it is ready, and nothing of it outlives the test process.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunningProcess, startProcess } from "./process.ts";

export const BASE_PORTS = {
  gate: 8080,
  protector: 8081,
  policy: 8082,
  inventory: 8083,
  cart: 8084,
  registry: 8761,
  console: 8090,
} as const;
const START_ATTEMPTS_MAX = 5;
/** A suite that starts systems is run against another topology with this variable: further arguments of `start`, separated by spaces, or
 *  `services` for each service in a process of its own, or `node` for all of them in one process over shared stores. */
const { TEST_TOPOLOGY = "" } = process.env;
type Service = keyof typeof BASE_PORTS;

export interface StartOptions {
  /** What follows `start --data DIR --port-offset N` on the command line. */
  readonly args?: readonly string[];
  /** Stays when the system stops. Without it the system gets a fresh folder, which `stop` removes. */
  readonly dataDir?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A running system. Each service's name stands for the base URL of its port, without a slash at its end. */
export interface System extends RunningProcess, Readonly<Record<Service, string>> {
  readonly dataDir: string;
}

export interface JsonReply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** What `text` says as JSON; `undefined` when it is none. */
  readonly body: unknown;
}

/** @throws when the process ends before it is ready, with what it wrote on stderr */
export async function startSystem(options: StartOptions = {}): Promise<System> {
  const dataDir = options.dataDir ?? freshDataDir();
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await startAt(freePortOffset(), dataDir, options);
    } catch (error) {
      // Somebody else may have taken a port between our look and the system's own bind.
      if (/EADDRINUSE|\bport \d/i.test(String(error)) && attempt < START_ATTEMPTS_MAX) continue;
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
      throw error;
    }
  }
}

/** A folder for tests that start a system more than once on the same data. Whoever asks for it removes it. */
export const freshDataDir = (): string => mkdtempSync(join(tmpdir(), "doorbuster-test-"));

async function startAt(portOffset: number, dataDir: string, options: StartOptions): Promise<System> {
  const args = ["--port-offset", String(portOffset), ...(options.args ?? [])];
  const running =
    TEST_TOPOLOGY === "services" || TEST_TOPOLOGY === "node"
      ? await startOverStores(dataDir, args, options.env)
      : await startProcess(["--data", dataDir, ...TEST_TOPOLOGY.split(" ").filter((word) => word !== ""), ...args], options.env);
  const urls = Object.fromEntries(Object.entries(BASE_PORTS).map(([service, port]) => [service, `http://127.0.0.1:${port + portOffset}`]));
  return {
    ...running,
    ...(urls as Record<Service, string>),
    dataDir,
    stop: () => running.stop().finally(() => options.dataDir ?? rmSync(dataDir, { recursive: true, force: true })),
  };
}

/** Loaded when it is wanted: it needs servers that a test of one process does not. */
async function startOverStores(dataDir: string, args: readonly string[], env: StartOptions["env"]): Promise<RunningProcess> {
  const { startNode, startServices } = await import("./services.ts");
  return TEST_TOPOLOGY === "node" ? startNode(dataDir, args, env) : startServices(dataDir, args, env);
}

export function freePortOffset(): number {
  const offset = 20_000 + 10 * Math.floor(Math.random() * 3_000);
  return Object.values(BASE_PORTS).every((port) => isFree(port + offset)) ? offset : freePortOffset();
}

function isFree(port: number): boolean {
  try {
    Bun.listen({ hostname: "127.0.0.1", port, socket: { data: () => undefined } }).stop(true);
    return true;
  } catch {
    return false;
  }
}

type HeaderLines = Readonly<Record<string, string>>;

/** One request. A `body` that is a string or bytes is sent as it is, anything else as JSON, which the content type says unless `headers` has its own. */
export async function send(method: string, url: string, body?: unknown, headers: HeaderLines = {}): Promise<JsonReply> {
  const content = typeof body === "string" || body instanceof Uint8Array ? (body as string) : JSON.stringify(body);
  const init = body === undefined ? { headers } : { headers: { "content-type": "application/json", ...headers }, body: content };
  const response = await fetch(url, { method, ...init });
  const text = await response.text();
  const reply = { status: response.status, headers: response.headers, text };
  try {
    return { ...reply, body: JSON.parse(text) as unknown };
  } catch {
    return { ...reply, body: undefined };
  }
}

export const getJson = (url: string, headers?: HeaderLines) => send("GET", url, undefined, headers);
export const postJson = (url: string, body: unknown, headers?: HeaderLines) => send("POST", url, body, headers);
export const putJson = (url: string, body: unknown, headers?: HeaderLines) => send("PUT", url, body, headers);
export const deleteJson = (url: string, headers?: HeaderLines) => send("DELETE", url, undefined, headers);

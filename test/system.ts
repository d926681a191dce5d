/**
 * Runs the real system for a test: the command line in a process of its own, on fresh data and on ports that nobody else uses. A system is
 * handed out when it says that it is ready, and nothing of it outlives the test process.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MAIN = join(import.meta.dir, "../src/main.ts");
const BASE_PORTS = { gate: 8080, protector: 8081, policy: 8082, inventory: 8083, cart: 8084, registry: 8761 } as const;
const READY_MS_MAX = 30_000;
const START_ATTEMPTS_MAX = 5;
/** A suite that starts systems is run against another topology with this variable: further arguments of `start`, separated by spaces. */
const { TEST_TOPOLOGY = "" } = process.env;
const TOPOLOGY_ARGS = TEST_TOPOLOGY.split(" ").filter((word) => word !== "");
type Service = keyof typeof BASE_PORTS;

export interface StartOptions {
  /** What follows `start --data DIR --port-offset N` on the command line. */
  readonly args?: readonly string[];
  /** Stays when the system stops. Without it the system gets a fresh folder, which `stop` removes. */
  readonly dataDir?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A running system. Each service's name stands for the base URL of its port, without a slash at its end. */
export interface System extends Readonly<Record<Service, string>> {
  readonly dataDir: string;
  readonly pid: number;
  /** Its process, and those that it has started. */
  pids(): readonly number[];
  /** SIGTERM; answers with the exit code. */
  stop(): Promise<number>;
  /** SIGKILL; answers when the process is gone. The data folder stays. */
  kill(): Promise<void>;
  stdout(): string;
  stderr(): string;
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
  const args = [...TOPOLOGY_ARGS, ...(options.args ?? [])];
  const command = [process.execPath, MAIN, "start", "--data", dataDir, "--port-offset", String(portOffset), ...args];
  // Settings of whoever runs the tests must not reach the system under test.
  const ownEnv = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("DOORBUSTER_")));
  const child = Bun.spawn(command, { env: { ...ownEnv, ...options.env }, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const killWithUs = (): void => {
    for (const pid of [...childrenOf(child.pid), child.pid]) killIfThere(pid);
  };
  process.on("exit", killWithUs);
  void child.exited.then(() => process.off("exit", killWithUs));
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  const isReady = (): boolean => /^ready /m.test(stdout.text());
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  await waitFor(() => isReady() || hasEnded(), "the system is ready", READY_MS_MAX).catch(killWithUs);
  if (!isReady()) {
    const code = await child.exited;
    await stderr.ended;
    throw new Error(`the system ended before it was ready (exit code ${code}): ${stderr.text()}`);
  }
  const urls = Object.fromEntries(Object.entries(BASE_PORTS).map(([service, port]) => [service, `http://127.0.0.1:${port + portOffset}`]));
  return {
    ...(urls as Record<Service, string>),
    dataDir,
    pid: child.pid,
    pids: () => [child.pid, ...childrenOf(child.pid)],
    stdout: stdout.text,
    stderr: stderr.text,
    stop: () => {
      child.kill("SIGTERM");
      return child.exited.finally(() => options.dataDir ?? rmSync(dataDir, { recursive: true, force: true }));
    },
    kill: async () => {
      const children = childrenOf(child.pid);
      killWithUs();
      await child.exited;
      await waitFor(() => !children.some(isRunning), "the processes of the system are gone");
    },
  };
}

/** The processes that a process has started, as Linux lists them. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  } catch {
    // It has ended already.
    return [];
  }
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function killIfThere(pid: number): void {
  if (isRunning(pid)) process.kill(pid, "SIGKILL");
}

/** Reads a pipe to its end, so that the writer never has to wait for us. */
function collect(stream: ReadableStream<Uint8Array>): { readonly text: () => string; readonly ended: Promise<void> } {
  const decoder = new TextDecoder();
  let text = "";
  const read = async (): Promise<void> => {
    for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
  };
  return { text: () => text, ended: read() };
}

function freePortOffset(): number {
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

/** Looks again and again until `condition` holds. The bound is only there to end a broken run with a sentence. */
export async function waitFor(condition: () => boolean | Promise<boolean>, what: string, waitMsMax = 20_000): Promise<void> {
  const startedAt = performance.now();
  while (!(await condition())) {
    if (performance.now() - startedAt > waitMsMax) throw new Error(`waited ${waitMsMax} ms in vain until ${what}`);
    await Bun.sleep(10);
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

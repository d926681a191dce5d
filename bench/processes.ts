/** The processes and folders of a benchmark run. Everything started here is ended and everything made here is removed, however the run ends. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const PROJECT = join(import.meta.dir, "..");
const READY_MS_MAX = 120_000;
const STOP_MS_MAX = 15_000;
const OUTPUT_CHARS_KEPT = 4_000;

const running = new Set<Child>();
const folders = new Set<string>();

/** A process that says `ready ...` on its standard output, or prints a result and ends. */
export class Child {
  readonly startedAt = performance.now();
  readonly #name: string;
  readonly #process: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #errors: Promise<string>;
  readonly #lines: AsyncGenerator<string>;

  constructor(name: string, args: readonly string[], bunFlags: readonly string[] = [], runtime = process.execPath) {
    this.#name = name;
    this.#process = Bun.spawn([runtime, ...bunFlags, ...args], { cwd: PROJECT, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    this.#errors = tail(this.#process.stderr);
    this.#lines = linesOf(this.#process.stdout);
    running.add(this);
    void this.#process.exited.then(() => running.delete(this));
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** The first line that begins with `ready`. What the process prints later is read and dropped, so that it never waits for us. */
  async ready(): Promise<string> {
    const late = setTimeout(() => this.kill(), READY_MS_MAX);
    try {
      for (;;) {
        const { value, done } = await this.#lines.next();
        if (done) throw new Error(`${this.#name} ended before it was ready: ${await this.#errors}`);
        if (!value.startsWith("ready")) continue;
        void this.#drain();
        return value;
      }
    } finally {
      clearTimeout(late);
    }
  }

  /** The last line of a process that ends by itself, read as JSON. */
  async result(): Promise<unknown> {
    let last = "";
    for await (const line of this.#lines) if (line !== "") last = line;
    const code = await this.#process.exited;
    if (code !== 0) throw new Error(`${this.#name} failed with exit code ${code}: ${await this.#errors}`);
    return JSON.parse(last);
  }

  /** Ends it gracefully, or by force when that takes too long. */
  async stop(): Promise<void> {
    const late = setTimeout(() => this.kill(), STOP_MS_MAX);
    this.#process.kill("SIGTERM");
    await this.#process.exited;
    clearTimeout(late);
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  async #drain(): Promise<void> {
    for await (const _ of this.#lines);
  }
}

export function makeFolder(purpose: string): string {
  const folder = mkdtempSync(join(tmpdir(), `doorbuster-bench-${purpose}-`));
  folders.add(folder);
  return folder;
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  folders.delete(folder);
}

export function cleanUp(): void {
  for (const child of running) child.kill();
  for (const folder of folders) removeFolder(folder);
}

const SYSTEM_PORTS = [8080, 8081, 8082, 8083, 8084, 8090, 8761];

/** An offset at which all ports of the system are free at this moment. */
export function freePortOffset(): number {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const offset = 2_000 + Math.floor(Math.random() * 20_000);
    if (SYSTEM_PORTS.every((port) => isFree(port + offset))) return offset;
  }
  throw new Error("no free ports were found");
}

function isFree(port: number): boolean {
  try {
    Bun.listen({ hostname: "127.0.0.1", port, socket: { data: () => {} } }).stop(true);
    return true;
  } catch {
    return false;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() as string;
    yield* lines;
  }
  if (rest !== "") yield rest;
}

async function tail(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) text = (text + decoder.decode(chunk, { stream: true })).slice(-OUTPUT_CHARS_KEPT);
  return text.trim();
}

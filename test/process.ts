/** A process of the system for a test: started by the command line, ready when it says so, and gone with the test process. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "./wait.ts";

const MAIN = join(import.meta.dir, "../src/main.ts");
const READY_MS_MAX = 60_000;

export interface RunningProcess {
  readonly pid: number;
  /** Its process, and those that it has started. */
  pids(): readonly number[];
  isRunning(): boolean;
  /** SIGTERM; answers with the exit code. */
  stop(): Promise<number>;
  /** SIGKILL; answers when it and what it has started is gone. */
  kill(): Promise<void>;
  stdout(): string;
  stderr(): string;
}

/** @param args what follows `start`
 *  @param onStarted gets what the process writes on stderr, before it is ready
 *  @throws when the process ends before it is ready, with what it wrote on stderr */
export async function startProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  onStarted: (stderr: () => string) => void = () => undefined,
): Promise<RunningProcess> {
  // Settings of whoever runs the tests must not reach the system under test.
  const ownEnv = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("DOORBUSTER_")));
  const command = [process.execPath, MAIN, "start", ...args];
  const child = Bun.spawn(command, { env: { ...ownEnv, ...env }, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const killWithUs = (): void => {
    for (const pid of [...childrenOf(child.pid), child.pid]) killIfThere(pid);
  };
  process.on("exit", killWithUs);
  void child.exited.then(() => process.off("exit", killWithUs));
  const stdout = collect(child.stdout);
  const stderr = collect(child.stderr);
  onStarted(stderr.text);
  const isReady = (): boolean => /^ready /m.test(stdout.text());
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  await waitFor(() => isReady() || hasEnded(), "the system is ready", READY_MS_MAX).catch(killWithUs);
  if (!isReady()) {
    const code = await child.exited;
    await stderr.ended;
    throw new Error(`the system ended before it was ready (exit code ${code}): ${stderr.text()}`);
  }
  return {
    pid: child.pid,
    pids: () => [child.pid, ...childrenOf(child.pid)],
    isRunning: () => !hasEnded(),
    stdout: stdout.text,
    stderr: stderr.text,
    stop: () => {
      child.kill("SIGTERM");
      return child.exited;
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

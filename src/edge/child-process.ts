/** Processes of our own below this one, and the one above it. What they tell each other is JSON. */
interface ChildStart {
  readonly command: readonly string[];
  readonly onMessage: (message: unknown) => void;
  /** Once, when it has ended. */
  readonly onEnd: (how: { readonly exitCode: number | null; readonly signal: string | null }) => void;
}

export interface Child {
  readonly pid: number;
  /** Asks it to end well. */
  stop(): void;
  /** Ends it at once. */
  kill(): void;
}

/** Names the process that has started this one, where that is one of ours: whoever else does so may have a channel to it as well. */
const PARENT_VARIABLE = "SUPERVISOR_OF_DOORBUSTER";

/** Its standard error is ours; its standard output is nobody's. */
export function startChild({ command, onMessage, onEnd }: ChildStart): Child {
  const child = Bun.spawn([...command], {
    stdio: ["ignore", "ignore", "inherit"],
    serialization: "json",
    env: { ...process.env, [PARENT_VARIABLE]: String(process.pid) },
    ipc: onMessage,
    onExit: (_, exitCode, signalCode) => onEnd({ exitCode, signal: signalCode === null ? null : String(signalCode) }),
  });
  return { pid: child.pid, stop: () => child.kill("SIGTERM"), kill: () => child.kill("SIGKILL") };
}

export interface Parent {
  tell(message: unknown): void;
  /** Hears once when the process above has gone. */
  onGone(run: () => void): void;
}

/** The process of ours that has started this one; `null`: a person has, or a supervisor that is none of ours. */
export function parentProcess(): Parent | null {
  const send = process.send?.bind(process);
  if (!send || process.env[PARENT_VARIABLE] !== String(process.ppid)) return null;
  return { tell: (message) => void send(message), onGone: (run) => void process.once("disconnect", run) };
}

/** How this program is started: the command, before its arguments. A compiled one is its own command. */
export const ownCommand = (): readonly string[] => (Bun.main.startsWith("/$bunfs/") ? [process.execPath] : [process.execPath, Bun.main]);

export const coresOf = (): number => navigator.hardwareConcurrency;

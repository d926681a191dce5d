/** What every process of the system is to whoever starts it, and how it speaks to the operator. */
import { fetchKeySet, readKeyFile } from "../edge/key-text.ts";
import { systemClock } from "../edge/system-clock.ts";
import type { Greeter } from "../greeting.ts";
import type { Identity } from "../identity/identity.ts";
import { openIdentity } from "../identity/open-identity.ts";
import type { Settings } from "../settings/table.ts";

export interface Process extends Greeter {
  /** Stops accepting, answers what is in flight, commits, closes. */
  close(): Promise<void>;
  /** Resolves when everything is closed: exit code and, when it stopped by itself, why. */
  readonly stopped: Promise<{ readonly exitCode: number; readonly message: string | null }>;
}

export function complain(message: string): void {
  process.stderr.write(`doorbuster: ${message}\n`);
}

export function reportBug(error: unknown): void {
  complain(`a bug, please report it: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
}

export function openShoppersIdentity(settings: Settings): Promise<Identity> {
  const io = { clock: systemClock, readFile: readKeyFile, fetchText: fetchKeySet, report: complain };
  return openIdentity(settings.shop.identity, io);
}

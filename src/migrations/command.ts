/** `doorbuster migrate`: says what it does while it does it. */
import { optionsHelp, settingsHelp } from "../command-help.ts";
import { Failure } from "../core/failure.ts";
import type { SqlDatabase } from "../core/sql.ts";
import type { Clock } from "../core/time.ts";
import { onOff, type Setting } from "../settings/kinds.ts";
import { postgres } from "../settings/stores.ts";
import { config } from "../settings/table.ts";
import { MIGRATIONS } from "./all.ts";
import { migrate, missingMigrations } from "./migrate.ts";

const check = onOff("check", { help: "Only says what is missing; exit code 1 when something is." });

export const MIGRATE_SETTINGS: readonly Setting<unknown>[] = [postgres, config, check];

/** `--check` is a flag only: in a file it would make every run a look. */
export const migrateHelp = (): string =>
  `${settingsHelp([postgres, config])}\n${optionsHelp([check]).replace("Settings:", "As a flag only:")}`;

export interface MigrateOptions {
  readonly isCheck: boolean;
  readonly say: (line: string) => void;
  readonly clock: Clock;
}

/** The exit code. */
export async function migrateCommand(db: SqlDatabase, { isCheck, say, clock }: MigrateOptions): Promise<number> {
  try {
    const missing = await missingMigrations(db, MIGRATIONS);
    if (isCheck) for (const { name } of missing) say(`missing: ${name}`);
    else await migrate(db, MIGRATIONS, clock, (name) => say(`applied ${name}`));
    if (isCheck && missing.length > 0) return 1;
    say("the database is up to date");
    return 0;
  } catch (error) {
    // Who runs the command is an operator, and helped by the cause.
    if (!(error instanceof Failure)) throw error;
    throw new Error(`the database cannot be used (${error.cause instanceof Error ? error.cause.message : error.message})`);
  }
}

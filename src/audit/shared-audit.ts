/**
 * Recomputes every invariant from Redis and Postgres alone, and tells what was checked. It changes nothing, reads in pages, and keeps in memory a few
 * figures for each SKU of one partition, and of what was paid for each SKU.
 *
 * While others sell it is as exact as it can be: Postgres is read in one snapshot, what has changed while it was looked at is not compared, and what looks
 * broken is looked at again, and only counts if it is broken each time. On two stores in which nothing happens it is exact.
 */
import type { RedisScripts } from "../core/redis.ts";
import type { SqlDatabase } from "../core/sql.ts";
import type { DurationMs, UnixMs } from "../core/time.ts";
import { Partitions } from "../ledger/redis/partitions.ts";
import { StoredLedger } from "../ledger/redis/stored-ledger.ts";
import { AUDIT_LOOKS_MAX, AUDIT_PAUSE_MS, LEDGER_PARTITIONS } from "../limits/ledger.ts";
import { checkAgainstPostgres, checkAgainstRedis, checkUnpaid } from "./cross-checks.ts";
import { Findings, SHARED_CHECKS, type SharedCheck } from "./findings.ts";
import { checkPostgres } from "./postgres-checks.ts";
import { checkPartition } from "./redis-checks.ts";
import { type AuditReport, checked, tell } from "./report.ts";

export interface SharedAudit {
  readonly redis: RedisScripts;
  /** Migrated. */
  readonly postgres: SqlDatabase;
  readonly now: UnixMs;
  readonly pause: (delay: DurationMs) => Promise<void>;
  /** As the ledger was opened with. */
  readonly prefix?: string;
  readonly partitions?: number;
}

/** @returns the exit code: 0 when every invariant holds, 1 when one is broken */
export async function auditShared(of: SharedAudit, write: (line: string) => void): Promise<number> {
  return tell(await examineShared(of), write);
}

export async function examineShared(of: SharedAudit): Promise<AuditReport> {
  let findings = await look(of);
  for (let looks = 1; looks < AUDIT_LOOKS_MAX && findings.breaches.size > 0; looks += 1) {
    await of.pause(AUDIT_PAUSE_MS);
    findings = (await look(of)).confirming(findings);
  }
  return reportOf(findings);
}

async function look({ redis, postgres, now, prefix = "db", partitions: count = LEDGER_PARTITIONS }: SharedAudit): Promise<Findings> {
  const partitions = new Partitions(prefix, count);
  const stored = new StoredLedger(redis, partitions);
  const findings = await checkPostgres(postgres, now, () => new Findings());
  const both = { stored, partitions, sql: postgres.read, findings };
  for (const partition of partitions.all) {
    await checkPartition(stored, partition, findings);
    await checkAgainstPostgres(both, partition);
  }
  await checkAgainstRedis(both);
  await checkUnpaid(both);
  return findings;
}

function reportOf({ looked, breaches, moved, underWay }: Findings): AuditReport {
  const checks = Object.entries(SHARED_CHECKS).map(([check, promise]) =>
    checked(promise, looked.get(check as SharedCheck) ?? 0, [...(breaches.get(check as SharedCheck)?.values() ?? [])]),
  );
  const notes = [
    ...(moved > 0 ? [`${moved} goods changed while they were looked at: what is frozen of them was not compared`] : []),
    ...(underWay > 0 ? [`${underWay} changes were on their way between Redis and Postgres, and were not compared`] : []),
  ];
  return { checks, notes };
}

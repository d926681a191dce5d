/** The first file of the thread that recomputes the invariants: it opens the stores for itself, to read only. */
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { examine } from "../audit/audit.ts";
import type { AuditReport } from "../audit/report.ts";
import { examineShared } from "../audit/shared-audit.ts";
import type { FromAskedThread } from "../edge/asked-thread.ts";
import { AUDITING, Postgres } from "../edge/postgres.ts";
import { RedisConnection } from "../edge/redis.ts";
import { openSqliteFileReadOnly } from "../edge/sqlite-file.ts";
import { systemClock } from "../edge/system-clock.ts";
import { timers } from "../edge/timers.ts";

/** Which stores. It carries passwords, within this process. */
export type AuditedStores =
  | { readonly kind: "file"; readonly data: string }
  | { readonly kind: "shared"; readonly redis: readonly string[]; readonly postgres: string };

/** Connections stay for the next look. */
async function examiner(stores: AuditedStores): Promise<() => Promise<AuditReport>> {
  if (stores.kind === "file") {
    const db = openSqliteFileReadOnly(stores.data);
    return async () => examine(db);
  }
  const redis = new RedisConnection(stores.redis.join(","));
  const postgres = new Postgres(stores.postgres, AUDITING);
  try {
    await redis.open();
  } catch (error) {
    redis.close();
    await postgres.close();
    throw error;
  }
  const pause = (delay: number): Promise<void> => new Promise((resolve) => timers.after(delay, resolve));
  return () => examineShared({ redis, postgres, now: systemClock.now(), pause });
}

function answerQuestions(): void {
  const tell = (message: FromAskedThread): void => parentPort?.postMessage(message);
  let look: Promise<() => Promise<AuditReport>> | null = null;
  parentPort?.on("message", () => {
    look ??= examiner(workerData as AuditedStores).catch((error: unknown) => {
      // What could not be opened is opened anew for the next look.
      look = null;
      throw error;
    });
    look
      .then((run) => run())
      .then(
        (answer) => tell({ answer }),
        (error: unknown) => tell({ failed: error instanceof Error ? error.message : String(error) }),
      );
  });
}

if (!isMainThread) answerQuestions();

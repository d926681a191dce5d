/** The audit trail that many processes share, over a real Postgres. */
import { afterAll, beforeAll, describe, setDefaultTimeout } from "bun:test";
import { hasPostgres, NEEDS_POSTGRES, PATIENT, type PostgresServer, startPostgres } from "../../test/servers/postgres.ts";
import { AWAY, type TrailUnderTest, trailSuite } from "../../test/trail-suite.ts";
import type { SqlDatabase } from "../core/sql.ts";
import { Postgres } from "../edge/postgres.ts";
import { systemClock } from "../edge/system-clock.ts";
import { MIGRATIONS } from "../migrations/all.ts";
import { migrate } from "../migrations/migrate.ts";
import type { OperatorTrail } from "./operator-trail.ts";
import { PostgresTrail } from "./postgres-trail.ts";

// The bound is only there to end a broken run: a server that starts on a busy machine takes its time.
setDefaultTimeout(60_000);

class InPostgres implements TrailUnderTest {
  readonly trail: OperatorTrail;
  readonly reported: string[] = [];
  nowMs = 1_000;
  isAway = false;

  constructor(
    private readonly real: Postgres,
    options: { entriesMax?: number },
  ) {
    const db: SqlDatabase = {
      read: real.read,
      transaction: (work, how) => (this.isAway ? Promise.reject(AWAY) : real.transaction(work, how)),
    };
    const clock = { now: () => this.nowMs, monotonicUs: () => 0 };
    this.trail = new PostgresTrail({ db, clock, report: (message) => this.reported.push(message), ...options });
  }

  async fill(count: number, atMs: number): Promise<void> {
    await this.real.transaction(
      (tx) => tx`
        insert into operator_changes (at_ms, who, service, operation, asked)
        select ${atMs}, '::1', 's', 'filled', 'null' from generate_series(1, ${count}::integer)`,
    );
  }
}

describe.skipIf(!hasPostgres)(`${hasPostgres ? "over Postgres" : NEEDS_POSTGRES},`, () => {
  let server: PostgresServer;
  let db: Postgres;
  beforeAll(async () => {
    server = await startPostgres();
    db = new Postgres(server.url, PATIENT);
    await migrate(db, MIGRATIONS, systemClock, () => undefined);
  });
  afterAll(async () => {
    await db?.close();
    await server?.stop();
  });

  trailSuite("Postgres", async (options = {}) => {
    await db.transaction((tx) => tx.script("truncate operator_changes restart identity"));
    return new InPostgres(db, options);
  });
});

/**
 * Of all processes over one database, one leads: it does what is to be done by one alone. Who leads holds a lock on a connection of its own, and the server
 * takes the lock back with the connection.
 *
 * - FOLLOWING: asks for the lock at every tick. Gets it: LEADING.
 * - LEADING: proves at every tick that the connection is alive. It is not, or the proof is too old because the process stood still: FOLLOWING.
 *
 * A leader that is not heard of loses its connection after `LEADER_SILENT_MS_MAX`, by the server's clock; it knows of that by its own clock before, unless
 * the whole process stands still. So what the leader does must bear to be done by two for a moment: it does, at least once and with keys.
 */
import { type ReservedSQL, SQL } from "bun";
import type { Clock, MonotonicUs } from "../core/time.ts";
import { LEADER_ANSWER_MS_MAX, LEADER_SILENT_MS_MAX, LEADER_TICK_MS } from "../limits.ts";

export interface Duties {
  begin(): void;
  end(): void;
}

/** "DOOR" and "LEAD", a lock of two numbers. */
const LOCK = [0x444f4f52, 0x4c454144] as const;

export class PostgresLeadership {
  readonly #pool: SQL;
  readonly #duties: Duties;
  readonly #clock: Clock;
  readonly #timer: ReturnType<typeof setInterval>;
  #connection: ReservedSQL | null = null;
  #asking: Promise<void> | null = null;
  #isLeading = false;
  #provenAt: MonotonicUs = 0;
  #isClosed = false;

  /** Begins at once. @param duties begin when this process leads, and end when it does not any more; both at most once in turn */
  constructor(url: string, duties: Duties, clock: Clock) {
    this.#duties = duties;
    this.#clock = clock;
    this.#pool = new SQL(url, {
      database: decodeURIComponent(new URL(url).pathname.slice(1)) || undefined,
      max: 1,
      connectionTimeout: LEADER_ANSWER_MS_MAX / 1_000,
      connection: {
        application_name: "doorbuster leadership",
        statement_timeout: LEADER_ANSWER_MS_MAX,
        idle_session_timeout: LEADER_SILENT_MS_MAX,
      },
    });
    this.#timer = setInterval(() => this.#tick(), LEADER_TICK_MS);
    this.#tick();
  }

  /** Whether it leads, as far as can be known without asking. */
  get isLeading(): boolean {
    return this.#isLeading && this.#clock.monotonicUs() - this.#provenAt < LEADER_SILENT_MS_MAX * 1_000;
  }

  /** Ends its duties and lets somebody else lead at once. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#end();
    await this.#asking;
    // A connection that is closed takes its lock with it.
    await this.#pool.close({ timeout: 0 });
  }

  #tick(): void {
    if (this.#isLeading && !this.isLeading) this.#end();
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
  }

  async #ask(): Promise<void> {
    const askedAt = this.#clock.monotonicUs();
    const giveUp = setTimeout(() => void this.#connection?.close({ timeout: 0 }), LEADER_ANSWER_MS_MAX);
    try {
      this.#connection ??= await this.#pool.reserve();
      const isOurs = this.#isLeading ? await this.#prove(this.#connection) : await this.#take(this.#connection);
      if (isOurs) this.#lead(askedAt);
    } catch {
      // Whatever the reason, the lock is gone with the connection, and the next tick asks for both.
      this.#end();
      await this.#connection?.close({ timeout: 0 });
      this.#connection = null;
    } finally {
      clearTimeout(giveUp);
    }
  }

  async #take(connection: ReservedSQL): Promise<boolean> {
    const [lock] = await connection<{ isOurs: boolean }[]>`
      select pg_try_advisory_lock(${LOCK[0]}::integer, ${LOCK[1]}::integer) as "isOurs"`;
    return lock?.isOurs === true;
  }

  async #prove(connection: ReservedSQL): Promise<true> {
    await connection`select 1`;
    return true;
  }

  #lead(provenAt: MonotonicUs): void {
    if (this.#isClosed) return;
    this.#provenAt = provenAt;
    if (this.#isLeading) return;
    this.#isLeading = true;
    this.#duties.begin();
  }

  #end(): void {
    if (!this.#isLeading) return;
    this.#isLeading = false;
    this.#duties.end();
  }
}

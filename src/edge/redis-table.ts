/** The rows of a shared table and the log of their changes, in Redis. */
import { Cluster } from "ioredis";
import type { UnixMs } from "../core/time.ts";
import { TABLE_ENTRIES_PER_LOOK, TABLE_EVENTS_WAITING_MAX, TABLE_LOOK_MS } from "../limits/tables.ts";
import type { RedisConnection } from "./redis.ts";
import { redisFailureOf } from "./redis-errors.ts";
import { LOOK, tableKey, WRITE } from "./redis-table-scripts.ts";

interface Position {
  readonly number: number;
  readonly mark: string;
}

interface Change {
  readonly id: string;
  readonly text: string | null;
}

interface Entry {
  readonly position: Position;
  readonly markBefore: string;
  readonly changes: readonly Change[];
}

interface Row {
  readonly id: string;
  readonly text: string;
}

interface Look {
  readonly head: Position;
  readonly entries: readonly Entry[];
  readonly rows: readonly Row[];
}

type EntryReply = readonly [id: string, fields: readonly ["before", string, "mark", string, "changes", string]];
type WriteReply = readonly ["written"] | readonly ["full"] | readonly ["moved", string, string, readonly EntryReply[]];
type LookReply = readonly [position: string, mark: string, readonly EntryReply[], readonly string[]];

export class RedisTable {
  readonly #redis: RedisConnection;
  readonly #waiting: RedisConnection["client"];
  readonly #logEntriesMax: number;
  readonly #keys: Readonly<Record<"head" | "rows" | "ends" | "log" | "events", string>>;

  /** @param redis stays open; what waits for changes gets a connection of its own */
  constructor(redis: RedisConnection, name: string, logEntriesMax: number) {
    this.#redis = redis;
    this.#waiting = redis.client instanceof Cluster ? redis.client.duplicate() : redis.client.duplicate();
    this.#waiting.on("error", () => {
      // Whoever waits on it hears of it.
    });
    this.#logEntriesMax = logEntriesMax;
    const key = (part: string): string => tableKey(name, part);
    this.#keys = { head: key("head"), rows: key("rows"), ends: key("ends"), log: key("log"), events: key("events") };
  }

  async look(what: {
    readonly behind: Position | null;
    readonly rows: { readonly after: string | null; readonly limit: number } | null;
  }): Promise<Look> {
    const { head, rows, log } = this.#keys;
    const behind = what.behind === null ? "" : what.behind.number;
    const wanted = [behind, TABLE_ENTRIES_PER_LOOK, what.rows?.limit ?? 0, what.rows?.after ?? ""];
    const reply = await this.#redis.run(LOOK, [head, rows, log], wanted.map(String));
    const [position, mark, entries, members] = reply as LookReply;
    return { ...lookOf(position, mark, entries), rows: members.map(rowOf) };
  }

  async waitFor(behind: Position): Promise<void> {
    try {
      await this.#waiting.xread("COUNT", 1, "BLOCK", TABLE_LOOK_MS, "STREAMS", this.#keys.log, `${behind.number}-0`);
    } catch (error) {
      // A connection that nobody answers on any more looks open for minutes.
      if (error instanceof Error && error.message === "Command timed out") this.#waiting.disconnect(true);
      throw redisFailureOf(error);
    }
  }

  async write(
    at: Position,
    mark: string,
    changes: readonly (Change & { readonly endsAt: UnixMs | null })[],
    events: readonly string[],
  ): Promise<{ readonly kind: "written" } | { readonly kind: "full" } | { readonly kind: "moved"; readonly look: Look }> {
    const { head, rows, ends, log, events: waiting } = this.#keys;
    const kept = JSON.stringify(changes.map(({ id, text }) => (text === null ? [id] : [id, text])));
    const endings = changes.map(({ endsAt }) => String(endsAt ?? ""));
    const bounds = [this.#logEntriesMax, TABLE_ENTRIES_PER_LOOK, TABLE_EVENTS_WAITING_MAX].map(String);
    const args = [String(at.number), at.mark, mark, kept, ...bounds, String(changes.length)].concat(endings, events);
    const reply = (await this.#redis.run(WRITE, [head, rows, ends, log, waiting], args)) as WriteReply;
    if (reply[0] !== "moved") return { kind: reply[0] };
    return { kind: "moved", look: { ...lookOf(reply[1], reply[2], reply[3]), rows: [] } };
  }

  async ended(now: UnixMs, limit: number): Promise<readonly string[]> {
    try {
      return await this.#redis.client.zrangebyscore(this.#keys.ends, "-inf", now, "LIMIT", 0, limit);
    } catch (error) {
      throw redisFailureOf(error);
    }
  }

  close(): void {
    this.#waiting.disconnect();
  }
}

const lookOf = (position: string, mark: string, entries: readonly EntryReply[]): Omit<Look, "rows"> => ({
  head: { number: Number(position), mark },
  entries: entries.map(entryOf),
});

function entryOf([id, [, markBefore, , mark, , changes]]: EntryReply): Entry {
  const written = JSON.parse(changes) as [string, string?][];
  return {
    position: { number: Number(id.split("-")[0]), mark },
    markBefore,
    changes: written.map(([id, text]) => ({ id, text: text ?? null })),
  };
}

function rowOf(member: string): Row {
  const end = member.indexOf("\0");
  return { id: member.slice(0, end), text: member.slice(end + 1) };
}

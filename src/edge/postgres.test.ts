/** The database of many processes: all or nothing, done again where that is safe, and honest about what is not known. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { hasPostgres, NEEDS_POSTGRES, type PostgresServer, startPostgres } from "../../test/servers/postgres.ts";
import { waitFor } from "../../test/wait.ts";
import { BrokenInvariant } from "../core/assert.ts";
import type { Failure } from "../core/failure.ts";
import type { Sql, Tx } from "../core/sql.ts";
import { POSTGRES_WAITING_MAX } from "../limits.ts";
import { Postgres, type PostgresBounds } from "./postgres.ts";

const bounds: PostgresBounds = { connectionsMax: 4, connectMsMax: 15_000, statementMsMax: 10_000, answerMsMax: 15_000 };
/** A slow machine makes nothing too late: what is too late here would never come. */
const impatient: PostgresBounds = { connectionsMax: 1, connectMsMax: 15_000, statementMsMax: 300, answerMsMax: 600 };

// The bound is only there to end a broken run: a server that starts on a busy machine takes its time.
setDefaultTimeout(60_000);

describe.skipIf(!hasPostgres)(`Postgres ${hasPostgres ? "" : NEEDS_POSTGRES}`, () => {
  let server: PostgresServer;
  let db: Postgres;
  const opened: Postgres[] = [];
  const open = (withBounds = bounds): Postgres => {
    const another = new Postgres(server.url, withBounds);
    opened.push(another);
    return another;
  };
  beforeAll(async () => {
    server = await startPostgres();
    db = open();
    await db.transaction((tx) =>
      tx.script(`
        create table accounts (name text primary key, amount bigint not null);
        insert into accounts values ('a', 0);
        create table slow (n integer);
        create function wait_at_commit() returns trigger language plpgsql as $$ begin perform pg_sleep(new.n); return null; end $$;
        create constraint trigger slow_commit after insert on slow deferrable initially deferred for each row execute function wait_at_commit();
        create table refused (n integer unique deferrable initially deferred);
        insert into refused values (1);`),
    );
  });
  afterAll(async () => {
    await Promise.all(opened.map((each) => each.close()));
    await server?.stop();
  });

  const failureOf = (promise: Promise<unknown>): Promise<Failure> =>
    promise.then(
      () => Promise.reject(new Error("it went well")),
      (error: Failure) => error,
    );
  const amount = async (): Promise<number | undefined> =>
    (await db.read<{ amount: number }>`select amount from accounts where name = 'a'`)[0]?.amount;
  const add = (tx: Tx) => tx`update accounts set amount = amount + 1 where name = 'a'`;
  const pidOf = async (sql: Sql): Promise<number> => (await sql<{ pid: number }>`select pg_backend_pid() as pid`)[0]?.pid as number;

  test("gives whole numbers of 64 bits as numbers, and takes lists", async () => {
    const rows = await db.read`
      select id, name, 1763798400000::bigint as at, null::bigint as never, count(*) over () as count
      from unnest(${[1, null]}::bigint[], ${['a,"b"', "c\\{}"]}::text[]) as t(id, name)`;
    expect([...rows] as unknown[]).toEqual([
      { id: 1, name: 'a,"b"', at: 1763798400000, never: null, count: 2 },
      { id: null, name: "c\\{}", at: 1763798400000, never: null, count: 2 },
    ]);
    const none = await db.read<{ id: number }>`select * from unnest(${[]}::bigint[]) as id`;
    expect(none).toHaveLength(0);
  });

  test("does not pass on a number that is not exact", async () => {
    await expect(db.read`select 9007199254740993::bigint as n`).rejects.toThrow(BrokenInvariant);
  });

  test("a parameter is never part of a statement", async () => {
    const hostile = "'; drop table accounts; --";
    expect([...(await db.read<{ text: string }>`select ${hostile}::text as text`)]).toEqual([{ text: hostile }]);
    expect(await amount()).toBe(0);
  });

  test("an error in the work undoes all of it and is passed on", async () => {
    const before = await amount();
    const work = async (tx: Tx) => {
      await add(tx);
      throw new Error("a change of mind");
    };
    await expect(db.transaction(work)).rejects.toThrow("a change of mind");
    expect(await amount()).toBe(before);
  });

  test("to go on after a statement that failed is a bug, and nothing of it stays", async () => {
    const before = await amount();
    const work = async (tx: Tx) => {
      await add(tx);
      await tx`select 1 / 0`.catch(() => undefined);
    };
    await expect(db.transaction(work)).rejects.toThrow("a transaction goes on after no error");
    expect(await amount()).toBe(before);
  });

  test("to use a transaction that has ended is a bug", async () => {
    const tx = await db.transaction(async (open) => [open] as const);
    expect(() => tx[0]`select 1`).toThrow(BrokenInvariant);
  });

  test("transactions that collide are done again until all have gone through", async () => {
    const before = (await amount()) as number;
    const readThenWrite = async (tx: Tx) => {
      const [row] = await tx<{ amount: number }>`select amount from accounts where name = 'a'`;
      await tx`update accounts set amount = ${(row?.amount ?? 0) + 1} where name = 'a'`;
    };
    await Promise.all(Array.from({ length: 4 }, () => db.transaction(readThenWrite, { isSerializable: true })));
    expect(await amount()).toBe(before + 4);
  });

  test("one that deadlocks with another is done again", async () => {
    await db.transaction(async (tx) => {
      await tx`insert into accounts values ('x', 0), ('y', 0)`;
    });
    const both = Promise.withResolvers<void>();
    let holding = 0;
    const inOrder = (first: string, second: string) => async (tx: Tx) => {
      await tx`update accounts set amount = amount + 1 where name = ${first}`;
      holding += 1;
      if (holding === 2) both.resolve();
      await both.promise;
      await tx`update accounts set amount = amount + 1 where name = ${second}`;
    };
    await Promise.all([db.transaction(inOrder("x", "y")), db.transaction(inOrder("y", "x"))]);
    const rows = await db.read<{ amount: number }>`select amount from accounts where name in ('x', 'y')`;
    expect(rows.map((row) => row.amount)).toEqual([2, 2]);
  });

  test("a connection that is lost before the commit costs nothing: the work is done again", async () => {
    const before = (await amount()) as number;
    let attempts = 0;
    await db.transaction(async (tx) => {
      attempts += 1;
      await add(tx);
      if (attempts === 1) await db.read`select pg_terminate_backend(${await pidOf(tx)}::integer)`;
      await add(tx);
    });
    expect([attempts, await amount()]).toEqual([2, before + 2]);
  });

  test("a connection that is lost while it commits leaves an unknown outcome", async () => {
    let pid = 0;
    const failed = failureOf(
      db.transaction(async (tx) => {
        await tx`insert into slow values (20)`;
        pid = await pidOf(tx);
      }),
    );
    const isCommitting = async () =>
      (await db.read`select 1 from pg_stat_activity where pid = ${pid}::integer and wait_event = 'PgSleep'`).length === 1;
    await waitFor(isCommitting, "it commits");
    await db.read`select pg_terminate_backend(${pid}::integer)`;
    expect(await failed).toMatchObject({ code: "store-unavailable", outcomeKnown: false });
  });

  test("a commit that is refused has not happened, and is no failure but what the server says", async () => {
    const work = async (tx: Tx) => void (await tx`insert into refused values (1)`);
    await expect(db.transaction(work)).rejects.toMatchObject({ errno: "23505" });
    expect(await db.read`select n from refused`).toHaveLength(1);
  });

  test("a statement that takes too long is ended, and the connection is as good as before", async () => {
    const other = open(impatient);
    expect(await failureOf(other.read`select pg_sleep(20)`)).toMatchObject({ code: "store-unavailable", outcomeKnown: true });
    expect(await other.read`select 1`).toHaveLength(1);
  });

  test("a server process that stands still is given up, and another serves", async () => {
    const other = open(impatient);
    const pid = await pidOf(other.read);
    process.kill(pid, "SIGSTOP");
    try {
      const work = async (tx: Tx) => void (await add(tx));
      expect(await failureOf(other.transaction(work))).toMatchObject({ code: "store-unavailable", outcomeKnown: true });
      expect(await pidOf(other.read)).not.toBe(pid);
    } finally {
      process.kill(pid, "SIGCONT");
    }
  });

  test("who waits too long for a connection, or behind too many, hears that there is too much to do", async () => {
    const other = open({ ...impatient, statementMsMax: 10_000, answerMsMax: 1_000 });
    const held = other.transaction(async (tx) => {
      const first = failureOf(other.read`select 1`);
      const others = Array.from({ length: POSTGRES_WAITING_MAX - 1 }, () => other.read`select 1`);
      const last = failureOf(other.read`select 1`);
      await tx`select 1`;
      return [await last, await first, Promise.allSettled(others)] as const;
    });
    const [last, first, others] = await held;
    for (const failure of [last, first]) expect(failure).toMatchObject({ code: "overloaded", outcomeKnown: true });
    await others;
  });

  test("a server that is down is a failure at once, and when it is back everything goes on by itself", async () => {
    const busy = Promise.withResolvers<void>();
    const during = failureOf(
      db.transaction(async (tx) => {
        await add(tx);
        busy.resolve();
        await tx`select pg_sleep(10)`;
      }),
    );
    await busy.promise;
    await server.kill();
    expect(await during).toMatchObject({ code: "store-unavailable", outcomeKnown: true });
    const failures = await Promise.all(Array.from({ length: 6 }, () => failureOf(db.transaction(add))));
    for (const failure of failures) expect(failure).toMatchObject({ code: "store-unavailable", outcomeKnown: true });
    expect(failures[0]?.message).not.toContain("127.0.0.1");
    await server.restart();
    const isBack = () =>
      amount().then(
        () => true,
        () => false,
      );
    await waitFor(isBack, "the database is found again");
    const before = (await amount()) as number;
    await Promise.all(Array.from({ length: 6 }, () => db.transaction(add)));
    expect(await amount()).toBe(before + 6);
  });
});

/** One transaction per turn: order, durability before the answer, and fail-stop. Commits fail here as SQLite really fails them. */
import { Database } from "bun:sqlite";
import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Failure } from "../core/failure.ts";
import { WRITES_WAITING_MAX } from "../limits.ts";
import { GroupCommit } from "./group-commit.ts";

const SCHEMA = `
create table rows (name text not null);
create table parents (id integer primary key);
-- Looked at when the transaction commits: the way to make a commit itself fail.
create table children (parent integer references parents (id) deferrable initially deferred);`;

const opened: (() => void)[] = [];
afterEach(() => {
  for (const close of opened.splice(0)) close();
});

class Store {
  readonly failures: Failure[] = [];
  /** In the order in which things happened. */
  readonly events: string[] = [];
  readonly db: Database;
  readonly commit: GroupCommit;
  /** Another connection: it sees what is committed, and nothing else. */
  readonly #reader: Database;

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), "doorbuster-commit-"));
    this.db = new Database(join(folder, "db"));
    this.db.run("pragma journal_mode = wal");
    this.db.run("pragma foreign_keys = on");
    this.db.run(SCHEMA);
    this.#reader = new Database(join(folder, "db"), { readonly: true });
    this.commit = new GroupCommit(this.db, (failure) => {
      this.failures.push(failure);
      this.events.push("onFailure");
    });
    opened.push(() => {
      this.#reader.close();
      this.db.close();
      rmSync(folder, { recursive: true });
    });
  }

  get committed(): string[] {
    return this.#reader
      .query<{ name: string }, []>("select name from rows order by rowid")
      .all()
      .map(({ name }) => name);
  }

  insert(name: string): () => string {
    return () => {
      this.db.query("insert into rows values (?)").run(name);
      return `result of ${name}`;
    };
  }

  /** Work that is done without an error, and whose transaction cannot commit. */
  readonly spoil = (): void => {
    this.db.run("insert into children values (404)");
  };
}

const failureOf = async (answer: Promise<unknown>): Promise<Failure> => {
  const failure = await answer.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(failure instanceof Failure)) throw new Error(`expected a failure, got ${String(failure)}`);
  return failure;
};

describe("a turn", () => {
  test("does everything that was asked for in one transaction, in order of arrival, and gives everyone their own result", async () => {
    const store = new Store();
    let transactions = 0;
    store.commit.beforeCommit(() => {
      transactions += 1;
    });
    const answers = ["a", "b", "c"].map((name) => store.commit.turn(store.insert(name)));
    expect(store.committed).toEqual([]);
    expect(await Promise.all(answers)).toEqual(["result of a", "result of b", "result of c"]);
    expect([store.committed, transactions]).toEqual([["a", "b", "c"], 1]);
    await store.commit.turn(store.insert("d"));
    expect([store.committed, transactions]).toEqual([["a", "b", "c", "d"], 2]);
  });

  test("is durable when its callers hear, and they hear in order", async () => {
    const store = new Store();
    const heard: string[][] = [];
    const names = ["a", "b", "c"];
    await Promise.all(
      names.map((name) => store.commit.turn(store.insert(name)).then((result) => heard.push([result, ...store.committed]))),
    );
    expect(heard).toEqual(names.map((name) => [`result of ${name}`, "a", "b", "c"]));
  });

  test("that was collected elsewhere is committed at once, with those who waited before it", async () => {
    const store = new Store();
    const waiting = store.commit.turn(store.insert("waiting"));
    const collected = store.commit.turn(store.insert("collected"), true);
    expect(store.committed).toEqual(["waiting", "collected"]);
    expect(await Promise.all([waiting, collected])).toEqual(["result of waiting", "result of collected"]);
    await store.commit.turn(store.insert("later"));
    expect(store.committed).toEqual(["waiting", "collected", "later"]);
  });

  test("runs every flush once after its work, inside its transaction", async () => {
    const store = new Store();
    for (const name of ["first flush", "second flush"]) store.commit.beforeCommit(store.insert(name));
    await Promise.all([store.commit.turn(store.insert("a")), store.commit.turn(store.insert("b"))]);
    expect(store.committed).toEqual(["a", "b", "first flush", "second flush"]);
  });

  test("is not for more than so many who wait: the next is overloaded, which changes nothing, and the others are served", async () => {
    const store = new Store();
    const waiting = Array.from({ length: WRITES_WAITING_MAX }, (_, index) => store.commit.turn(() => index));
    const failure = await failureOf(store.commit.turn(store.insert("too many")));
    expect([failure.code, failure.outcomeKnown]).toEqual(["overloaded", true]);
    expect((await Promise.all(waiting)).at(-1)).toBe(WRITES_WAITING_MAX - 1);
    await store.commit.turn(store.insert("afterwards"));
    expect([store.committed, store.failures]).toEqual([["afterwards"], []]);
  });
});

describe("a turn that cannot be committed", () => {
  const ways: readonly (readonly [string, (store: Store) => void])[] = [
    ["its commit fails", ({ commit, spoil }) => void commit.turn(spoil).catch(() => {})],
    [
      "a work of it throws",
      ({ commit }) =>
        void commit
          .turn(() => {
            throw new RangeError("no such thing");
          })
          .catch(() => {}),
    ],
    ["a flush of it fails", ({ commit, spoil }) => commit.beforeCommit(spoil)],
  ];

  test.each(ways)("because %s, leaves nothing of itself, and everyone in it hears an unknown outcome", async (_, break_) => {
    const store = new Store();
    await store.commit.turn(store.insert("before"));
    const first = store.commit.turn(store.insert("a"));
    break_(store);
    const last = store.commit.turn(store.insert("b"));
    for (const answer of [first, last]) {
      const failure = await failureOf(answer);
      expect([failure.code, failure.outcomeKnown, failure.cause instanceof Error]).toEqual(["commit-failed", false, true]);
    }
    expect([store.committed, store.db.inTransaction]).toEqual([["before"], false]);
    expect(store.db.query("select count(*) as n from rows").get()).toEqual({ n: 1 });
  });

  test("stops everything: nothing is done any more, and everybody hears the same failure", async () => {
    const store = new Store();
    const failed = await failureOf(store.commit.turn(store.spoil));
    let isDone = false;
    const later = (isCollected: boolean) =>
      store.commit.turn(() => {
        isDone = true;
      }, isCollected);
    for (const isCollected of [false, true]) expect(await failureOf(later(isCollected))).toBe(failed);
    store.commit.close();
    expect(await failureOf(later(false))).toBe(failed);
    expect([isDone, store.failures]).toEqual([false, [failed]]);
  });

  test("is told to its owner once, before its callers hear of it", async () => {
    const store = new Store();
    const answers = [store.spoil, store.insert("a"), store.spoil].map((work) => store.commit.turn(work));
    const heard = answers.map((answer) => answer.catch(() => store.events.push("caller")));
    await Promise.all(heard);
    await failureOf(store.commit.turn(store.insert("b")));
    expect(store.events).toEqual(["onFailure", "caller", "caller", "caller"]);
  });

  test("also stops those who came while it was the next: their work is not done, and they hear it", async () => {
    const store = new Store();
    const waiting = store.commit.turn(store.insert("waiting"));
    const failed = await failureOf(store.commit.turn(store.spoil, true));
    expect(await failureOf(waiting)).toBe(failed);
    const answers = [store.commit.turn(store.insert("a")), store.commit.turn(store.insert("b"), true)];
    for (const answer of answers) expect(await failureOf(answer)).toBe(failed);
    expect(store.committed).toEqual([]);
  });
});

describe("closing", () => {
  test("commits what waits, and accepts nothing more", async () => {
    const store = new Store();
    const waiting = store.commit.turn(store.insert("a"));
    store.commit.close();
    expect(store.committed).toEqual(["a"]);
    expect(await waiting).toBe("result of a");
    const failure = await failureOf(store.commit.turn(store.insert("b")));
    expect([failure.code, failure.outcomeKnown]).toEqual(["store-stopped", true]);
    expect([store.committed, store.failures]).toEqual([["a"], []]);
  });
});

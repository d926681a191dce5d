/** Idempotency of a shopper's POST, over a ledger in memory: the first reply again, 422 for another request, 409 in flight. */
import { describe, expect, test } from "bun:test";
import { type HttpReply, json } from "../core/endpoint.ts";
import { problem } from "../core/problem.ts";
import { EmbeddedLedger } from "../ledger/embedded/embedded-ledger.ts";
import { MemoryJournal } from "../ledger/embedded/memory-journal.ts";
import { KeyedRequests } from "./keyed-requests.ts";

function open() {
  const clock = { now: () => 1_000, monotonicUs: () => 0 };
  const ledger = new EmbeddedLedger(new MemoryJournal());
  let ids = 0;
  const newId = (): string => {
    ids += 1;
    return `new${ids}`;
  };
  const keysInFlight = new Set<string>();
  const again = () => new KeyedRequests({ replies: ledger, claims: null, keysInFlight, newId, clock });
  return { keyed: again(), again, keysInFlight };
}

/** Counts how often it was done; every time it answers differently. */
function work(statuses: readonly number[] = [201]) {
  const ids: string[] = [];
  const run = async (id: string): Promise<HttpReply> => {
    const status = statuses[Math.min(ids.length, statuses.length - 1)] as number;
    ids.push(id);
    return status < 400 ? json({ id, times: ids.length }, status) : problem(status as 409, `no, ${ids.length}`);
  };
  return { ids, run };
}

const asked = (header: string | null, owner: string, request: readonly string[]) => ({ header, owner, isOwned: false, request });

describe("with a key", () => {
  test("the same request gets the first reply again, and is done once", async () => {
    const { keyed, again } = open();
    const { ids, run } = work();
    const first = await keyed.once(asked("k1", "ann", ["order"]), run);
    expect(await keyed.once(asked("k1", "ann", ["order"]), run)).toEqual(first);
    // Quoted or bare, it is one key (the IETF draft's form).
    expect(await keyed.once(asked('"k1"', "ann", ["order"]), run)).toEqual(first);
    expect(await again().once(asked("k1", "ann", ["order"]), run)).toEqual(first);
    expect(ids).toHaveLength(1);
  });

  test("a refusal is repeated too, as the problem that it was", async () => {
    const { keyed } = open();
    const { ids, run } = work([409, 201]);
    const first = await keyed.once(asked("k1", "ann", ["order"]), run);
    expect(await keyed.once(asked("k1", "ann", ["order"]), run)).toEqual(first);
    expect([first.status, first.headers?.["content-type"], ids.length]).toEqual([409, "application/problem+json", 1]);
  });

  test.each([503, 400, 401])("a reply that decided nothing (%d) leaves the key free", async (status) => {
    const { keyed } = open();
    const { run } = work([status, 201]);
    expect((await keyed.once(asked("k1", "ann", ["order"]), run)).status).toBe(status);
    expect((await keyed.once(asked("k1", "ann", ["order"]), run)).status).toBe(201);
  });

  test("another request is refused with 422", async () => {
    const { keyed } = open();
    const { ids, run } = work();
    await keyed.once(asked("k1", "ann", ["order", "A"]), run);
    expect((await keyed.once(asked("k1", "ann", ["order", "B"]), run)).status).toBe(422);
    expect(ids).toHaveLength(1);
  });

  test("a request that comes while the first is on its way is refused with 409, and may come again", async () => {
    const { keyed, keysInFlight } = open();
    const gate = Promise.withResolvers<void>();
    const { run } = work();
    const first = keyed.once(asked("k1", "ann", ["order"]), async (id) => {
      await gate.promise;
      return run(id);
    });
    const second = await keyed.once(asked("k1", "ann", ["order"]), run);
    expect([second.status, second.headers?.["retry-after"]]).toEqual([409, "1"]);
    gate.resolve();
    expect(await keyed.once(asked("k1", "ann", ["order"]), run)).toMatchObject({ status: 409 });
    await first;
    expect(await keyed.once(asked("k1", "ann", ["order"]), run)).toEqual(await first);
    expect(keysInFlight.size).toBe(0);
  });

  test("the id of what is made comes from the key and its owner, so that work done again after a crash finds it", async () => {
    const { keyed } = open();
    const { ids, run } = work([503, 503, 503, 503]);
    await keyed.once(asked("k1", "ann", ["order"]), run);
    await keyed.once(asked("k1", "ann", ["order"]), run);
    await keyed.once(asked("k1", "bob", ["order"]), run);
    await keyed.once(asked("k2", "ann", ["order"]), run);
    expect(ids[0]).toBe(ids[1] as string);
    expect(new Set(ids).size).toBe(3);
    expect(ids[0]).toMatch(/^[0-9a-f]{24}$/);
  });

  test("a key that is its owner's alone is nobody else's", async () => {
    const { keyed } = open();
    const { ids, run } = work();
    for (const owner of ["ann", "bob"]) expect((await keyed.once({ ...asked("k1", owner, [owner]), isOwned: true }, run)).status).toBe(201);
    expect((await keyed.once(asked("k1", "eve", ["eve"]), run)).status).toBe(201);
    expect(new Set(ids).size).toBe(3);
  });

  test("work that throws leaves the key free", async () => {
    const { keyed, keysInFlight } = open();
    await expect(keyed.once(asked("k1", "ann", ["order"]), () => Promise.reject(new Error("a bug")))).rejects.toThrow("a bug");
    expect(keysInFlight.size).toBe(0);
  });
});

test("without a key everything is done, with a new id each time", async () => {
  const { keyed } = open();
  const { ids, run } = work();
  await keyed.once(asked(null, "ann", ["order"]), run);
  await keyed.once(asked(null, "ann", ["order"]), run);
  expect(ids).toEqual(["new1", "new2"]);
});

test.each(["", '""', "a b", "x".repeat(256), "ключ"])("what is no key (%p) is 400 and names the header", async (header) => {
  const { keyed } = open();
  const { ids, run } = work();
  const reply = await keyed.once(asked(header, "ann", ["order"]), run);
  expect([reply.status, ids.length]).toEqual([400, 0]);
  expect(reply.body as string).toContain("#/header/Idempotency-Key");
});

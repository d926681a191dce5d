/** Webhooks that many processes share, over a real Postgres: what all webhooks promise, and what two processes and a change of the leader add to that. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { hasPostgres, NEEDS_POSTGRES, PATIENT, type PostgresServer, startPostgres } from "../../test/servers/postgres.ts";
import { SharedWebhookDesk } from "../../test/shared-webhook-desk.ts";
import { waitFor } from "../../test/wait.ts";
import { webhookSuite } from "../../test/webhook-suite.ts";
import { Postgres } from "../edge/postgres.ts";
import { systemClock } from "../edge/system-clock.ts";
import { WEBHOOKS_MAX } from "../limits.ts";
import { MIGRATIONS } from "../migrations/all.ts";
import { migrate } from "../migrations/migrate.ts";
import type { PostAnswer } from "./courier.ts";

// The bound is only there to end a broken run: a server that starts on a busy machine takes its time.
setDefaultTimeout(60_000);

describe.skipIf(!hasPostgres)(`Postgres ${hasPostgres ? "" : NEEDS_POSTGRES}`, () => {
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
  const openDesk = async (): Promise<SharedWebhookDesk> => {
    await db.transaction((tx) =>
      tx.script("truncate webhooks, outbox, outbox_arrivals restart identity; update outbox_head set last_id = 0, at_ms = 0"),
    );
    return new SharedWebhookDesk(db);
  };
  /** A process that answers operators beside the one that leads. */
  const beside = (): SharedWebhookDesk => {
    const desk = new SharedWebhookDesk(db);
    desk.deliveries.end();
    return desk;
  };
  const url = "https://shop.example/hook";

  webhookSuite("Postgres", openDesk);

  test("what an operator sets at another process holds for the one that leads", async () => {
    const [leader, other] = [await openDesk(), beside()];
    const { body } = await other.create();
    await leader.add("a");
    await leader.works();
    expect(leader.delivered).toEqual(["a"]);
    expect((await other.see(body.id)).deliveredUpTo).toBe("1");
    await other.call("updateWebhook", { url: "https://other.example/" }, body.id);
    await leader.add("b");
    await leader.works();
    expect(leader.posts[1]?.url).toBe("https://other.example/");
    await other.call("updateWebhook", { url, enabled: false }, body.id);
    await leader.add("c");
    await leader.works();
    await other.call("updateWebhook", { url, enabled: true }, body.id);
    await leader.works();
    expect(leader.delivered).toEqual(["a", "b", "c"]);
    await other.call("removeWebhook", {}, body.id);
    await leader.add("d");
    await leader.works();
    expect([leader.delivered, other.posts, leader.bugs]).toEqual([["a", "b", "c"], [], []]);
  });

  test("who follows a leader goes on from what that one has saved, and the old one sends nothing more", async () => {
    const [first, second] = [await openDesk(), beside()];
    await first.create();
    await first.add("a", "b");
    await first.works();
    first.answer = () => new Promise<PostAnswer>(() => {});
    await first.add("c");
    await first.works();
    first.deliveries.end();
    second.deliveries.begin();
    await second.works();
    await first.add("d");
    await first.works();
    await second.works();
    expect([first.delivered.toSorted(), second.delivered]).toEqual([
      ["a", "b", "c"],
      ["c", "d"],
    ]);
  });

  test("two that lead for a moment lose nothing", async () => {
    const [first, second] = [await openDesk(), beside()];
    await first.create();
    second.deliveries.begin();
    await first.add("a", "b");
    await Promise.all([first.works(), second.works()]);
    await Promise.all([first.works(), second.works()]);
    for (const { delivered } of [first, second]) expect([...new Set(delivered)].toSorted()).toEqual(["a", "b"]);
    expect([first.bugs, second.bugs]).toEqual([[], []]);
  });

  test("of many added at once, no more than there may be are kept", async () => {
    const desks = [await openDesk(), beside()];
    const asked = Array.from({ length: WEBHOOKS_MAX + 4 }, (_, index) => desks[index % 2]?.create());
    const statuses = (await Promise.all(asked)).map((reply) => reply?.status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(WEBHOOKS_MAX);
    expect(statuses.filter((status) => status === 409)).toHaveLength(4);
  });

  test("a database that is away for a while costs no event", async () => {
    const desk = await openDesk();
    const { body } = await desk.create();
    await desk.add("a");
    await desk.works();
    await desk.add("b");
    await server.kill();
    await desk.works();
    expect(desk.delivered).toEqual(["a"]);
    await server.restart();
    const isBack = (): Promise<boolean> =>
      db.read`select 1`.then(
        () => true,
        () => false,
      );
    await waitFor(isBack, "the database is found again");
    await desk.works();
    // Not sent while the database could not be asked for it, and not held against its receiver.
    desk.nowMs += 1_000;
    await desk.works();
    expect([desk.delivered, desk.bugs, (await desk.see(body.id)).failing]).toEqual([["a", "b"], [], undefined]);
  });
});

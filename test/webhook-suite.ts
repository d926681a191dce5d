/** Webhooks over a real store: what an operator sets and sees, when one is disabled, and what survives. */
import { describe, expect, test } from "bun:test";
import { Webhook as Verifier } from "standardwebhooks";
import type { Post, PostAnswer } from "../src/events/courier.ts";
import { WEBHOOK_GIVE_UP_MS, WEBHOOK_RETRY_MS_MAX, WEBHOOK_SAVE_MS, WEBHOOKS_MAX } from "../src/limits.ts";
import { ok, type Shown, secret, type WebhooksUnderTest } from "./webhook-desk.ts";

export function webhookSuite(kept: string, openDesk: () => Promise<WebhooksUnderTest>): void {
  describe(`an operator, with webhooks kept in ${kept},`, () => {
    test("gets a secret that is made for the webhook, and sees it once", async () => {
      const desk = await openDesk();
      const { status, body } = await desk.create();
      expect([status, body.state, body.secrets]).toEqual([201, "enabled", [expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/)]]);
      expect(JSON.stringify([await desk.see(body.id), await desk.call("findAllWebhooks")])).not.toContain("whsec_");
    });

    test("is never shown a secret of their own", async () => {
      const desk = await openDesk();
      const { body } = await desk.create({ secrets: [secret(1)] });
      const changed = await desk.call("updateWebhook", { url: "https://b.example/", secrets: [secret(2)] }, body.id);
      expect(JSON.stringify([body, changed.body])).not.toContain("whsec_");
    });

    test("hears 404 for a webhook that is not there, and 409 for one too many", async () => {
      const desk = await openDesk();
      for (const name of ["getWebhook", "updateWebhook", "removeWebhook"])
        expect((await desk.call(name, { url: "https://b.example/" }, "wh_0000000000000000")).status).toBe(404);
      for (let count = 0; count < WEBHOOKS_MAX; count += 1) expect((await desk.create()).status).toBe(201);
      expect((await desk.create()).status).toBe(409);
    });

    test("finds everything as it was after a restart", async () => {
      const desk = await openDesk();
      const { body } = await desk.create({ types: ["goods.sold-out"] });
      const gone = await desk.create();
      await desk.call("removeWebhook", {}, gone.body.id);
      const { secrets: _, ...seen } = body;
      await desk.restart();
      expect(await desk.call("findAllWebhooks")).toEqual({ status: 200, body: [seen] as unknown as Shown });
    });

    test("who changes a webhook and names no types leaves them as they are; null asks for all", async () => {
      const desk = await openDesk();
      const url = "https://shop.example/hook";
      const { body } = await desk.create({ types: ["order.paid"] });
      expect((await desk.call("updateWebhook", { url, enabled: false }, body.id)).body.types).toEqual(["order.paid"]);
      expect((await desk.call("updateWebhook", { url, types: null, enabled: true }, body.id)).body.types).toBeUndefined();
      await desk.add("a");
      await desk.works();
      expect(desk.delivered).toEqual(["a"]);
    });
  });

  describe(`an operator who watches, with webhooks kept in ${kept},`, () => {
    test("sees since when the oldest event waits that an enabled webhook wants and has not taken", async () => {
      const desk = await openDesk();
      expect(await desk.untakenSince()).toBeNull();
      await desk.create();
      const { body } = await desk.create({ url: "https://slow.example/", types: ["goods.sold-out"] });
      expect(await desk.untakenSince()).toBeNull();
      desk.answer = ({ url }) => (url.includes("slow") ? { status: 500 } : ok);
      const from = desk.nowMs;
      // Steps, and not until nothing moves any more: what is refused is tried again at every step.
      await desk.add("a");
      await desk.step();
      desk.nowMs += 5_000;
      await desk.add("b");
      await desk.step();
      expect(await desk.untakenSince()).toBe(from);
      desk.answer = () => ok;
      await desk.works();
      expect(await desk.untakenSince()).toBeNull();
      desk.answer = () => ({ status: 500 });
      await desk.add("c");
      await desk.step();
      expect(await desk.untakenSince()).toBe(desk.nowMs);
      await desk.call("updateWebhook", { url: "https://slow.example/", enabled: false }, body.id);
      const [other] = (await desk.call("findAllWebhooks")).body as unknown as readonly Shown[];
      await desk.call("updateWebhook", { url: "https://other.example/", enabled: false }, other?.id);
      expect(await desk.untakenSince()).toBeNull();
    });
  });

  describe(`a delivery, with webhooks kept in ${kept},`, () => {
    test("is signed with every key, so that a receiver may know any of them", async () => {
      const desk = await openDesk();
      await desk.create({ secrets: [secret(1), secret(2)] });
      await desk.add("a");
      await desk.works();
      const [{ body, headers }] = desk.posts as [Post];
      expect(headers["webhook-timestamp"]).toBe(String(Math.floor(desk.nowMs / 1_000)));
      for (const each of [secret(1), secret(2)]) expect(new Verifier(each).verify(body, headers)).toMatchObject({ id: "1" });
      expect(() => new Verifier(secret(3)).verify(body, headers)).toThrow();
    });

    test("has an id that no other webhook's has, of this store or of another, and that stays the same when it is made again", async () => {
      const idsOf = async (): Promise<readonly (string | undefined)[]> => {
        const desk = await openDesk();
        const hooks = [await desk.create(), await desk.create()].map(({ body }) => body.id);
        desk.answer = () => (desk.posts.length < 3 ? { status: 500 } : ok);
        await desk.add("a");
        await desk.works();
        const ids = desk.posts.map(({ headers }) => headers["webhook-id"]);
        expect([ids.length > 2, [...new Set(ids)].toSorted()]).toEqual([true, hooks.map((id) => `${id}_1`).toSorted()]);
        return ids;
      };
      const first = await idsOf();
      expect((await idsOf()).filter((id) => first.includes(id))).toEqual([]);
    });

    test("is signed with the new keys and goes to the new URL as soon as they are changed", async () => {
      const desk = await openDesk();
      const { body } = await desk.create({ secrets: [secret(1)] });
      await desk.call("updateWebhook", { url: "https://b.example/", secrets: [secret(2)] }, body.id);
      await desk.add("a");
      await desk.works();
      const [post] = desk.posts as [Post];
      expect(post.url).toBe("https://b.example/");
      expect(() => new Verifier(secret(2)).verify(post.body, post.headers)).not.toThrow();
    });

    test("is signed with the keys as they were when a change names none", async () => {
      const desk = await openDesk();
      const { body } = await desk.create({ secrets: [secret(1)] });
      await desk.call("updateWebhook", { url: "https://b.example/" }, body.id);
      await desk.add("a");
      await desk.works();
      const [post] = desk.posts as [Post];
      expect(() => new Verifier(secret(1)).verify(post.body, post.headers)).not.toThrow();
    });

    test("is made for what happens after the webhook was added, and only of the types asked for", async () => {
      const desk = await openDesk();
      await desk.add("before");
      const { body } = await desk.create({ types: ["order.paid"] });
      const all = await desk.create();
      await desk.add("after");
      await desk.works();
      expect(desk.delivered).toEqual(["after"]);
      expect([(await desk.see(body.id)).deliveredUpTo, (await desk.see(all.body.id)).deliveredUpTo]).toEqual(["2", "2"]);
    });

    test("that waits is not made any more when a change does not ask for its type; one that has begun is not made again", async () => {
      const desk = await openDesk();
      const { body } = await desk.create();
      const answer = Promise.withResolvers<PostAnswer>();
      desk.answer = () => answer.promise;
      await desk.add("a", "a", "a");
      await desk.works();
      await desk.call("updateWebhook", { url: "https://shop.example/hook", types: ["order.paid"] }, body.id);
      answer.resolve({ status: 500 });
      await desk.works();
      expect([desk.delivered, (await desk.see(body.id)).deliveredUpTo]).toEqual([["a"], "3"]);
    });

    test.each([
      [{ status: 500 }, "status 500"],
      [{ status: 302 }, "status 302: redirects are not followed, give the final URL"],
      [{ status: 404 }, "status 404"],
      [{ error: "connection refused" }, "connection refused"],
    ] as const)("that is answered with %j is made again until the answer is a yes", async (no, detail) => {
      const desk = await openDesk();
      const { body } = await desk.create();
      desk.answer = () => (desk.posts.length < 3 ? no : ok);
      await desk.add("a");
      await desk.step();
      const seen = await desk.see(body.id);
      expect([seen.deliveredUpTo, seen.lastError?.detail]).toEqual(["0", detail]);
      await desk.works();
      expect([desk.delivered, (await desk.see(body.id)).deliveredUpTo]).toEqual([["a", "a", "a"], "1"]);
      expect(desk.bugs).toEqual([]);
    });

    test("that its receiver has answered is not made again after a restart, once the position was saved", async () => {
      const desk = await openDesk();
      await desk.create();
      await desk.add("a", "b");
      await desk.works();
      desk.nowMs += WEBHOOK_SAVE_MS;
      await desk.works();
      await desk.restart();
      await desk.add("c");
      await desk.works();
      expect(desk.delivered.toSorted()).toEqual(["a", "b", "c"]);
    });

    test("that was under way when the process died is made again", async () => {
      const desk = await openDesk();
      await desk.create();
      desk.answer = () => new Promise<PostAnswer>(() => {});
      await desk.add("a");
      await desk.works();
      await desk.restart();
      desk.answer = () => ok;
      await desk.works();
      expect(desk.delivered).toEqual(["a", "a"]);
    });

    test("is let go of when the process stops, and how far it came is saved", async () => {
      const desk = await openDesk();
      const { body } = await desk.create();
      await desk.add("a");
      await desk.works();
      desk.answer = ({ signal }) => new Promise((resolve) => signal.addEventListener("abort", () => resolve({ error: "ended" })));
      await desk.add("b");
      await desk.works();
      await desk.stop();
      await desk.restart();
      desk.answer = () => ok;
      await desk.works();
      expect(desk.delivered).toEqual(["a", "b", "b"]);
      // That we have hung up is no error of the receiver's.
      expect((await desk.see(body.id)).lastError).toBeUndefined();
    });

    test("follows the one before of the same goods, while those of other goods go on", async () => {
      const desk = await openDesk();
      await desk.create();
      // Two names in different lanes.
      desk.answer = ({ body }) => (body.includes("SKU0001") && desk.posts.length < 10 ? { status: 500 } : ok);
      await desk.add("SKU0001", "SKU0002", "SKU0001", "SKU0002");
      await desk.works();
      const order = desk.posts.map(({ headers }) => headers["webhook-id"]?.split("_").at(-1));
      expect(order.indexOf("4")).toBeLessThan(order.lastIndexOf("1"));
      expect(order.indexOf("3")).toBeGreaterThan(order.lastIndexOf("1"));
    });
  });

  describe(`a webhook is disabled, with webhooks kept in ${kept},`, () => {
    test("when its receiver answers 410, durably, and goes on where it was when it is enabled again", async () => {
      const desk = await openDesk();
      const { body } = await desk.create();
      desk.answer = () => ({ status: 410 });
      await desk.add("a", "b");
      await desk.works();
      await desk.restart();
      const seen = await desk.see(body.id);
      expect([seen.state, seen.disabledBecause, seen.deliveredUpTo]).toEqual(["disabled", expect.stringContaining("410"), "0"]);
      desk.posts.length = 0;
      await desk.works();
      expect(desk.posts).toEqual([]);
      desk.answer = () => ok;
      const { body: enabled } = await desk.call("updateWebhook", { url: "https://shop.example/hook", enabled: true }, body.id);
      expect([enabled.state, enabled.disabledBecause]).toEqual(["enabled", undefined]);
      await desk.works();
      expect(desk.delivered.toSorted()).toEqual(["a", "b"]);
    });

    test("also when the store had too much to do at that moment", async () => {
      const desk = await openDesk();
      const { body } = await desk.create();
      desk.answer = () => ({ status: 410 });
      await desk.add("a");
      desk.isStoreBusy = true;
      await desk.works();
      expect((await desk.see(body.id)).state).toBe("enabled");
      desk.isStoreBusy = false;
      desk.nowMs += WEBHOOK_SAVE_MS;
      await desk.works();
      expect((await desk.see(body.id)).state).toBe("disabled");
    });

    test("when one event could not be delivered for 24 hours, and says so", async () => {
      const desk = await openDesk();
      const { body } = await desk.create();
      desk.answer = () => ({ status: 503 });
      await desk.add("a");
      await desk.step();
      for (let passed = 0; passed < WEBHOOK_GIVE_UP_MS; passed += WEBHOOK_RETRY_MS_MAX) {
        expect((await desk.see(body.id)).state).toBe("enabled");
        desk.nowMs += WEBHOOK_RETRY_MS_MAX;
        await desk.step();
      }
      const seen = await desk.see(body.id);
      expect([seen.state, seen.disabledBecause]).toEqual(["disabled", expect.stringContaining("24 hours")]);
      expect([seen.failing?.eventID, seen.lastError?.detail]).toEqual(["1", "status 503"]);
    });

    test("when events that it has not received are removed: it is never told of later ones as if nothing was missing", async () => {
      const desk = await openDesk();
      const dead = await desk.create();
      const alive = await desk.create({ url: "https://alive.example/" });
      desk.answer = ({ url }) => (url.includes("alive") ? ok : new Promise<PostAnswer>(() => {}));
      for (const sku of ["a", "b", "c"]) await desk.add(sku);
      await desk.works();
      desk.nowMs += 48 * 3_600_000 + 1;
      await desk.sweep();
      expect((await desk.see(alive.body.id)).state).toBe("enabled");
      const seen = await desk.see(dead.body.id);
      expect([seen.state, seen.disabledBecause]).toEqual(["disabled", expect.stringContaining("from 1 to 2")]);
      await desk.restart();
      expect((await desk.see(dead.body.id)).state).toBe("disabled");
      await desk.call("updateWebhook", { url: "https://alive.example/", enabled: true }, dead.body.id);
      desk.posts.length = 0;
      await desk.works();
      expect(desk.delivered).toEqual(["c"]);
      expect(desk.bugs).toEqual([]);
    });

    test("by an operator, from the next delivery on", async () => {
      const desk = await openDesk();
      const { body } = await desk.create();
      await desk.call("updateWebhook", { url: "https://shop.example/hook", enabled: false }, body.id);
      await desk.add("a");
      await desk.works();
      expect([desk.posts, (await desk.see(body.id)).state]).toEqual([[], "disabled"]);
      await desk.call("updateWebhook", { url: "https://shop.example/hook" }, body.id);
      expect((await desk.see(body.id)).state).toBe("disabled");
    });
  });
}

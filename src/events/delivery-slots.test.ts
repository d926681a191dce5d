/** Whose delivery is next when there is not room for all: webhooks over a real store, and receivers that hang. */
import { describe, expect, test } from "bun:test";
import { ok, settled, WebhookDesk } from "../../test/webhook-desk.ts";
import { WEBHOOK_DELIVERIES_MAX, WEBHOOK_RETRY_MS_MAX, WEBHOOK_SILENT_DELIVERIES_MAX, WEBHOOKS_MAX } from "../limits.ts";
import type { PostAnswer } from "./courier.ts";

/** Names in many different lanes. */
const GOODS = Array.from({ length: 200 }, (_, index) => `SKU${index}`);

/** Receivers whose answers come when the test says so: each is known by its URL. */
class Receivers {
  readonly desk = new WebhookDesk();
  readonly #hanging: { readonly url: string; readonly end: (answer: PostAnswer) => void }[] = [];
  readonly hangs = new Set<string>();

  constructor() {
    this.desk.answer = ({ url }) => {
      if (!this.hangs.has(url)) return ok;
      const { promise, resolve } = Promise.withResolvers<PostAnswer>();
      this.#hanging.push({ url, end: resolve });
      return promise;
    };
  }

  async add(name: string): Promise<string> {
    const url = `https://${name}.example/`;
    await this.desk.create({ url });
    return url;
  }

  /** So many receivers, each of which has taken something already and hangs from now on. */
  async addThatBeginToHang(count: number): Promise<readonly string[]> {
    const urls = await Promise.all(Array.from({ length: count }, (_, index) => this.add(`hangs-${index}`)));
    await this.desk.add("a");
    await this.desk.works();
    for (const url of urls) this.hangs.add(url);
    return urls;
  }

  /** Everything that hangs has waited for as long as a delivery may. */
  async timeOut(): Promise<void> {
    for (const { end } of this.#hanging.splice(0)) end({ error: "timed out" });
    await settled();
  }

  /** As `timeOut`, and the wait before the next try is over. */
  async timeOutAndTryAgain(): Promise<void> {
    await this.timeOut();
    this.desk.nowMs += WEBHOOK_RETRY_MS_MAX;
    this.desk.webhooks.tick();
    await settled();
  }

  underWayTo(url?: string): number {
    return this.#hanging.filter((each) => url === undefined || each.url === url).length;
  }

  taken(url: string): number {
    return this.desk.posts.filter((post) => post.url === url).length;
  }
}

describe("deliveries to receivers that hang", () => {
  test("are never more than the bound, over all webhooks", async () => {
    const receivers = new Receivers();
    await receivers.addThatBeginToHang(9);
    await receivers.desk.add(...GOODS);
    await receivers.desk.works();
    expect([receivers.underWayTo(), receivers.desk.webhooks.counts.deliveries]).toEqual([WEBHOOK_DELIVERIES_MAX, WEBHOOK_DELIVERIES_MAX]);
  });

  test("are never more than the bound when each is the first of its webhook", async () => {
    const receivers = new Receivers();
    for (let index = 0; index < WEBHOOKS_MAX; index += 1) receivers.hangs.add(await receivers.add(`new-${index}`));
    await receivers.desk.add(...GOODS);
    await receivers.desk.works();
    expect([WEBHOOKS_MAX > WEBHOOK_DELIVERIES_MAX, receivers.underWayTo()]).toEqual([true, WEBHOOK_DELIVERIES_MAX]);
  });

  test("keep no other webhook waiting, as long as there is room for one to each", async () => {
    const receivers = new Receivers();
    await receivers.addThatBeginToHang(WEBHOOK_DELIVERIES_MAX - WEBHOOK_SILENT_DELIVERIES_MAX - 1);
    const healthy = await receivers.add("healthy");
    await receivers.desk.add(...GOODS);
    await receivers.desk.works();
    expect([receivers.underWayTo(), receivers.taken(healthy)]).toEqual([WEBHOOK_DELIVERIES_MAX - 1, GOODS.length]);
    // What was due is done, and its room is still there for what comes.
    await receivers.desk.add("a");
    await receivers.desk.works();
    expect(receivers.taken(healthy)).toBe(GOODS.length + 1);
  });

  test("keep no other webhook waiting for longer than one time-out, however many they are", async () => {
    const receivers = new Receivers();
    await receivers.addThatBeginToHang(99);
    const healthy = await receivers.add("healthy");
    await receivers.desk.add(...GOODS);
    await receivers.desk.works();
    await receivers.timeOut();
    await receivers.desk.works();
    expect(receivers.taken(healthy)).toBe(GOODS.length);
  });

  test("leave the others their room from then on, while each is still tried in its turn", async () => {
    const receivers = new Receivers();
    const hanging = await receivers.addThatBeginToHang(99);
    const healthy = await receivers.add("healthy");
    await receivers.desk.add(...GOODS);
    await receivers.desk.works();
    for (let round = 0; round < 2; round += 1) await receivers.timeOutAndTryAgain();
    const before = hanging.map((url) => receivers.taken(url));
    for (let round = 0; round < 4; round += 1) {
      expect(receivers.underWayTo()).toBe(WEBHOOK_SILENT_DELIVERIES_MAX);
      const takenBefore = receivers.taken(healthy);
      await receivers.desk.add("a");
      receivers.desk.webhooks.tick();
      await settled();
      expect(receivers.taken(healthy)).toBe(takenBefore + 1);
      await receivers.timeOutAndTryAgain();
    }
    expect(hanging.filter((url, index) => receivers.taken(url) === before[index])).toEqual([]);
  });

  test("are one at a time to each until it takes something, and then as many as it has lanes", async () => {
    const receivers = new Receivers();
    const [url] = (await receivers.addThatBeginToHang(1)) as [string];
    await receivers.desk.add(...GOODS);
    await receivers.desk.works();
    expect(receivers.underWayTo(url)).toBeGreaterThan(10);
    for (let round = 0; round < 3; round += 1) {
      await receivers.timeOutAndTryAgain();
      expect(receivers.underWayTo(url)).toBe(1);
    }
    receivers.hangs.clear();
    await receivers.timeOutAndTryAgain();
    await receivers.desk.works();
    expect(new Set(receivers.desk.delivered).size).toBe(GOODS.length + 1);
    expect(receivers.desk.webhooks.counts).toEqual({ disabled: 0, failing: 0, untakenSince: null, deliveries: 0 });
  });

  test("are one at a time to a receiver of which nothing is known yet", async () => {
    const receivers = new Receivers();
    const url = await receivers.add("new");
    receivers.hangs.add(url);
    await receivers.desk.add(...GOODS);
    await receivers.desk.works();
    expect(receivers.underWayTo(url)).toBe(1);
  });
});

describe("webhooks that have more to send than there is room for", () => {
  test("take turns: one that has much to send does not keep another from its first delivery", async () => {
    const receivers = new Receivers();
    const busy = await receivers.addThatBeginToHang(4);
    const late = await receivers.add("late");
    receivers.hangs.add(late);
    await receivers.desk.add(...GOODS);
    await receivers.desk.works();
    expect([receivers.underWayTo(), receivers.underWayTo(late)]).toEqual([WEBHOOK_DELIVERIES_MAX, 1]);
    const shares = busy.map((url) => receivers.underWayTo(url));
    expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
  });
});

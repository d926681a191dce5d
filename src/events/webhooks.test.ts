/** Webhooks in the store of one process, and what is asked of everybody who sets one. */
import { describe, expect, test } from "bun:test";
import { WebhookDesk as Desk, ok } from "../../test/webhook-desk.ts";
import { webhookSuite } from "../../test/webhook-suite.ts";
import type { Route } from "../core/endpoint.ts";
import { InputChecker } from "../edge/request-input.ts";
import { WEBHOOK_SAVE_MS } from "../limits.ts";
import { webhookRoutes } from "./routes.ts";

webhookSuite("a file", async () => new Desk());

describe("an operator", () => {
  test("who removes a webhook does not find it again, whatever came back of its deliveries meanwhile", async () => {
    for (const answer of [ok, { status: 410 }]) {
      const desk = new Desk();
      const { body } = await desk.create();
      desk.answer = () => answer;
      await desk.add("a");
      const removed = desk.call("removeWebhook", {}, body.id);
      // The receiver answers at once, and its answer is saved in the same turn, behind the removal.
      desk.webhooks.tick();
      desk.nowMs += WEBHOOK_SAVE_MS;
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
      desk.webhooks.tick();
      expect((await removed).status).toBe(200);
      desk.restart();
      expect(desk.webhooks.list()).toEqual([]);
    }
  });

  test.each([
    [{ types: null }, true],
    [{ types: ["order.paid"] }, true],
    [{ types: [] }, false],
    [{ types: ["order.unheard-of"] }, false],
  ])("changes types to %j: %p", (change, isAllowed) => {
    const checked = checker("updateWebhook").body(JSON.stringify({ url: "https://shop.example/", ...change }));
    expect("value" in checked).toBe(isAllowed);
  });

  const checker = (name: string): InputChecker =>
    new InputChecker((webhookRoutes(new Desk().webhooks).find(({ endpoint }) => endpoint.name === name) as Route).endpoint);
  test.each([
    [{ url: "ftp://shop.example/" }, "#/url"],
    [{ url: "https://user:pass@shop.example/" }, "#/url"],
    [{ url: "shop.example" }, "#/url"],
    [{ url: "https://shop.example/", types: ["order.unheard-of"] }, "#/types/0"],
    [{ url: "https://shop.example/", types: [] }, "#/types"],
    [{ url: "https://shop.example/", secrets: ["secret"] }, "#/secrets/0"],
    [{ url: "https://shop.example/", secrets: [`whsec_${Buffer.alloc(23).toString("base64")}`] }, "#/secrets/0"],
    [{ url: "https://shop.example/", secrets: [] }, "#/secrets"],
  ])("is told what is wrong with %j", (body, pointer) => {
    const checked = checker("addWebhook").body(JSON.stringify(body));
    expect("refusal" in checked && JSON.parse(checked.refusal.body as string).errors[0].pointer).toBe(pointer);
  });
});

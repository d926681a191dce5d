/** One POST, one answer: whatever a receiver does, on a real socket. */
import { afterEach, describe, expect, test } from "bun:test";
import { sendWebhook } from "./webhook-sender.ts";

const servers: { stop(closeAll: boolean): unknown }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.stop(true);
});

function receiver(answer: (request: Request) => Response | Promise<Response>): string {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
  servers.push(server);
  return `http://127.0.0.1:${server.port}/hook`;
}

const never = new AbortController().signal;
const post = (url: string, signal = never) => ({ url, body: '{"id":"1"}', headers: { "webhook-id": "1" }, signal });

describe("a delivery", () => {
  test("is one POST with its headers and its body, answered with the receiver's status", async () => {
    const heard: unknown[] = [];
    const url = receiver(async (request) => {
      heard.push([request.method, request.headers.get("webhook-id"), await request.text()]);
      return new Response(null, { status: 204 });
    });
    expect(await sendWebhook(post(url))).toEqual({ status: 204 });
    expect(heard).toEqual([["POST", "1", '{"id":"1"}']]);
  });

  test.each([301, 302, 303, 307, 308])("is not sent on when the receiver answers with a redirect (%i)", async (status) => {
    let isFollowed = false;
    const inside = receiver(() => {
      isFollowed = true;
      return new Response();
    });
    const url = receiver(() => new Response(null, { status, headers: { location: inside } }));
    expect([await sendWebhook(post(url)), isFollowed]).toEqual([{ status }, false]);
  });

  test("to nobody is an error and does not throw", async () => {
    const closed = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
    const url = `http://127.0.0.1:${closed.port}/`;
    await closed.stop(true);
    expect(await sendWebhook(post(url))).toEqual({ error: expect.any(String) });
  });

  test("that is not answered in time is an error", async () => {
    const url = receiver(() => new Promise<Response>(() => {}));
    expect(await sendWebhook(post(url), 1)).toEqual({ error: expect.any(String) });
  });

  test("ends when nobody waits for it any more", async () => {
    const stopping = new AbortController();
    const url = receiver(() => {
      stopping.abort();
      return new Promise<Response>(() => {});
    });
    expect(await sendWebhook(post(url, stopping.signal))).toEqual({ error: expect.any(String) });
  });

  test("is over at its status when the receiver goes on talking without end", async () => {
    const chunk = new Uint8Array(4_096);
    const url = receiver(() => new Response(new ReadableStream({ pull: (controller) => controller.enqueue(chunk) })));
    expect(await sendWebhook(post(url))).toEqual({ status: 200 });
  });
});

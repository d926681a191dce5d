/** Which deliveries carry a trace on, and that nobody can forge one. */
import { expect, test } from "bun:test";
import type { SessionId, Sku, UserId } from "../core/ids.ts";
import { withTraceparent } from "./delivery-trace.ts";
import type { DoorbusterEvent } from "./event.ts";
import { EventTexts } from "./event-text.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const OTHER = "b".repeat(32);
const post = (event: DoorbusterEvent) => ({
  url: "https://shop.example/hook",
  headers: { "webhook-id": "1" },
  body: new EventTexts("eur").of(event),
  signal: new AbortController().signal,
});
const created = (sessionId: string | null, userId = "U1") =>
  post({
    ...{ type: "hold.created", at: 1, sku: "SKU1" as Sku, userId: userId as UserId, quantity: 1, heldUntil: 2 },
    sessionId: sessionId as SessionId | null,
  } as DoorbusterEvent);

test("a hold's delivery carries the trace of its purchase on, and says whether that is recorded", () => {
  expect(withTraceparent(created(TRACE), 1).headers).toEqual({ "webhook-id": "1", traceparent: `00-${TRACE}-8448eb211c80319c-01` });
  expect(withTraceparent(created(TRACE), 0).headers).toMatchObject({ traceparent: `00-${TRACE}-8448eb211c80319c-00` });
});

test("a delivery of anything else, or of a hold that no gate has made, stays as it is", () => {
  for (const other of [created(null), created("SID0000001"), post({ type: "goods.sold-out", at: 1, sku: "SKU1" as Sku })])
    expect(withTraceparent(other, 1)).toBe(other);
});

test("where nothing is traced, no delivery says anything of it", () => {
  const delivery = created(TRACE);
  expect(withTraceparent(delivery, null)).toBe(delivery);
});

test("no user id can pass for a session id", () => {
  const forged = created(TRACE, `","sessionID":"${OTHER}"`);
  expect(withTraceparent(forged, 1).headers).toMatchObject({ traceparent: `00-${TRACE}-8448eb211c80319c-01` });
});

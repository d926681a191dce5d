/**
 * The traffic of the last hours, over all instances that keep a part of it: each is asked, and their answers are put together. Pure, but for the asking.
 * A page ends where its parts end: the next one asks each instance on from where its own part was left.
 */
import type { TObject } from "typebox";
import Type from "typebox";
import { type Endpoint, type HttpReply, json } from "../core/endpoint.ts";
import { problem } from "../core/problem.ts";
import { CONSOLE_CALL_MS_MAX } from "../limits/console.ts";
import type { Services } from "./services.ts";

interface FoundEvent {
  readonly at: number;
}
interface Page {
  readonly events: readonly FoundEvent[];
  readonly next: string | null;
  readonly tookMs: number;
}

/** Where each instance goes on, by its address. */
type Cursor = readonly (readonly [url: string, before: string])[];

/** @param query what is looked for; `before` is the `next` of the page before */
export async function searchEverywhere(services: Services, query: Readonly<Record<string, unknown>>): Promise<HttpReply> {
  const { before, ...rest } = query;
  const asked = new URLSearchParams(Object.entries(rest).map(([name, value]): [string, string] => [name, String(value)]));
  const cursor = typeof before === "string" ? cursorOf(before) : null;
  if (before !== undefined && cursor === null) return problem(400, "`before` is the `next` of no page");
  const urls = services.urlsOf("safe-protector");
  if (urls.length === 0) return problem(503, "no safe-protector is known");
  const parts = await Promise.all(
    urls.map(async (url) => {
      const from = cursor?.find(([of]) => of === url)?.[1];
      // It had no more at the page before.
      if (cursor !== null && from === undefined) return { url, page: NOTHING };
      const query = new URLSearchParams(asked);
      if (from !== undefined) query.set("before", from);
      return { url, page: (await services.readAt(url, `/traffic/search?${query}`, CONSOLE_CALL_MS_MAX)) as Page | null };
    }),
  );
  const answered = parts.flatMap(({ url, page }) => (page !== null && Array.isArray(page.events) ? [{ url, page }] : []));
  if (answered.length === 0) return services.call("safe-protector", { method: "GET", path: `/traffic/search?${asked}` });
  const next = answered.flatMap(({ url, page }) => (page.next === null ? [] : [[url, page.next] as const]));
  return json({
    events: answered.flatMap(({ page }) => page.events).toSorted((one, other) => other.at - one.at),
    next: next.length > 0 ? Buffer.from(JSON.stringify(next)).toString("base64url") : null,
    tookMs: Math.max(...answered.map(({ page }) => page.tookMs)),
    ...{ asked: urls.length, answered: answered.length },
  });
}

const NOTHING: Page = { events: [], next: null, tookMs: 0 };

function cursorOf(text: string): Cursor | null {
  try {
    const cursor = JSON.parse(Buffer.from(text, "base64url").toString()) as unknown;
    const isPair = (pair: unknown): boolean => Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === "string");
    return Array.isArray(cursor) && cursor.every(isPair) ? (cursor as Cursor) : null;
  } catch {
    return null;
  }
}

/** The service's own endpoint, but for the cursor, which is of all instances. */
export function searchEndpoint(endpoint: Endpoint): Endpoint {
  const { before: _, ...query } = endpoint.query.properties;
  return {
    ...endpoint,
    name: "searchTrafficEverywhere",
    path: "/api/traffic/search",
    query: Type.Object({
      ...query,
      before: Type.Optional(Type.String({ maxLength: 8_000, description: "the `next` of a page" })),
    }) as TObject,
    needsAdminKey: false,
    summary: "What the gates were asked in the last hours, the newest first, from all instances that keep a part of it.",
  };
}

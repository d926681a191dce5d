/**
 * A method of a service as the others reach it over a link: many items in one request, an answer for each, in their order. Both ends are made
 * of the same declaration, the form in which items and answers cross too. Who calls cannot tell a link from the object itself, but for a `Failure` that an object of this process never throws.
 */
import Type, { type TSchema } from "typebox";
import type { Answer } from "../core/answer.ts";
import { type HttpReply, json, on, type Route } from "../core/endpoint.ts";
import { Failure } from "../core/failure.ts";
import { problem } from "../core/problem.ts";
import type { DurationMs } from "../core/time.ts";
import { LINK_BYTES_MAX, LINK_ITEMS_MAX } from "../limits/links.ts";

export interface LinkMethod<Item, Reply> {
  /** Its path is `/link/` and this. */
  readonly name: string;
  /** What it answers, in one sentence. */
  readonly summary: string;
  /** One item as it crosses the link. The far end looks at nothing else. */
  readonly item: TSchema;
  /** What of an item crosses: callers hand over objects that have more to them. On the way of a purchase that is a row, `[user, address]`, which
   *  costs less to write and to read than names do. */
  readonly wire: (item: Item) => unknown;
  /** The item that such a row stands for. */
  readonly read: (crossed: unknown) => Item;
  /** How an answer crosses. */
  readonly wireReply: (reply: Reply) => unknown;
  /** The answer again. @throws {TypeError} when nothing of ours has made it */
  readonly readReply: (crossed: unknown) => Reply;
  /** Asking for all of these again does no harm, even if the first time was heard. @param items as they cross the link */
  readonly isRepeatable: boolean | ((items: readonly unknown[]) => boolean);
  readonly deadlineMs: DurationMs;
  /** Items of one request. */
  readonly itemsMax: number;
  /** Each call is what a whole turn has collected: to wait for others would only cost it time. */
  readonly isCollected: boolean;
}

type Optional = "read" | "wireReply" | "readReply" | "itemsMax" | "isCollected";

/** What is not said crosses as it is. */
export function linkMethod<Item, Reply>(
  method: Omit<LinkMethod<Item, Reply>, Optional> & Partial<Pick<LinkMethod<Item, Reply>, Optional>>,
): LinkMethod<Item, Reply> {
  return {
    read: (crossed) => crossed as Item,
    wireReply: (reply) => reply,
    readReply: (crossed) => crossed as Reply,
    ...{ itemsMax: LINK_ITEMS_MAX, isCollected: false },
    ...method,
  };
}

export const pathOf = ({ name }: Pick<LinkMethod<never, unknown>, "name">): string => `/link/${name}`;

const none = Type.Object({});

/**
 * The far end: the route that answers a method's calls. A failure of the service crosses as what it is.
 *
 * A request with an item that does not fit is refused as a whole: such an item is a bug of ours, or comes from somebody else. No shopper can put one
 * among those of others, because whatever a gate takes has the form that its links ask for (`test/link-items.test.ts`).
 */
export function linkRoute<Item, Reply>(
  method: LinkMethod<Item, Reply>,
  serve: (items: readonly Item[]) => Answer<readonly Reply[]>,
): Route {
  const body = Type.Object({ items: Type.Array(method.item, { minItems: 1, maxItems: method.itemsMax }) });
  const endpoint = {
    name: `link-${method.name}`,
    method: "POST",
    path: pathOf(method),
    params: none,
    query: none,
    body,
    bodyBytesMax: LINK_BYTES_MAX,
    needsAdminKey: true,
    summary: `For the other services: ${method.summary}`,
    replies: {
      200: { description: "An answer for each item, in their order.", schema: Type.Object({ answers: Type.Array(Type.Unknown()) }) },
    },
    problems: { 503: "The service could not answer; `outcomeKnown` says whether nothing has happened." },
  } as const;
  return on(endpoint, async ({ body: { items } }): Promise<HttpReply> => {
    try {
      const replies = await serve((items as readonly unknown[]).map(method.read));
      return json({ answers: replies.map(method.wireReply) });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const { code, outcomeKnown, message } = error;
      return problem(503, message, { fields: { code, outcomeKnown } });
    }
  });
}

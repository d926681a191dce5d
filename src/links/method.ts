/**
 * A method of a service as the others reach it over a link: many items in one request, an answer for each, in their order. Both ends are made
 * of the same declaration. Who calls cannot tell a link from the object itself, but for a `Failure` that an object of this process never throws.
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
  /** One item as it crosses the link. */
  readonly item: TSchema;
  /** What of an item crosses: callers hand over objects that have more to them. */
  readonly wire: (item: Item) => unknown;
  /** Asking for all of these again does no harm, even if the first time was heard. @param items as they cross the link */
  readonly isRepeatable: boolean | ((items: readonly unknown[]) => boolean);
  readonly deadlineMs: DurationMs;
  /** Items of one request. */
  readonly itemsMax: number;
  /** Ties the type of the answers to the declaration; there is no such value. */
  readonly reply?: Reply;
}

export function linkMethod<Item, Reply>(
  method: Omit<LinkMethod<Item, Reply>, "itemsMax" | "reply"> & { readonly itemsMax?: number },
): LinkMethod<Item, Reply> {
  return { itemsMax: LINK_ITEMS_MAX, ...method };
}

export const pathOf = ({ name }: Pick<LinkMethod<never, unknown>, "name">): string => `/link/${name}`;

const none = Type.Object({});

/** The far end: the route that answers a method's calls. A failure of the service crosses as what it is. */
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
      return json({ answers: await serve(items as readonly Item[]) });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const { code, outcomeKnown, message } = error;
      return problem(503, message, { fields: { code, outcomeKnown } });
    }
  });
}

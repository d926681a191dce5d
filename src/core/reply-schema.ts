/** What an endpoint answers, as data: the API's description is made of it, and tests hold the real replies to it. */
import Type, { type TSchema } from "typebox";

export interface ReplySchema {
  /** When this is the answer, in one sentence. */
  readonly description: string;
  /** `null`: the answer has no content. */
  readonly schema: TSchema | null;
  readonly example?: unknown;
  /** What the content is when it is not JSON. */
  readonly contentType?: string;
  /** The same in other forms, by content type, for whoever asks for one with `Accept`. */
  readonly otherForms?: Readonly<Record<string, TSchema>>;
  /** Headers that belong to the answer, each with what it says. */
  readonly headers?: Readonly<Record<string, string>>;
}

export const RETRY_AFTER = { "Retry-After": "Seconds to wait before asking again." } as const;
const NEXT_PAGE = { Link: 'When more is left: `<address of the next page>; rel="next"`.' } as const;

export const reply = (description: string, schema: TSchema, example: unknown): ReplySchema => ({ description, schema, example });

export const noContent = (description: string): ReplySchema => ({ description, schema: null });

/** A list, or one page of it. */
export const listOf = (description: string, row: TSchema, rows: readonly unknown[]): ReplySchema => ({
  ...reply(description, Type.Array(row), rows),
  headers: NEXT_PAGE,
});

/** A page or a file for people. */
export const text = (description: string, contentType: string): ReplySchema => ({ description, schema: Type.String(), contentType });

/** The service's own throttle says no, in the same form as its other answers. */
export const throttled = (schema: TSchema, example: unknown): ReplySchema => ({
  ...reply("The throttle refuses: too many requests at this moment. Nothing has happened.", schema, example),
  headers: RETRY_AFTER,
});

/** A step could not answer, said in the same form as its other answers. */
export const unavailable = (description: string, schema: TSchema, example: unknown): ReplySchema => ({
  ...reply(description, schema, example),
  headers: RETRY_AFTER,
});

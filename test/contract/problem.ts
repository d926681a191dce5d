/** What the tests of the contract expect of an answer, in words that several of them use. */
import { expect } from "bun:test";
import type { JsonReply } from "../system.ts";

export interface FieldError {
  readonly pointer: string;
  readonly detail: string;
}

/** @param pointers the fields that `errors` names, all of them and no other; left out when the problem is not about fields */
export function expectProblem(reply: JsonReply, status: number, pointers?: readonly string[]): void {
  const contentType = reply.headers.get("content-type")?.split(";")[0];
  expect({ status: reply.status, contentType, text: reply.text }).toEqual({
    status,
    contentType: "application/problem+json",
    text: reply.text,
  });
  expectMatch(reply.body, { status, title: expect.any(String), detail: expect.any(String) });
  if (pointers) expect(pointersOf(reply).toSorted()).toEqual([...pointers].toSorted());
}

export function pointersOf(reply: JsonReply): string[] {
  const { errors } = reply.body as { errors?: readonly FieldError[] };
  expect(errors ?? []).toEqual((errors ?? []).map(() => ({ pointer: expect.any(String), detail: expect.any(String) })) as FieldError[]);
  return (errors ?? []).map((error) => error.pointer);
}

/** `toMatchObject` writes the matchers of `expected` into what it is given, and whoever reads that afterwards reads matchers; so it gets a copy. */
export const expectMatch = (actual: unknown, expected: object): void => expect(structuredClone(actual)).toMatchObject(expected);

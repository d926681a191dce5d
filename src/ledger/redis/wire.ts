/** What goes to the scripts and comes back from them, as `scripts/*.lua` say. */
import { assert } from "../../core/assert.ts";
import type { OrderId, SessionId, Sku, UserId } from "../../core/ids.ts";
import type { UnixMs } from "../../core/time.ts";
import type { Goods, HoldCommand, KeptReply, Line, Reply, SkuCommand } from "../ledger.ts";
import { decodeReplies } from "../reply-record.ts";

/** One SKU's part of an order. */
export type PartOfOrder = readonly [orderId: OrderId, sku: Sku, userId: UserId];

export type Field = string | number;
export type Answered = readonly [kind: string, ...fields: Field[]];
/** A SKU that has to be looked at, because an order that has ended elsewhere ended there too. */
export type Look = readonly [sku: Sku, at: UnixMs];

/** Lua knows no empty list: it writes an empty object. */
const listOf = <T>(list: readonly T[] | Readonly<Record<string, never>>): readonly T[] => (Array.isArray(list) ? list : []);

export function readAnswer<T>(answer: unknown): { readonly reply: T; readonly looks: readonly Look[] } {
  assert(typeof answer === "string", "a script answers with JSON");
  const [reply, looks] = JSON.parse(answer) as [T, readonly Look[]];
  return { reply, looks: listOf(looks) };
}
/** The replies to some commands, one for each. */
export function readReplies(answer: unknown): { readonly reply: readonly Answered[]; readonly looks: readonly Look[] } {
  const { reply, looks } = readAnswer<readonly Answered[]>(answer);
  return { reply: reply.some(isOfMany) ? reply.flatMap(repliesOf) : reply, looks };
}
const isOfMany = ([kind]: Answered): boolean => kind === "all";
function repliesOf(reply: Answered): readonly Answered[] {
  if (!isOfMany(reply)) return [reply];
  const [, count, quantity, heldUntil] = reply as readonly ["all", number, number, UnixMs];
  return new Array<Answered>(count).fill(["held", quantity, heldUntil]);
}
/** What `sweep.lua` answers. */
export type Swept = readonly [ended: readonly PartOfOrder[] | Readonly<Record<string, never>>, isMore: 0 | 1, told: number];
export const readSwept = (answer: unknown) => readAnswer<Swept>(answer);
export const readList = <T>(answer: unknown): { readonly reply: readonly T[]; readonly looks: readonly Look[] } => {
  const { reply, looks } = readAnswer<readonly T[]>(answer);
  return { reply: listOf(reply), looks };
};

/** @param keyNumber of the key's reply among the script's further keys, from 1; 0: none
 *  @param skusOfUser of how many SKUs the user has something; -1: nobody has counted */
export function fieldsOf(command: SkuCommand, now: UnixMs, keyNumber: number, skusOfUser: number): readonly Field[] {
  const { verb, sku } = command;
  switch (command.verb) {
    case "hold": {
      const { userId, quantity, limit, opensAt, closesAt, frozenForMs, sessionId, key } = command;
      const isKeyed = keyNumber > 0;
      const keyFields = [keyNumber, isKeyed ? (key?.text ?? "") : "", isKeyed ? (key?.fingerprint ?? "") : "", skusOfUser];
      return [verb, now, sku, userId, quantity, limit, opensAt, closesAt, frozenForMs, sessionId, ...keyFields];
    }
    case "change":
      return [verb, now, sku, command.userId, command.quantity, command.limit];
    case "release":
      return [verb, now, sku, command.userId];
    case "stock":
      return command.mode === "remove"
        ? [verb, now, sku, command.mode]
        : [verb, now, sku, command.mode, command.onHand, command.priceCents];
    case "record":
      return command.mode === "remove"
        ? [verb, now, sku, command.userId, command.mode]
        : [verb, now, sku, command.userId, command.mode, command.userLevel, command.ordered];
    case "expire":
      return [verb, now, sku];
  }
}

/** A run of holds that are sent as one: without keys, alike in all but whose they are, and of each user one. */
export interface AlikeHolds {
  readonly of: HoldCommand;
  readonly now: UnixMs;
  readonly userIds: Set<UserId>;
  readonly sessionIds: SessionId[];
}

export const isLike = ({ of, now, userIds }: AlikeHolds, other: HoldCommand, otherNow: UnixMs): boolean =>
  now === otherNow &&
  !userIds.has(other.userId) &&
  of.sku === other.sku &&
  of.quantity === other.quantity &&
  of.limit === other.limit &&
  of.opensAt === other.opensAt &&
  of.closesAt === other.closesAt &&
  of.frozenForMs === other.frozenForMs;

export const fieldsOfAlike = ({ of, now, userIds, sessionIds }: AlikeHolds) =>
  ["holds", now, of.sku, [...userIds], sessionIds, of.quantity, of.limit, of.opensAt, of.closesAt, of.frozenForMs] as const;

type Refused = Extract<Reply, { readonly kind: "refused" }>;

/** A reply of `decide.lua` in the ledger's words; `null`: the command was not decided. */
export function replyOf(command: SkuCommand, [kind, ...fields]: Answered): Reply | null {
  const [a, b, c, d, e] = fields as number[];
  switch (kind) {
    case "held":
      return { kind, quantity: a as number, heldUntil: b as number };
    case "refused":
      return { kind, reason: fields[0] } as Refused;
    case "frozen":
      return { kind: "refused", reason: "frozen", onHandMin: a as number };
    case "released":
      return { kind, quantity: a as number };
    case "stocked":
      return { kind, goods: goodsOf(command.sku, fields as number[]) };
    case "removed":
    case "expired":
      return { kind };
    case "recorded":
      return {
        kind,
        line: { held: a as number, heldUntil: b as number, pending: c as number, ordered: d as number, userLevel: e as number },
      };
    case "kept":
      assert(command.verb === "hold", "only a hold carries a key");
      return repeatedOr(keptReplyOf(fields[0] as string), command.key?.fingerprint ?? "");
    default:
      return null;
  }
}

export function repeatedOr(kept: KeptReply, fingerprint: string): Reply {
  const isSame = kept.kind === "purchase" && kept.key.fingerprint === fingerprint;
  return isSame ? { kind: "repeated", reply: kept } : { kind: "refused", reason: "key-reused" };
}

export function keptReplyOf(text: string): KeptReply {
  const [reply] = decodeReplies(text);
  assert(reply !== undefined, "a kept reply is one");
  return reply;
}

export function goodsOf(sku: Sku, [onHand = 0, frozen = 0, sold = 0, priceCents = 0, clock = 0, pending = 0]: readonly number[]): Goods {
  return { sku, onHand, frozen, pending, sold, stocked: onHand + sold, priceCents, clock };
}

export type LineFields = readonly [
  held: number,
  heldUntil: UnixMs,
  pending: number,
  ordered: number,
  userLevel: number,
  sessionId: SessionId,
];
export function lineOf([held, heldUntil, pending, ordered, userLevel]: LineFields): Line {
  return { held, heldUntil, pending, ordered, userLevel: userLevel < 0 ? null : userLevel };
}

/** What `look.lua` shows. A part of an order is alive, under way to be part of it or to be sold, or gone. */
export interface Seen {
  readonly goods: Goods | null;
  readonly line: Line;
  readonly part: "alive" | "park" | "sell" | "gone";
  /** There are no goods, and Redis may have lost them. */
  readonly isDoubtful: boolean;
}
export type SeenFields = readonly [goods: readonly number[] | false, line: LineFields | false, part: Seen["part"], doubt: 0 | 1];

/** ShoppingCart as the gates reach it over a link: the purchase's last step, and the replies that are kept for keys. */
import Type from "typebox";
import { KeySchema } from "../../core/idempotency-key.ts";
import { type SessionId, SessionIdSchema, type Sku, SkuSchema, type UserId, UserIdSchema } from "../../core/ids.ts";
import { PurchaseQuantity } from "../../core/quantity.ts";
import { STEPS } from "../../core/reason.ts";
import type { Clock, DurationMs, UnixMs } from "../../core/time.ts";
import type { KeptPurchase, KeptReply, Key, Ledger } from "../../ledger/ledger.ts";
import { LINK_DEADLINE_MS } from "../../limits/links.ts";
import { FROZEN_FOR_MS_MAX, STOCK_QUANTITY_MAX } from "../../limits.ts";
import { linkMethod, linkRoute } from "../../links/method.ts";
import type { CartAdd, CartVerdict, ShoppingCart } from "./service.ts";

const UnixTime = Type.Integer({ minimum: 0 });
const FrozenFor = Type.Integer({ minimum: 0, maximum: FROZEN_FOR_MS_MAX });
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);
const Terms = Type.Tuple([UnixTime, UnixTime, orNull(FrozenFor)]);
const Row = Type.Tuple([
  ...([SessionIdSchema, UserIdSchema, SkuSchema, PurchaseQuantity] as const),
  ...([Type.Integer({ minimum: 0, maximum: STOCK_QUANTITY_MAX }), orNull(Terms), orNull(KeySchema)] as const),
]);
type TermsRow = readonly [opensAt: UnixMs, closesAt: UnixMs, frozenForMs: DurationMs | null];
type AddRow = readonly [SessionId, UserId, Sku, quantity: number, quantityLimit: number, sale: TermsRow | null, Key | null];
/** What is frozen and until when, or why nothing is. */
type VerdictRow = readonly [quantity: number, heldUntil: UnixMs] | Exclude<CartVerdict, { readonly allowed: true }>;

export const addToCart = linkMethod<CartAdd, CartVerdict>({
  name: "add",
  summary: "freezes, for each of these purchases, stock and limit in one step.",
  item: Row,
  wire: ({ sessionId, userId, sku, quantity, quantityLimit, sale, key }): AddRow => {
    const terms: TermsRow | null = sale && [sale.opensAt, sale.closesAt, sale.frozenForMs];
    return [sessionId, userId, sku, quantity, quantityLimit, terms, key];
  },
  read: (crossed) => {
    const [sessionId, userId, sku, quantity, quantityLimit, terms, key] = crossed as AddRow;
    const sale = terms && { opensAt: terms[0], closesAt: terms[1], frozenForMs: terms[2] };
    return { sessionId, userId, sku, quantity, quantityLimit, sale, key };
  },
  wireReply: (verdict): VerdictRow => (verdict.allowed ? [verdict.quantity, verdict.heldUntil] : verdict),
  readReply: (crossed) => {
    const row = crossed as VerdictRow;
    if (Array.isArray(row)) return { allowed: true, quantity: row[0] as number, heldUntil: row[1] as UnixMs };
    if ((row as Partial<CartVerdict>).allowed !== false) throw new TypeError("there is no such verdict");
    return row as CartVerdict;
  },
  // With a key the second time gets the answer of the first; without one, twice is twice.
  isRepeatable: (items) => (items as readonly AddRow[]).every((row) => row[6] !== null),
  deadlineMs: LINK_DEADLINE_MS,
  isCollected: true,
});

export const recallReplies = linkMethod<Key, KeptReply | null>({
  name: "recall",
  summary: "the first replies to these keys.",
  item: KeySchema,
  wire: (key) => key,
  isRepeatable: true,
  deadlineMs: LINK_DEADLINE_MS,
});

/** The gate keeps refusals of purchases alone; all else is kept where it is answered. */
export const rememberReplies = linkMethod<KeptPurchase, KeptReply | null>({
  name: "remember",
  summary: "keeps these replies for their keys, and answers with those that are kept.",
  item: Type.Object({
    kind: Type.Literal("purchase"),
    key: KeySchema,
    sessionId: SessionIdSchema,
    step: Type.Enum(STEPS),
    reason: Type.String({ maxLength: 64 }),
    sku: SkuSchema,
    quantity: PurchaseQuantity,
    heldUntil: UnixTime,
    frozenForMs: FrozenFor,
  }),
  wire: (reply) => reply,
  // The first one stays.
  isRepeatable: true,
  deadlineMs: LINK_DEADLINE_MS,
});

export const shoppingCartLinkRoutes = (cart: ShoppingCart, ledger: Pick<Ledger, "recall" | "remember">, clock: Clock) => [
  linkRoute(addToCart, (adds) => cart.add(adds)),
  linkRoute(recallReplies, (keys) => ledger.recall(keys, clock.now())),
  linkRoute(rememberReplies, (replies) => ledger.remember(replies, clock.now())),
];

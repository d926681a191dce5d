/** ShoppingCart as the gates reach it over a link: the purchase's last step, and the replies that are kept for keys. */
import Type from "typebox";
import { SessionIdSchema, SkuSchema, UserIdSchema } from "../../core/ids.ts";
import { PurchaseQuantity } from "../../core/quantity.ts";
import { STEPS } from "../../core/reason.ts";
import type { Clock } from "../../core/time.ts";
import type { KeptPurchase, KeptReply, Key, Ledger } from "../../ledger/ledger.ts";
import { LINK_DEADLINE_MS } from "../../limits/links.ts";
import { FROZEN_FOR_MS_MAX, IDEMPOTENCY_KEY_CHARS_MAX, STOCK_QUANTITY_MAX } from "../../limits.ts";
import { linkMethod, linkRoute } from "../../links/method.ts";
import type { CartAdd, CartVerdict, ShoppingCart } from "./service.ts";

const UnixTime = Type.Integer({ minimum: 0 });
const FrozenFor = Type.Integer({ minimum: 0, maximum: FROZEN_FOR_MS_MAX });
/** A user's own key is longer than its header by the user's id. */
const KEY_CHARS_MAX = IDEMPOTENCY_KEY_CHARS_MAX + 200;
const FINGERPRINT_CHARS_MAX = 1_000;
const KeySchema = Type.Object({
  text: Type.String({ minLength: 1, maxLength: KEY_CHARS_MAX }),
  fingerprint: Type.String({ maxLength: FINGERPRINT_CHARS_MAX }),
});
const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);
const terms = Type.Object({ opensAt: UnixTime, closesAt: UnixTime, frozenForMs: orNull(FrozenFor) });

export const addToCart = linkMethod<CartAdd, CartVerdict>({
  name: "add",
  summary: "freezes, for each of these purchases, stock and limit in one step.",
  item: Type.Object({
    sessionId: SessionIdSchema,
    userId: UserIdSchema,
    sku: SkuSchema,
    quantity: PurchaseQuantity,
    quantityLimit: Type.Integer({ minimum: 0, maximum: STOCK_QUANTITY_MAX }),
    sale: orNull(terms),
    key: orNull(KeySchema),
  }),
  wire: ({ sessionId, userId, sku, quantity, quantityLimit, sale, key }) => ({
    ...{ sessionId, userId, sku, quantity, quantityLimit, key },
    sale: sale && { opensAt: sale.opensAt, closesAt: sale.closesAt, frozenForMs: sale.frozenForMs },
  }),
  // With a key the second time gets the answer of the first; without one, twice is twice.
  isRepeatable: (items) => (items as readonly CartAdd[]).every(({ key }) => key !== null),
  deadlineMs: LINK_DEADLINE_MS,
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

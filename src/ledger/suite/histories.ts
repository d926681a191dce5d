/**
 * Random histories for the model check: what a few users, SKUs, orders and keys can go through while the clock moves in both directions. The
 * world is small and its quantities and times are close together, so that nearly every step meets the traces of earlier ones.
 */
import fc from "fast-check";
import type { OrderId, SessionId, Sku, UserId } from "../../core/ids.ts";
import type { DurationMs } from "../../core/time.ts";
import type { CancelCommand, Command, HoldCommand, PayCommand, PlaceCommand, RecordCommand, StockCommand } from "../ledger.ts";
import { keyOf, paymentOf, START } from "./shop.ts";

export const USERS = ["ann", "bob", "cem"] as UserId[];
export const SKUS = ["lamp", "sofa"] as Sku[];
export const ORDERS = ["order 1", "order 2", "order 3"] as OrderId[];
export const KEYS = ["k1", "k2", "k3", "k4"];

/** Commands of one verb, sent in one call. */
export type Batch = readonly Command[];

export type Step =
  /** Some calls, made one after the other without waiting; afterwards somebody looks at everything, or nobody does. */
  | { readonly does: "calls"; readonly afterMs: DurationMs; readonly batches: readonly Batch[]; readonly isLookedAt: boolean }
  /** The process dies and comes back; the callers of its last calls have not heard the replies and ask again. */
  | { readonly does: "crash" }
  | { readonly does: "sweep"; readonly afterMs: DurationMs };

const user = fc.constantFrom(...USERS);
const sku = fc.constantFrom(...SKUS);
const orderId = fc.constantFrom(...ORDERS);
const quantity = fc.integer({ min: 1, max: 4 });
const onHand = fc.integer({ min: 0, max: 9 });
const limit = fc.constantFrom(0, 0, 2, 3, 4, 6);
const frozenForMs = fc.constantFrom(4, 10, 25);
const windowMs = fc.constantFrom(3, 8, 7_200_000);
const sessionId = fc.nat({ max: 999 }).map((n) => `session ${n}` as SessionId);

/** Most sales are always open; the others begin and end among the first steps of a history. */
const opensAt = fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: START, max: START + 20 }) });
const closesAt = fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: START, max: START + 40 }) });

const hold: fc.Arbitrary<HoldCommand> = fc
  .record({
    ...{ sku, userId: user, quantity, limit, opensAt, closesAt, frozenForMs, sessionId },
    keyText: fc.option(fc.constantFrom(...KEYS), { freq: 2 }),
  })
  .map(({ keyText, ...rest }) => ({
    verb: "hold",
    ...rest,
    key: keyText === null ? null : keyOf(keyText, `${rest.userId} ${rest.quantity}`),
  }));

const stock: fc.Arbitrary<StockCommand> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      verb: fc.constant("stock"),
      mode: fc.constantFrom("put", "update"),
      sku,
      onHand,
      priceCents: fc.nat({ max: 9 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant("stock"), mode: fc.constant("remove"), sku }) },
);

const record: fc.Arbitrary<RecordCommand> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      verb: fc.constant("record"),
      mode: fc.constantFrom("put", "update"),
      sku,
      userId: user,
      userLevel: fc.nat({ max: 3 }),
      ordered: fc.nat({ max: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ verb: fc.constant("record"), mode: fc.constant("remove"), sku, userId: user }) },
);

const place: fc.Arbitrary<PlaceCommand> = fc.record({
  verb: fc.constant("place"),
  orderId,
  userId: user,
  userLevel: fc.nat({ max: 3 }),
  items: fc
    .tuple(fc.constantFrom<readonly Sku[]>(SKUS, SKUS.toReversed(), ...SKUS.map((one) => [one]), [...SKUS, ...SKUS]), fc.nat({ max: 9 }))
    .map(([skus, priceCents]) => skus.map((one, n) => ({ sku: one, priceCents: priceCents + n }))),
  windowMs,
});

const pay: fc.Arbitrary<PayCommand> = fc.record({
  verb: fc.constant("pay"),
  orderId,
  payment: fc.constantFrom(..."123456789".split("").map((n) => `payment ${n}`)).map(paymentOf),
  isAmountRight: fc.oneof({ weight: 5, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  // One is less than most orders have, so that a limit often binds one SKU alone.
  limits: fc.array(fc.tuple(sku, fc.oneof(limit, fc.constant(1))), { maxLength: 2 }).map((entries) => new Map(entries)),
});

const cancel: fc.Arbitrary<CancelCommand> = fc.record({
  verb: fc.constant("cancel"),
  orderId,
  to: fc.constantFrom("free", "held"),
});

const some = <T extends Command>(command: fc.Arbitrary<T>): fc.Arbitrary<Batch> => fc.array(command, { minLength: 1, maxLength: 4 });

const batch: fc.Arbitrary<Batch> = fc.oneof(
  { weight: 8, arbitrary: some(hold) },
  { weight: 2, arbitrary: some(stock) },
  { weight: 3, arbitrary: some(fc.record({ verb: fc.constant("change"), sku, userId: user, quantity, limit })) },
  { weight: 2, arbitrary: some(fc.record({ verb: fc.constant("release"), sku, userId: user })) },
  { weight: 6, arbitrary: some(place) },
  { weight: 4, arbitrary: some(pay) },
  { weight: 3, arbitrary: some(cancel) },
  { weight: 1, arbitrary: some(fc.record({ verb: fc.constant("expire"), sku })) },
  { weight: 2, arbitrary: some(record) },
);

const afterMs: fc.Arbitrary<DurationMs> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 4 }) },
  { weight: 3, arbitrary: fc.integer({ min: 5, max: 30 }) },
  { weight: 3, arbitrary: fc.integer({ min: -20, max: -1 }) },
  { weight: 1, arbitrary: fc.constant(3_600_000) },
);

const stepOf = (calls: fc.Arbitrary<Batch>, wait: fc.Arbitrary<DurationMs>): fc.Arbitrary<Step> =>
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        does: fc.constant("calls"),
        afterMs: wait,
        batches: fc.array(calls, { minLength: 1, maxLength: 2 }),
        isLookedAt: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ does: fc.constant("crash") }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant("sweep"), afterMs: wait }) },
  );

/** The goods are there from the beginning; otherwise most histories would be about goods that nobody has put in. */
const opening: fc.Arbitrary<Step> = fc.tuple(onHand, onHand).map(([lamps, sofas]) => ({
  does: "calls",
  afterMs: 0,
  isLookedAt: false,
  batches: [
    [lamps, sofas].map(
      (quantity, n): StockCommand => ({ verb: "stock", mode: "put", sku: SKUS[n] as Sku, onHand: quantity, priceCents: 1 }),
    ),
  ],
}));

/** Anything may happen. */
const anything: fc.Arbitrary<readonly Step[]> = fc
  .tuple(opening, fc.array(stepOf(batch, afterMs), { minLength: 1, maxLength: 40, size: "max" }))
  .map(([first, rest]) => [first, ...rest]);

const RACE_WINDOW_MS = 8;
const [ann, order1] = [USERS[0] as UserId, ORDERS[0] as OrderId];
const items = SKUS.map((one) => ({ sku: one, priceCents: 1 }));
const placeBoth: PlaceCommand = { verb: "place", orderId: order1, userId: ann, userLevel: 1, items, windowMs: RACE_WINDOW_MS };
const holdBoth = SKUS.map((one): HoldCommand => {
  const limits = { limit: 0, opensAt: 0, closesAt: 0, frozenForMs: RACE_WINDOW_MS + 2 };
  return { verb: "hold", sku: one, userId: ann, quantity: 2, ...limits, sessionId: "the race" as SessionId, key: null };
});

/** Everybody wants one order of two SKUs to come to another end, about the time at which it expires, and others want its goods. */
const race: fc.Arbitrary<readonly Step[]> = fc
  .record({
    first: opening,
    isPlaced: fc.boolean(),
    rest: fc.array(
      stepOf(
        fc.oneof(
          { weight: 6, arbitrary: pay.map((command): Batch => [{ ...command, orderId: order1 }]) },
          { weight: 3, arbitrary: cancel.map((command): Batch => [{ ...command, orderId: order1 }]) },
          { weight: 3, arbitrary: fc.constant<Batch>([placeBoth]) },
          { weight: 1, arbitrary: sku.map((one): Batch => [{ verb: "release", sku: one, userId: ann }]) },
          { weight: 3, arbitrary: some(hold) },
        ),
        fc.constantFrom(0, 0, 1, RACE_WINDOW_MS - 1, RACE_WINDOW_MS, -RACE_WINDOW_MS),
      ),
      { minLength: 1, maxLength: 10 },
    ),
  })
  .map(({ first, isPlaced, rest }) => {
    const batches: readonly Batch[] = isPlaced ? [holdBoth, [placeBoth]] : [holdBoth];
    return [first, { does: "calls", afterMs: 0, isLookedAt: false, batches }, ...rest];
  });

export const history: fc.Arbitrary<readonly Step[]> = fc.oneof({ weight: 2, arbitrary: anything }, { weight: 1, arbitrary: race });

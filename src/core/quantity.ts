/** Quantities, levels and prices as they come in: schemas with the contract's ranges. */
import Type from "typebox";
import { PRICE_MAX, PURCHASE_QUANTITY_MAX, STOCK_QUANTITY_MAX, USER_LEVEL_MAX } from "../limits.ts";
import { centsOf } from "./money.ts";

const integer = (minimum: number, maximum: number) =>
  Type.Integer({ minimum, maximum, description: `an integer from ${minimum} to ${maximum}` });

/** Asked for in one purchase. */
export const PurchaseQuantity = integer(1, PURCHASE_QUANTITY_MAX);
/** In stock, or on an order record; also a limit where 0 means none. */
export const StockQuantity = integer(0, STOCK_QUANTITY_MAX);
/** A tier's limit. It is never 0, because 0 means "no limit" where a limit travels to the cart. */
export const TierLimit = integer(1, STOCK_QUANTITY_MAX);
export const UserLevel = integer(0, USER_LEVEL_MAX);
export const Price = Type.Refine(
  Type.Number({ minimum: 0, maximum: PRICE_MAX, description: `a number from 0 to ${PRICE_MAX} with at most two decimals` }),
  (price) => centsOf(price) !== null,
  () => "must have at most two decimals",
);

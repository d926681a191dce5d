/**
 * The names of things that travel through every service. They are branded strings: the compiler keeps a SKU from being passed
 * where a user is meant, at no cost at run time. Only the edge makes them, from input it has checked against `Id`.
 */
import Type from "typebox";

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

export type UserId = Branded<"UserId">;
export type Sku = Branded<"Sku">;
export type SessionId = Branded<"SessionId">;
export type OrderId = Branded<"OrderId">;
export type SaleId = Branded<"SaleId">;
/** An IPv4 or IPv6 address in canonical form; see `ip-address.ts`. */
export type IpAddress = Branded<"IpAddress">;

/** 1-128 characters, none of them a control character. Lone surrogates are no characters: two different ones would become the
 *  same id once stored as UTF-8. */
export const ID_PATTERN = "^[^\\p{Cc}\\p{Cs}]{1,128}$";
const idPattern = new RegExp(ID_PATTERN, "u");

export const isId = (text: string): boolean => idPattern.test(text);

const id = <T extends Branded<string>>() =>
  Type.Unsafe<T>(Type.String({ pattern: ID_PATTERN, description: "1-128 characters, no control characters" }));
export const UserIdSchema = id<UserId>();
export const SkuSchema = id<Sku>();
export const SessionIdSchema = id<SessionId>();
export const OrderIdSchema = id<OrderId>();
/** As every id, but for `.` and `..`, which no path can name: whoever makes a sale wants to find it again. */
export const SaleIdSchema = Type.Unsafe<SaleId>(
  Type.String({
    pattern: ID_PATTERN.replace("^", "^(?!\\.{1,2}$)"),
    description: "1-128 characters, no control characters, not only one or two dots",
  }),
);

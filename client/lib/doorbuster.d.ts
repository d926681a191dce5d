/**
 * The client of a Doorbuster gate, for browsers and servers, without a dependency: buy, cart, order, and a sale live.
 *
 * A refusal is a value (`ok: false`, with a `reason` for code and a `message` for people). Only when no answer could be had a method throws
 * `DoorbusterFailure`; then it may have happened, and the same call with the failure's `idempotencyKey` tells.
 */
import type { Operations } from "./api-types.ts";
import { type LiveBoard } from "./board-feed.ts";
import { type Live } from "./live.ts";
import { DoorbusterFailure, type Reply } from "./requests.ts";
import { type Surroundings } from "./surroundings.ts";
export { DoorbusterFailure, type Live, type LiveBoard };
/** Who asks, said as the gate's `--identity` wants it. */
export type DoorbusterOptions = CommonOptions & (TokenOptions | TrustedOptions | VisitorOptions);
/** For a gate with `--identity jwt`: the token says who the shopper is. */
export interface TokenOptions {
    /** The shopper's token, or what gives the one of this moment. */
    readonly token: string | (() => string | Promise<string>);
    readonly userID?: never;
    readonly userLevel?: never;
    readonly clientIP?: never;
}
/** For a gate with `--identity trusted`, on the shop's own server, which knows its shopper. The gate refuses a purchase that lacks one of the three. */
export interface TrustedOptions {
    readonly token?: never;
    readonly userID: string;
    /** 0 is the lowest. */
    readonly userLevel: number;
    /** The shopper's address, IPv4 or IPv6; not this server's. */
    readonly clientIP: string;
}
/** For who is nobody yet, and looks at the sales. */
export interface VisitorOptions {
    readonly token?: never;
    readonly userID?: never;
    readonly userLevel?: never;
    readonly clientIP?: never;
}
export interface CommonOptions {
    /** Of the gate: `https://shop.example`. */
    readonly url: string;
    /** In which language the shopper reads messages; left out, the browser says it. */
    readonly language?: "en" | "zh";
    /** How often one request is sent at most. */
    readonly attemptsMax?: number;
    /** How long one attempt may take, in milliseconds. */
    readonly attemptMsMax?: number;
    readonly fetch?: Surroundings["fetch"];
    /** For tests: their own time, chance and page. */
    readonly surroundings?: Partial<Surroundings>;
}
type Replies<Name extends keyof Operations> = Operations[Name]["replies"];
export type Held = Extract<Replies<"buy">[200], {
    readonly repResult: true;
}>;
export type Cart = Replies<"cart">[200];
export type Order = Replies<"order">[200];
export type Orders = Replies<"orders">[200];
export type PlacedOrder = Replies<"placeOrder">[201];
export type StartedPayment = Replies<"startPayment">[200];
export type Board = Replies<"sales">[200];
export type Sale = Replies<"sale">[200];
export interface Refused {
    readonly ok: false;
    readonly status: number;
    /** For code: `sold-out`, `limit-reached`, `not-started`, `order-ended`, ... */
    readonly reason: string;
    /** For people. */
    readonly message: string;
    /** With `not-started`: when the sale opens, in unix ms. */
    readonly opensAt?: number;
    /** All that was answered. */
    readonly body: Reply["body"];
}
export type Answer<T> = {
    readonly ok: true;
    readonly value: T;
} | Refused;
/** What a call that changes something may say. */
export interface Again {
    /** Of an earlier try of the same call, to learn what became of it. */
    readonly idempotencyKey?: string;
}
export declare class Doorbuster {
    #private;
    constructor(options: DoorbusterOptions);
    /** Freezes goods until `hold.expiresAt`. */
    buy(wish: {
        readonly sku: string;
        readonly quantity?: number;
    } & Again): Promise<Answer<Held>>;
    cart(): Promise<Answer<Cart>>;
    removeFromCart(sku: string): Promise<Answer<Cart>>;
    /**
     * Makes one order of the cart, or of the SKUs named. When it is placed and only its payment could not be started, the failure has it
     * (`failure.body.order`): the same call again, or `startPayment`, starts the payment.
     */
    placeOrder(wish?: {
        readonly skus?: readonly string[];
        readonly provider?: string;
    } & Again): Promise<Answer<PlacedOrder>>;
    order(orderID: string): Promise<Answer<Order>>;
    /** A page of the shopper's orders, newest first. The next one is behind the last `orderID` of this one; an empty one is the end. */
    orders(page?: {
        readonly after?: string;
        readonly limit?: number;
    }): Promise<Answer<Orders>>;
    /** Starts the payment of an unpaid order, or gives what was started before. */
    startPayment(orderID: string, wish?: {
        readonly provider?: string;
    } & Again): Promise<Answer<StartedPayment>>;
    cancelOrder(orderID: string, again?: Again): Promise<Answer<Order>>;
    sales(): Promise<Answer<Board>>;
    sale(id: string): Promise<Answer<Sale>>;
    /** Follows a sale until it has ended or `stop` is called; see `live.ts`. */
    live(id: string, onChange: (seen: Live) => void): {
        stop(): void;
    };
    /** Watches all sales, and what is left of their goods, until `stop` is called; see `board-feed.ts`. */
    watch(onChange: (board: LiveBoard) => void): {
        stop(): void;
    };
}

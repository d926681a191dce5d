/**
 * One request, asked again until its answer is known. A timeout is an unknown outcome: it may have happened. So every repetition carries the
 * same `Idempotency-Key`, and the gate gives the first answer again instead of doing it twice.
 */
import type { Surroundings } from "./surroundings.ts";
export interface RequestOptions {
    readonly method: string;
    /** With its query. */
    readonly path: string;
    readonly body?: object;
    /** The same for every repetition; only what changes something needs one. */
    readonly key?: string;
    readonly headers?: Readonly<Record<string, string>>;
    readonly attemptsMax?: number;
}
export interface Reply {
    readonly status: number;
    readonly etag: string | null;
    /** The server's clock, in unix ms, where the answer has no body to say it in. */
    readonly serverNow: number | null;
    /** When to ask again; `null` when that is not said. */
    readonly retryAfterMs: number | null;
    /** What the content says as JSON; an empty object when it is none. */
    readonly body: Readonly<Record<string, unknown>>;
}
/** No answer could be had. What was asked for may have happened: ask again with the same key to learn it. */
export declare class DoorbusterFailure extends Error {
    /** Give it as `idempotencyKey` to ask the same again; `null` when nothing was to be changed. */
    readonly idempotencyKey: string | null;
    /** The last answer's; `null` when there was none. */
    readonly status: number | null;
    /** What the last answer said, as JSON: an order that was placed and whose payment could not be started is its `order`. */
    readonly body: Reply["body"];
    readonly name = "DoorbusterFailure";
    constructor(message: string, 
    /** Give it as `idempotencyKey` to ask the same again; `null` when nothing was to be changed. */
    idempotencyKey: string | null, 
    /** The last answer's; `null` when there was none. */
    status: number | null, 
    /** What the last answer said, as JSON: an order that was placed and whose payment could not be started is its `order`. */
    body?: Reply["body"], cause?: unknown);
}
export interface RequestSettings {
    /** Of the gate, with or without a slash at its end. */
    readonly url: string;
    readonly token: (() => string | Promise<string>) | null;
    readonly language: string | null;
    /** How often one request is sent at most. */
    readonly attemptsMax: number;
    /** How long one attempt may take. */
    readonly attemptMsMax: number;
}
export declare class Requests {
    #private;
    constructor(settings: RequestSettings, surroundings: Surroundings);
    /** @throws DoorbusterFailure when none of the attempts was answered for good */
    send(request: RequestOptions): Promise<Reply>;
}

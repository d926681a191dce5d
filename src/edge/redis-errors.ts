/** What an error of Redis, or of the way to it, says about the command: whether it was carried out, was not, or may have been. */
import { Failure } from "../core/failure.ts";

/** Redis refuses these before it does anything; a script too, because the first write in it is refused. NOTWHOLE is what the ledger's own scripts say
 *  instead of deciding over data that may lack something. */
const REFUSED =
  /^(OOM|READONLY|CLUSTERDOWN|TRYAGAIN|LOADING|MASTERDOWN|MISCONF|NOREPLICAS|BUSY|NOAUTH|WRONGPASS|NOPERM|NOTWHOLE|MOVED|ASK|CROSSSLOT)\b/;
/** ioredis has not written the command to any connection. */
const NOT_SENT =
  /isn't writeable and enableOfflineQueue options is false|Cluster isn't ready|ECONNREFUSED|ENOTFOUND|EAI_AGAIN|Failed to refresh slots cache/;
/** The server has answered that the command makes no sense: a bug of ours, as is an error inside a script. */
const isReply = (error: Error): boolean => error.name === "ReplyError";

/** @returns a `Failure`, or the error itself where it is a bug */
export function redisFailureOf(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof Failure) return error;
  if (isReply(error) && !REFUSED.test(error.message)) return error;
  return unavailable(isReply(error) || NOT_SENT.test(error.message), error);
}

/** Without the cause's own words, which may name hosts: callers get to read the message. */
export const unavailable = (outcomeKnown: boolean, cause?: Error): Failure =>
  new Failure("store-unavailable", "the store cannot be used at the moment; try again", outcomeKnown, cause);

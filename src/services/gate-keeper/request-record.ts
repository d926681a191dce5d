/**
 * The record of a request at the gate that was no purchase: what was refused, and what a shopper has done besides. It stands in the access log
 * beside those of purchases (`access-record.ts`). What only looks on and is answered leaves none, and what a purchase hears has the purchase's own.
 */
import type { Answered } from "../../core/endpoint.ts";
import { jsonText } from "../../core/json-text.ts";
import type { Clock } from "../../core/time.ts";
import type { Identity } from "../../identity/identity.ts";

/** How requests end that are no purchases; `null`, beside these, is that something was done. */
export type RequestEnd =
  | "malformed"
  | "unauthorized"
  | "not-found"
  | "method-not-allowed"
  | "too-large"
  | "throttled"
  | "refused"
  | "failed";

export interface RequestRecordParts {
  readonly instance: string;
  readonly clock: Pick<Clock, "now">;
  readonly identity: Pick<Identity, "addressOf">;
  /** Takes a line, or drops it; never waits. */
  readonly record: (line: string) => void;
}

/** What hears of every answer of the gate and writes down those that leave a record. */
export function requestRecords({ instance, clock, identity, record }: RequestRecordParts): (answered: Answered) => void {
  const instanceText = jsonText(instance);
  return (answered) => {
    const { endpoint, method, reply, headers, peer } = answered;
    const end = endOf(answered);
    if (end === undefined) return;
    const clientIp = reply.about?.clientIp ?? identity.addressOf({ headers, peer });
    const userId = reply.about?.userId ?? null;
    const request = endpoint === null ? `${method.slice(0, METHOD_CHARS_MAX)} -` : `${endpoint.method} ${endpoint.path}`;
    const time = new Date(clock.now()).toISOString();
    record(
      `{"time":"${time}","instance":${instanceText},"traceId":null,"clientIP":"${clientIp}","userID":${userId === null ? "null" : jsonText(userId)},` +
        `"goodsSKU":null,"request":${jsonText(request)},"status":${reply.status},"reason":${end === null ? "null" : `"${end}"`},"totalUs":0}\n`,
    );
  };
}

const METHOD_CHARS_MAX = 16;
/** What a purchase has its own record of. */
const ENDS_OF_PURCHASES: ReadonlySet<number> = new Set([200, 422, 429, 503]);

/** `undefined`: nothing that leaves a record. */
function endOf({ endpoint, reply: { status } }: Answered): RequestEnd | null | undefined {
  if (endpoint?.path === "/buy" && ENDS_OF_PURCHASES.has(status)) return undefined;
  if (status < 400) return endpoint === null || endpoint.method === "GET" ? undefined : null;
  switch (status) {
    case 400:
    case 415:
    case 422:
      return "malformed";
    case 401:
    case 403:
      return "unauthorized";
    case 404:
      return endpoint === null ? "not-found" : "refused";
    case 405:
      return "method-not-allowed";
    case 413:
      return "too-large";
    case 429:
      return "throttled";
    default:
      return status >= 500 ? "failed" : "refused";
  }
}

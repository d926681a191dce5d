/**
 * The header `traceparent` of W3C Trace Context, Level 1 (https://www.w3.org/TR/trace-context-1/): how the trace of a purchase goes on in a
 * call to somebody else. The session id of a purchase is its trace id as it stands. A session id that another caller of the cart has made up
 * need not be one; then there is no header, because a trace that nobody finds by its id helps nobody.
 */

/** 32 lower-case hex digits, not all of them zero. */
const TRACE_ID = /^(?!0{32})[0-9a-f]{32}$/;
const SPAN_ID_DIGITS = 16;
/** The version, the trace id, the parent's id, the flags, and what a later version may have behind them. */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-((?!0{32})[0-9a-f]{32})-((?!0{16})[0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const SAMPLED_FLAG = 1;

export interface TraceParent {
  readonly traceId: string;
  /** The caller's span: 16 lower-case hex digits, not all of them zero. */
  readonly parentId: string;
  /** Whether the caller has recorded its part of the trace. */
  readonly isSampled: boolean;
}

/** What the header says; `null` when it is malformed, and is to be ignored then, as the specification asks. A version above ours is read as far as
 *  ours goes. */
export function parseTraceparent(header: string): TraceParent | null {
  const [, version, traceId, parentId, flags, more] = TRACEPARENT.exec(header) ?? [];
  if (traceId === undefined || parentId === undefined || flags === undefined) return null;
  // Version 00 ends with its flags.
  if (version === "00" && more !== undefined) return null;
  return { traceId, parentId, isSampled: (Number.parseInt(flags, 16) & SAMPLED_FLAG) === SAMPLED_FLAG };
}

export const formatTraceparent = ({ traceId, parentId, isSampled }: TraceParent): string =>
  `00-${traceId}-${parentId}-${isSampled ? "01" : "00"}`;

export const isTraceId = (sessionId: string): boolean => TRACE_ID.test(sessionId);

/** The span of a whole purchase, made of its trace id: every process names it in the same way, and none has to be told. */
export function purchaseSpanId(traceId: string): string {
  const id = traceId.slice(-SPAN_ID_DIGITS);
  return /^0+$/.test(id) ? id.replace(/.$/, "1") : id;
}

/** The header of a call that is made for one purchase; `null` when its session id is no trace id.
 *  @param isSampled what `isSampled` says of the trace id */
export function traceparentOf(sessionId: string, isSampled: boolean): string | null {
  if (!isTraceId(sessionId)) return null;
  return formatTraceparent({ traceId: sessionId, parentId: purchaseSpanId(sessionId), isSampled });
}

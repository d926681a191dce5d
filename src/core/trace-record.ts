/** A finished trace as plain data: what was done, when, and how it ended. */

/** Microseconds since 1970-01-01 UTC. */
export type UnixUs = number;

export interface SpanRecord {
  readonly name: string;
  readonly beganAt: UnixUs;
  readonly endedAt: UnixUs;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** Whether we could not answer. A refusal is an answer. */
  readonly isFailure: boolean;
}

export interface TraceRecord extends SpanRecord {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** Of the whole; the parts get theirs when they are sent. */
  readonly spanId: string;
  readonly parts: readonly SpanRecord[];
}

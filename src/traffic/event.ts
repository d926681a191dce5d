/**
 * What the analysis knows of one request at a gate. A purchase's access record is one (`services/gate-keeper/access-record.ts`); whatever else
 * was asked of a gate and was refused, or has changed something, has a record of the other shape (`request-record.ts` beside it).
 */
import Type, { type Static } from "typebox";
import { Compile } from "typebox/compile";
import { parseIsoTime } from "../core/iso-time.ts";
import type { UnixMs } from "../core/time.ts";

export interface EventStep {
  readonly step: string;
  readonly outcome: string;
  readonly us: number;
}

export interface TrafficEvent {
  readonly at: UnixMs;
  readonly instance: string;
  readonly traceId: string | null;
  readonly clientIp: string;
  readonly userId: string | null;
  readonly sku: string | null;
  readonly quantity: number;
  /** Empty where the request was no purchase. */
  readonly steps: readonly EventStep[];
  readonly reason: string | null;
  readonly totalUs: number;
  /** Method and declared path; `null`: a purchase. */
  readonly request: string | null;
  readonly status: number | null;
}

const orNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) => Type.Union([schema, Type.Null()]);
const common = {
  time: Type.String(),
  instance: Type.String(),
  clientIP: Type.String(),
  reason: orNull(Type.String()),
  totalUs: Type.Number(),
};
const PurchaseRecord = Type.Object({
  ...common,
  traceId: Type.String(),
  userID: Type.String(),
  goodsSKU: Type.String(),
  goodsQuantity: Type.Number(),
  steps: Type.Array(Type.Object({ step: Type.String(), outcome: Type.String(), us: Type.Number() })),
});
const RequestRecord = Type.Object({
  ...common,
  traceId: orNull(Type.String()),
  userID: orNull(Type.String()),
  goodsSKU: orNull(Type.String()),
  request: Type.String(),
  status: Type.Integer(),
});

/** Reads records as they are meant to be, one at a time and slowly. `RecordReader` is the fast way to the same. */
export class RecordCheck {
  readonly #purchase = Compile(PurchaseRecord);
  readonly #request = Compile(RequestRecord);

  /** `null`: the line is no record. */
  eventOf(line: string): TrafficEvent | null {
    const value = jsonOf(line);
    if (this.#purchase.Check(value)) return ofPurchase(value);
    return this.#request.Check(value) ? ofRequest(value) : null;
  }
}

function ofPurchase(record: Static<typeof PurchaseRecord>): TrafficEvent | null {
  const { time, instance, traceId, clientIP, userID, goodsSKU, goodsQuantity, steps, reason, totalUs } = record;
  const at = parseIsoTime(time);
  if (at === null) return null;
  const who = { at, instance, traceId, clientIp: clientIP, userId: userID, sku: goodsSKU };
  return { ...who, quantity: goodsQuantity, steps, reason, totalUs, request: null, status: null };
}

function ofRequest(record: Static<typeof RequestRecord>): TrafficEvent | null {
  const { time, instance, traceId, clientIP, userID, goodsSKU, reason, totalUs, request, status } = record;
  const at = parseIsoTime(time);
  if (at === null) return null;
  const who = { at, instance, traceId, clientIp: clientIP, userId: userID, sku: goodsSKU };
  return { ...who, quantity: 0, steps: [], reason, totalUs, request, status };
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

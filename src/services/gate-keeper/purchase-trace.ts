/**
 * The trace of one purchase: the whole from the body's arrival to the reply, and each step that it went through. A step takes as long for
 * every purchase of its turn, and so its span is that of the turn.
 *
 * There is no user and no address in it, not even hashed: traces go to other people's machines, and a hash of an address or of a short user
 * id is undone by trying them all. Whoever may know finds both in the access record of the trace id.
 */
import { isFailure, type Step } from "../../core/reason.ts";
import type { MonotonicUs } from "../../core/time.ts";
import type { SpanRecord, TraceRecord } from "../../core/trace-record.ts";
import { purchaseSpanId } from "../../core/traceparent.ts";
import type { Course, Outcome, Purchase } from "../../purchase.ts";
import { finalReason } from "./access-record.ts";

/** Hears of every purchase as it ends, with the time at which it came. */
export type PurchaseTracer = (purchase: Purchase, outcome: Outcome, course: Course, receivedUs: MonotonicUs) => void;

/** @param epochUs what to add to a reading of the monotonic clock to have microseconds since 1970 */
export function purchaseTrace(
  purchase: Pick<Purchase, "sessionId" | "sku" | "quantity">,
  outcome: Outcome,
  course: Course,
  receivedUs: MonotonicUs,
  epochUs: number,
): TraceRecord {
  const reason = finalReason(outcome);
  const parts = spansOf(outcome, course, epochUs);
  return {
    traceId: purchase.sessionId,
    spanId: purchaseSpanId(purchase.sessionId),
    name: "POST /buy",
    beganAt: epochUs + receivedUs,
    // A purchase that was turned away before its turn has no course, and took no time.
    endedAt: epochUs + Math.max(receivedUs, course.atUs),
    attributes: {
      "http.request.method": "POST",
      "http.route": "/buy",
      "doorbuster.sku": purchase.sku,
      "doorbuster.quantity": purchase.quantity,
      "doorbuster.outcome": outcome.kind,
      ...(outcome.kind === "refused" ? { "doorbuster.step": outcome.step } : {}),
      ...(reason === null ? {} : { "doorbuster.reason": reason }),
    },
    isFailure: isFailureEnd(outcome),
    parts,
  };
}

/** The others of the turn may have gone further, and the course with them: this one ended at the step that its outcome names. */
function spansOf(outcome: Outcome, { steps, beganUs, stepUs }: Course, epochUs: number): SpanRecord[] {
  const refusedAt = outcome.kind === "refused" ? steps.indexOf(outcome.step) : -1;
  const passed = outcome.kind === "refused" ? refusedAt + 1 : steps.length;
  return steps.slice(0, passed).map((step: Step, index) => {
    const beganAt = epochUs + (beganUs[index] as number);
    const end = index === refusedAt && outcome.kind === "refused" ? outcome.reason : "allowed";
    return {
      name: step,
      beganAt,
      endedAt: beganAt + (stepUs[index] as number),
      attributes: { "doorbuster.step": step, "doorbuster.outcome": end },
      isFailure: index === refusedAt && isFailureEnd(outcome),
    };
  });
}

const isFailureEnd = (outcome: Outcome): boolean => outcome.kind === "refused" && isFailure(outcome.reason);

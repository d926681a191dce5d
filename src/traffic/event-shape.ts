/** What many events have in common: who wrote them, what was asked, which steps it went through with which outcome, and how it ended. */
import type { EventStep } from "./event.ts";

export interface Shape {
  readonly instance: string;
  /** `null`: a purchase. */
  readonly request: string | null;
  readonly status: number | null;
  readonly reason: string | null;
  /** Only the names and outcomes count. */
  readonly steps: readonly EventStep[];
}

/** What stands for a purchase where a request is named. */
export const PURCHASE = "purchase";

export const shapeOf = ({ instance, request, status, reason, steps }: Shape): Shape => ({
  instance,
  request,
  status,
  reason,
  steps,
});

/** Whether the event is seen at a glance to have this shape; it may have it all the same. */
export function isSameShape(shape: Shape, event: Shape): boolean {
  return (
    shape.steps === event.steps &&
    shape.reason === event.reason &&
    shape.instance === event.instance &&
    shape.request === event.request &&
    shape.status === event.status
  );
}

export const shapeKey = ({ instance, request, status, reason, steps }: Shape): string =>
  JSON.stringify([instance, request, status, reason, ...steps.map(({ step, outcome }) => [step, outcome])]);

/** As it stands in a row; what is not there is empty. */
export interface ShapeRow {
  readonly instance: string;
  readonly kind: string;
  readonly status: number;
  readonly reason: string;
  readonly steps: string;
  readonly outcomes: string;
}

export const shapeRow = ({ instance, request, status, reason, steps }: Shape): ShapeRow => ({
  instance,
  kind: request ?? PURCHASE,
  status: status ?? 0,
  reason: reason ?? "",
  steps: steps.map(({ step }) => step).join("\n"),
  outcomes: steps.map(({ outcome }) => outcome).join("\n"),
});

/** @param us the times of the steps, as far as they are kept */
export function shapeOfRow(row: ShapeRow, us: readonly number[] = []): Shape {
  const outcomes = row.outcomes.split("\n");
  const steps = row.steps === "" ? [] : row.steps.split("\n");
  return {
    instance: row.instance,
    request: row.kind === PURCHASE ? null : row.kind,
    status: row.status === 0 ? null : row.status,
    reason: row.reason === "" ? null : row.reason,
    steps: steps.map((step, index) => ({ step, outcome: outcomes[index] ?? "", us: us[index] ?? 0 })),
  };
}

/** A purchase that froze goods just now. The reply to a repeated key has no reason either, but does not come to the cart. */
export const isHeld = ({ request, reason, steps }: Shape): boolean => request === null && reason === null && steps.at(-1)?.step === "cart";

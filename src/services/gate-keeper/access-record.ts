/**
 * The access-log record of one purchase, as one line of JSON: time, trace id, address, user, SKU, quantity, each step with its outcome and
 * microseconds, the final reason, and the whole time. A turn's steps take as long for every purchase in it, so their text is made once.
 */
import { jsonText } from "../../core/json-text.ts";
import type { Course, Outcome, Purchase } from "../../purchase.ts";

export class AccessRecords {
  #course: Course | null = null;
  #stepsText = "";
  #stepsCount = 0;

  line(time: string, purchase: Purchase, outcome: Outcome, course: Course, totalUs: number): string {
    const reason = finalReason(outcome);
    const { sessionId, clientIp, userId, sku, quantity } = purchase;
    // Trace ids and addresses need no escaping: they are made of digits, letters, dots and colons.
    return (
      `{"time":"${time}","traceId":"${sessionId}","clientIP":"${clientIp}","userID":${jsonText(userId)},"goodsSKU":${jsonText(sku)},` +
      `"goodsQuantity":${quantity},"steps":[${this.#steps(outcome, course)}],"reason":${reason === null ? "null" : `"${reason}"`},` +
      `"totalUs":${Math.round(totalUs)}}\n`
    );
  }

  #steps(outcome: Outcome, course: Course): string {
    const passed = this.#passed(course);
    const last = course.steps.length - 1;
    const isAtStep = last >= 0 && outcome.kind !== "repeated" && outcome.kind !== "key-reused";
    if (!isAtStep) return passed + (last < 0 ? "" : stepText(course, last, "allowed"));
    // A purchase that is settled after its step, because its refusal had to be made durable, ended at the step that its outcome names.
    const ended = outcome.kind === "refused" ? course.steps.indexOf(outcome.step) : last;
    if (ended === last) return passed + stepText(course, last, outcome.kind === "held" ? "allowed" : outcome.reason);
    return course.steps
      .slice(0, ended + 1)
      .map((_, index) => stepText(course, index, index < ended ? "allowed" : (finalReason(outcome) as string)))
      .join("");
  }

  /** All steps of the course but the last, each passed. */
  #passed(course: Course): string {
    if (this.#course !== course) {
      this.#course = course;
      this.#stepsText = "";
      this.#stepsCount = 0;
    }
    for (; this.#stepsCount < course.steps.length - 1; this.#stepsCount += 1)
      this.#stepsText += stepText(course, this.#stepsCount, "allowed");
    return this.#stepsText;
  }
}

const stepText = (course: Course, index: number, outcome: string): string =>
  `${index === 0 ? "" : ","}{"step":"${course.steps[index]}","outcome":"${outcome}","us":${Math.round(course.stepUs[index] as number)}}`;

function finalReason(outcome: Outcome): string | null {
  if (outcome.kind === "held") return null;
  if (outcome.kind === "refused") return outcome.reason;
  return outcome.kind === "key-reused" ? "key-reused" : outcome.reply.reason;
}

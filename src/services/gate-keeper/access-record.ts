/**
 * The access-log record of one purchase, as one line of JSON: time, instance, trace id, address, user, SKU, quantity, each step with its outcome and
 * microseconds, the final reason, and the whole time. A turn's steps take as long for every purchase in it, so their text is made once.
 */
import { jsonText } from "../../core/json-text.ts";
import type { Course, Outcome, Purchase } from "../../purchase.ts";

export class AccessRecords {
  readonly #instance: string;
  #time = "";
  #head = "";
  #course: Course | null = null;
  #stepsText = "";
  #stepsCount = 0;
  #last: { readonly course: Course; readonly steps: number; readonly outcome: Outcome; readonly text: string } | null = null;

  /** @param instance the gate that writes them */
  constructor(instance: string) {
    this.#instance = jsonText(instance);
  }

  /** Text that many records share is joined once: a string put together with `+` is copied piece by piece whenever it becomes a part of another. */
  line(time: string, purchase: Purchase, outcome: Outcome, course: Course, totalUs: number): string {
    if (time !== this.#time) {
      this.#time = time;
      this.#head = ['{"time":"', time, '","instance":', this.#instance, ',"traceId":"'].join("");
    }
    const { sessionId, clientIp, userId, sku, quantity } = purchase;
    // Trace ids and addresses need no escaping: they are made of digits, letters, dots and colons.
    return (
      `${this.#head}${sessionId}","clientIP":"${clientIp}","userID":${jsonText(userId)},"goodsSKU":${jsonText(sku)},` +
      `"goodsQuantity":${quantity}${this.#ending(outcome, course)}${Math.round(totalUs)}}\n`
    );
  }

  /** The steps and the reason, the same for all who leave a turn together. */
  #ending(outcome: Outcome, course: Course): string {
    const last = this.#last;
    if (last?.course === course && last.steps === course.steps.length && isSameEnd(last.outcome, outcome)) return last.text;
    const reason = finalReason(outcome);
    const text = [',"steps":[', this.#steps(outcome, course), '],"reason":', reason === null ? "null" : `"${reason}"`, ',"totalUs":'].join(
      "",
    );
    this.#last = { course, steps: course.steps.length, outcome, text };
    return text;
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

/** Whether two who leave at one moment of a course have the same steps and reason to show. */
function isSameEnd(one: Outcome, other: Outcome): boolean {
  if (one.kind === "refused" && other.kind === "refused") return one.step === other.step && one.reason === other.reason;
  return one.kind === "held" && other.kind === "held";
}

export function finalReason(outcome: Outcome): string | null {
  if (outcome.kind === "held") return null;
  if (outcome.kind === "refused") return outcome.reason;
  return outcome.kind === "key-reused" ? "key-reused" : outcome.reply.reason;
}

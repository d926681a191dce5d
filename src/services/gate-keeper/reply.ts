/** From the outcome of a purchase to the reply the contract describes. */
import type { HttpReply } from "../../core/endpoint.ts";
import type { SessionId, Sku } from "../../core/ids.ts";
import { jsonText } from "../../core/json-text.ts";
import { problem } from "../../core/problem.ts";
import { isFailure, type Reason, STEPS, type Step } from "../../core/reason.ts";
import type { DurationMs, UnixMs } from "../../core/time.ts";
import type { KeptPurchase } from "../../ledger/ledger.ts";
import type { Outcome } from "../../purchase.ts";
import { addedText, LANGUAGES, type Language, refusalText, successText } from "./messages.ts";

export class PurchaseReplies {
  /** Everything of a reply that does not differ between two purchases, as JSON text made once. */
  readonly #refusalHeads: Readonly<Record<Language, Readonly<Record<Step, Map<Reason, string>>>>> = {
    en: headsByStep(),
    zh: headsByStep(),
  };
  readonly #successHeads: Readonly<Record<Language, string>>;
  readonly #retryAfterSeconds: () => number;

  constructor(frozenForMs: DurationMs, retryAfterSeconds: () => number) {
    this.#retryAfterSeconds = retryAfterSeconds;
    const [en, zh] = LANGUAGES.map((language) => successHead(successText(frozenForMs, language))) as [string, string];
    this.#successHeads = { en, zh };
  }

  /** @param asked how many the purchase asked for: who then holds more has added to a hold */
  of(outcome: Outcome, sessionId: SessionId, sku: Sku, asked: number, language: Language): HttpReply {
    switch (outcome.kind) {
      case "held": {
        const head = outcome.quantity === asked ? this.#successHeads[language] : successHead(addedText(outcome.heldUntil, language));
        return this.#success(head, sessionId, sku, outcome.quantity, outcome.heldUntil);
      }
      case "refused":
        return this.#refusal(outcome.step, outcome.reason, sessionId, language);
      case "repeated":
        return this.#again(outcome.reply, asked, language);
      case "key-reused":
        return problem(422, "this Idempotency-Key was used for another purchase; use a new key for a new purchase", {
          errors: [{ pointer: "#/header/Idempotency-Key", detail: "was used with another body" }],
        });
    }
  }

  #again(kept: KeptPurchase, asked: number, language: Language): HttpReply {
    if (kept.reason !== null) return this.#refusal(kept.step, kept.reason as Reason, kept.sessionId, language);
    const text = kept.quantity === asked ? successText(kept.frozenForMs, language) : addedText(kept.heldUntil, language);
    return this.#success(successHead(text), kept.sessionId, kept.sku, kept.quantity, kept.heldUntil);
  }

  #success(head: string, sessionId: SessionId, sku: Sku, quantity: number, heldUntil: UnixMs): HttpReply {
    // Concatenation: about a third of the time of JSON.stringify here, on the hot path. Session ids of the gate are hexadecimal digits.
    const body = `${head}"sessionID":"${sessionId}","step":"cart","reason":null,"hold":{"goodsSKU":${jsonText(sku)},"goodsQuantity":${quantity},"expiresAt":${heldUntil}}}`;
    return { status: 200, body };
  }

  #refusal(step: Step, reason: Reason, sessionId: SessionId, language: Language): HttpReply {
    const body = `${this.#refusalHead(step, reason, language)}"sessionID":"${sessionId}"}`;
    if (reason === "throttled") return { status: 429, body, headers: { "retry-after": String(this.#retryAfterSeconds()) } };
    if (isFailure(reason)) return { status: 503, body, headers: { "retry-after": "1" } };
    return { status: 200, body };
  }

  #refusalHead(step: Step, reason: Reason, language: Language): string {
    const heads = this.#refusalHeads[language][step];
    const known = heads.get(reason);
    if (known !== undefined) return known;
    const message = JSON.stringify(refusalText(reason, language));
    const head = `{"reponseMsg":${message},"repResult":false,"isThrottled":${reason === "throttled"},"version":"1.0","step":"${step}","reason":"${reason}",`;
    heads.set(reason, head);
    return head;
  }
}

const headsByStep = () => Object.fromEntries(STEPS.map((step) => [step, new Map<Reason, string>()])) as Record<Step, Map<Reason, string>>;

function successHead(text: string): string {
  return `{"reponseMsg":${JSON.stringify(text)},"repResult":true,"isThrottled":false,"version":"1.0",`;
}

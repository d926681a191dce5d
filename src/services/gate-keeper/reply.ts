/** From the outcome of a purchase to the reply the contract describes. */
import type { HttpReply } from "../../core/endpoint.ts";
import { keyReused } from "../../core/idempotency-key.ts";
import type { SessionId, Sku } from "../../core/ids.ts";
import { jsonText } from "../../core/json-text.ts";
import type { Language } from "../../core/language.ts";
import { isFailure, type Reason, STEPS, type Step } from "../../core/reason.ts";
import type { DurationMs, UnixMs } from "../../core/time.ts";
import type { KeptPurchase } from "../../ledger/ledger.ts";
import { SUCCESS_TEXTS_MAX } from "../../limits.ts";
import type { Outcome } from "../../purchase.ts";
import type { SaleTerms } from "../../sales/sale.ts";
import { addedText, refusalText, successText } from "./messages.ts";

/** What a reply says of its purchase. */
export interface Asked {
  readonly sessionId: SessionId;
  readonly sku: Sku;
  readonly quantity: number;
  readonly language: Language;
  readonly sale: Pick<SaleTerms, "opensAt" | "frozenForMs"> | null;
}

const RETRY_IN_A_SECOND = { "retry-after": "1" };

export class PurchaseReplies {
  /** Everything of a reply that does not differ between two purchases, as JSON text made once. */
  readonly #refusalHeads: Readonly<Record<Language, Readonly<Record<Step, Map<Reason, string>>>>> = {
    en: headsByStep(),
    zh: headsByStep(),
  };
  /** By how long the goods stay frozen: sales may have their own time. */
  readonly #successHeads: Readonly<Record<Language, Map<DurationMs, string>>> = { en: new Map(), zh: new Map() };
  readonly #frozenForMs: DurationMs;
  readonly #retryAfterSeconds: () => number;
  /** One object as long as the seconds stay the same: the edge knows it again. */
  #retryAfter = RETRY_IN_A_SECOND;

  constructor(frozenForMs: DurationMs, retryAfterSeconds: () => number) {
    this.#retryAfterSeconds = retryAfterSeconds;
    this.#frozenForMs = frozenForMs;
  }

  of(outcome: Outcome, asked: Asked): HttpReply {
    const { sessionId, sku, quantity, language, sale } = asked;
    switch (outcome.kind) {
      case "held": {
        const frozenForMs = sale?.frozenForMs ?? this.#frozenForMs;
        // Who then holds more than was asked for has added to a hold.
        const isNew = outcome.quantity === quantity;
        const head = isNew ? this.#successHead(frozenForMs, language) : successHead(addedText(outcome.heldUntil, language));
        return this.#success(head, sessionId, sku, outcome.quantity, outcome.heldUntil);
      }
      case "refused":
        return this.#refusal(outcome.step, outcome.reason, sessionId, language, sale);
      case "repeated":
        return this.#again(outcome.reply, quantity, language);
      case "key-reused":
        return keyReused();
    }
  }

  #again(kept: KeptPurchase, asked: number, language: Language): HttpReply {
    if (kept.reason !== null) return this.#refusal(kept.step, kept.reason as Reason, kept.sessionId, language, null);
    const text = kept.quantity === asked ? successText(kept.frozenForMs, language) : addedText(kept.heldUntil, language);
    return this.#success(successHead(text), kept.sessionId, kept.sku, kept.quantity, kept.heldUntil);
  }

  #success(head: string, sessionId: SessionId, sku: Sku, quantity: number, heldUntil: UnixMs): HttpReply {
    // Concatenation: about a third of the time of JSON.stringify here, on the hot path. Session ids of the gate are hexadecimal digits.
    const body = `${head}"sessionID":"${sessionId}","step":"cart","reason":null,"hold":{"goodsSKU":${jsonText(sku)},"goodsQuantity":${quantity},"expiresAt":${heldUntil}}}`;
    return { status: 200, body };
  }

  #refusal(step: Step, reason: Reason, sessionId: SessionId, language: Language, sale: Asked["sale"]): HttpReply {
    const opensAt = reason === "not-started" && sale ? `,"opensAt":${sale.opensAt}` : "";
    const body = `${this.#refusalHead(step, reason, language)}"sessionID":"${sessionId}"${opensAt}}`;
    if (reason === "throttled") return { status: 429, body, headers: this.#retryAfterHeaders() };
    if (isFailure(reason)) return { status: 503, body, headers: RETRY_IN_A_SECOND };
    return { status: 200, body };
  }

  #successHead(frozenForMs: DurationMs, language: Language): string {
    const heads = this.#successHeads[language];
    const known = heads.get(frozenForMs);
    if (known !== undefined) return known;
    if (heads.size >= SUCCESS_TEXTS_MAX) heads.clear();
    const head = successHead(successText(frozenForMs, language));
    heads.set(frozenForMs, head);
    return head;
  }

  #retryAfterHeaders(): { readonly "retry-after": string } {
    const seconds = String(this.#retryAfterSeconds());
    if (seconds !== this.#retryAfter["retry-after"]) this.#retryAfter = { "retry-after": seconds };
    return this.#retryAfter;
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

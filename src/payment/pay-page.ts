/** The HTML of the demo's pay page: made whole on the server, usable with a keyboard, on a phone and without scripts. */
import { createHash } from "node:crypto";
import type { HttpReply } from "../core/endpoint.ts";
import type { OrderId } from "../core/ids.ts";
import type { Language } from "../core/language.ts";
import { type Cents, priceOf } from "../core/money.ts";
import type { DurationMs } from "../core/time.ts";
import type { PayChoice } from "./api.ts";
import { PAY_PAGE_TEXTS, type PayPageTexts } from "./pay-page-texts.ts";
import type { OwedOrder } from "./settlement.ts";

export interface PayPage {
  readonly language: Language;
  readonly orderId: OrderId;
  readonly order: PayableOrder;
  readonly amountCents: Cents;
  readonly currency: string;
  readonly leftMs: DurationMs;
  readonly wasDeclined: boolean;
  /** Where a choice is sent. */
  readonly actionOf: (choice: PayChoice) => string;
}

export interface PayableOrder extends OwedOrder {
  readonly items: readonly { readonly sku: string; readonly quantity: number; readonly priceCents: Cents }[];
}

const STYLE = `
:root { color-scheme: light dark; font: 1.0625rem/1.5 system-ui, sans-serif; }
body { margin: 0 auto; padding: 1.5rem 1rem; max-width: 28rem; }
h1 { font-size: 1.5rem; margin: 0; }
table { width: 100%; border-collapse: collapse; margin: 1rem 0; }
th, td { text-align: left; padding: .4rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); overflow-wrap: anywhere; }
tr > * + * { text-align: right; padding-left: .75rem; white-space: nowrap; }
tfoot th, tfoot td { font-weight: 700; border-bottom: 0; }
.note { opacity: .75; margin: 0; }
a { color: inherit; }
[role=status] { border-left: .25rem solid #1a7f5a; padding: .25rem .75rem; }
button { font: inherit; width: 100%; min-height: 3rem; margin-top: .75rem; border: 1px solid currentColor; border-radius: .5rem; background: none; color: inherit; }
button:first-of-type { background: #1a7f5a; border-color: #1a7f5a; color: #fff; font-weight: 700; }
button:focus-visible { outline: .2rem solid #e08a00; outline-offset: .15rem; }
#left { animation: second 1s infinite; font-variant-numeric: tabular-nums; }
@keyframes second { to { opacity: 1; } }
`;

/** Counts down with the page's own seconds: an animation that changes nothing ends once a second, and its event carries the page's age. When the time is
 *  over, the page loads itself again, and then says so. */
const SCRIPT = `
const left = document.getElementById("left");
left?.addEventListener("animationiteration", ({ timeStamp }) => {
  const seconds = Math.max(0, Math.round(left.dataset.seconds - timeStamp / 1000));
  if (timeStamp / 1000 > Number(left.dataset.seconds) + 1) location.reload();
  left.textContent = Math.floor(seconds / 60) + ":" + String(seconds % 60).padStart(2, "0");
});
`;

const hashOf = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Only what stands above runs; the page cannot be framed, and sends its choice only back to where it came from. */
const policy = (): string =>
  `default-src 'none'; style-src ${hashOf(STYLE)}; script-src ${hashOf(SCRIPT)}; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`;

export function payPageReply(page: PayPage): HttpReply {
  const { language, orderId, order, amountCents, currency, leftMs, wasDeclined } = page;
  const texts = PAY_PAGE_TEXTS[language];
  const money = new Intl.NumberFormat(language, { style: "currency", currency });
  const show = (cents: Cents): string => html(money.format(priceOf(cents)));
  const rows = order.items.map(
    ({ sku, quantity, priceCents }) => `<tr><td>${html(sku)}</td><td>${quantity}</td><td>${show(priceCents)}</td></tr>`,
  );
  const isPending = order.state === "payment-pending";
  const left = secondsLeft(leftMs);
  const content = `<p role="status">${wasDeclined && isPending ? texts.declined : texts.states[order.state]}</p>
<table>
<thead><tr><th scope="col">${texts.goods}</th><th scope="col">${texts.quantity}</th><th scope="col">${texts.unitPrice}</th></tr></thead>
<tbody>${rows.join("")}</tbody>
<tfoot><tr><th scope="row" colspan="2">${isPending ? texts.toPay : texts.total}</th><td>${show(amountCents)}</td></tr></tfoot>
</table>
<p class="note">${texts.order} ${html(orderId)}</p>
${isPending ? timeLeft(texts, left) : ""}
${buttons(texts, page)}`;
  // Without scripts too.
  return htmlReply(200, language, content, isPending ? left + 1 : null);
}

/** A page that only says something. */
export function payMessageReply(status: number, language: Language, text: "badLink" | "unknownOrder" | "notTaken"): HttpReply {
  return htmlReply(status, language, `<p role="status">${PAY_PAGE_TEXTS[language][text]}</p>`, null);
}

const secondsLeft = (leftMs: DurationMs): number => Math.max(0, Math.ceil(leftMs / 1_000));

function timeLeft({ timeLeft }: PayPageTexts, seconds: number): string {
  const text = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  return `<p>${timeLeft}: <strong id="left" role="timer" data-seconds="${seconds}">${text}</strong></p>`;
}

function buttons(texts: PayPageTexts, { order, actionOf }: PayPage): string {
  const button = (choice: PayChoice, text: string): string => `<button formaction="${html(actionOf(choice))}">${text}</button>`;
  if (order.state === "expired") return `<form method="post">${button("pay", texts.payLate)}</form>`;
  if (order.state !== "payment-pending") return "";
  const choices = [button("pay", texts.pay), button("decline", texts.decline), button("wrong-amount", texts.payWrong)];
  return `<form method="post">${choices.join("")}</form>`;
}

function htmlReply(status: number, language: Language, content: string, refreshAfterSeconds: number | null): HttpReply {
  const texts = PAY_PAGE_TEXTS[language];
  const { title, demo } = texts;
  const refresh = refreshAfterSeconds === null ? "" : `<noscript><meta http-equiv="refresh" content="${refreshAfterSeconds}"></noscript>`;
  const body = `<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">${refresh}<title>${title}</title><style>${STYLE}</style></head>
<body><main><h1>${title}</h1><p class="note">${demo}</p>
${content}
<p class="note"><a href="../shop">${texts.back}</a></p>
</main><script>${SCRIPT}</script></body></html>
`;
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": policy(),
    // The address carries the signature: it must not travel on, and the page must not be shown from a cache once the order has moved on.
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    vary: "accept-language",
  };
  return { status, body, headers };
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const html = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] as string);

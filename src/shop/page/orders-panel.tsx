/** The shopper's orders, newest first: what became of each, and the way to pay one that waits. */
import { useState } from "preact/hooks";
import { DoorbusterFailure, type Order } from "../../../client/doorbuster.ts";
import { money } from "./money.ts";
import type { Common } from "./sale-card.tsx";
import { spanText } from "./texts.ts";

export function OrdersPanel({ orders, shop, language, texts, now, refresh }: Common & { readonly orders: readonly Order[] }) {
  const [said, setSaid] = useState("");
  const told = async (work: () => Promise<string>): Promise<void> => {
    try {
      setSaid(await work());
    } catch (error) {
      if (!(error instanceof DoorbusterFailure)) throw error;
      setSaid(texts.noAnswer);
    }
    // Also without an answer: it may have happened.
    await refresh();
  };
  const pay = (orderID: string): Promise<void> =>
    told(async () => {
      const answer = await shop.startPayment(orderID);
      if (!answer.ok) return answer.message;
      const { redirectUrl } = answer.value.payment ?? {};
      if (redirectUrl === undefined) return texts.payElsewhere;
      location.assign(redirectUrl);
      return "";
    });
  const cancel = (orderID: string): Promise<void> =>
    told(async () => {
      const answer = await shop.cancelOrder(orderID);
      return answer.ok ? "" : answer.message;
    });

  return (
    <section class="orders" aria-labelledby="orders-title">
      <h2 id="orders-title">{texts.orders}</h2>
      {orders.length === 0 && <p class="note">{texts.ordersNone}</p>}
      <ul class="lines">
        {orders.map(({ orderID, state, items, amount, payUntil }) => (
          <li key={orderID} class={state}>
            <span class="what">{items.map(({ goodsSKU, goodsQuantity }) => `${goodsQuantity} × ${goodsSKU}`).join(", ")}</span>
            <span class="amount">{money(amount, language)}</span>
            <span class="state">{texts.states[state]}</span>
            <span class="note">{texts.order(orderID)}</span>
            {state === "payment-pending" && (
              <span class="row">
                <button type="button" class="main" onClick={() => pay(orderID)}>
                  {texts.pay(money(amount, language))}
                </button>
                <button type="button" onClick={() => cancel(orderID)}>
                  {texts.cancel}
                </button>
                <span class="note" role="timer">
                  {texts.payWithin(spanText(payUntil - now, language))}
                </span>
              </span>
            )}
          </li>
        ))}
      </ul>
      <p class="said refused" role="status">
        {said}
      </p>
    </section>
  );
}

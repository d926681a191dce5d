/** What is kept for the shopper, each with its own countdown, and the way to the order. */
import { useState } from "preact/hooks";
import { type Cart, DoorbusterFailure } from "../../../client/doorbuster.ts";
import { money } from "./money.ts";
import type { Common } from "./sale-card.tsx";
import { spanText } from "./texts.ts";

export function CartPanel({ cart, shop, language, texts, now, refresh }: Common & { readonly cart: Cart | null }) {
  const [isBusy, setIsBusy] = useState(false);
  const [said, setSaid] = useState("");
  const items = (cart?.items ?? []).filter(({ expiresAt }) => expiresAt > now);
  const amount = items.reduce((sum, { goodsPrice, goodsQuantity }) => sum + goodsPrice * goodsQuantity, 0);

  const during = async (work: () => Promise<string>): Promise<void> => {
    setIsBusy(true);
    try {
      setSaid(await work());
    } catch (error) {
      if (!(error instanceof DoorbusterFailure)) throw error;
      setSaid(texts.noAnswer);
    } finally {
      setIsBusy(false);
    }
    // Also without an answer: it may have happened.
    await refresh();
  };
  const release = (sku: string): Promise<void> =>
    during(async () => {
      const answer = await shop.removeFromCart(sku);
      return answer.ok ? "" : answer.message;
    });
  const checkOut = (): Promise<void> =>
    during(async () => {
      const answer = await shop.placeOrder();
      if (!answer.ok) return answer.message;
      const { payment } = answer.value;
      if (payment?.redirectUrl === undefined) return texts.payElsewhere;
      location.assign(payment.redirectUrl);
      return "";
    });

  return (
    <section class="cart" aria-labelledby="cart-title">
      <h2 id="cart-title">{texts.cart}</h2>
      {items.length === 0 ? (
        <p class="note">{texts.cartEmpty}</p>
      ) : (
        <>
          <ul class="lines">
            {items.map(({ goodsSKU, goodsQuantity, goodsPrice, expiresAt }) => (
              <li key={goodsSKU}>
                <span class="what">
                  {goodsQuantity} × {goodsSKU}
                </span>
                <span class="amount">{money(goodsPrice * goodsQuantity, language)}</span>
                <span class="note" role="timer">
                  {texts.keptFor(spanText(expiresAt - now, language))}
                </span>
                <button
                  type="button"
                  class="small"
                  disabled={isBusy}
                  onClick={() => release(goodsSKU)}
                  aria-label={texts.release(goodsSKU)}
                >
                  ×
                </button>
              </li>
            ))}
          </ul>
          <button type="button" class="main" disabled={isBusy} onClick={checkOut}>
            {isBusy ? texts.checkingOut : texts.checkOut(money(amount, language))}
          </button>
        </>
      )}
      <p class="said refused" role="status">
        {said}
      </p>
    </section>
  );
}

/** One sale: its countdown, and its goods with what is left and the button that buys. */
import { useEffect, useState } from "preact/hooks";
import { type Answer, type Cart, type Doorbuster, DoorbusterFailure, type Held, type LiveBoard } from "../../../client/doorbuster.ts";
import { beginBuy, endBuy, pendingBuy } from "./browser/pending-buy.ts";
import { needsSignIn, type Person } from "./browser/shopper.ts";
import { money } from "./money.ts";
import { type Language, spanText, type Texts } from "./texts.ts";

type Sale = LiveBoard["sales"][number];
type Item = Sale["items"][number];

export interface Common {
  readonly shop: Doorbuster;
  readonly language: Language;
  readonly texts: Texts;
  /** By the server's clock. */
  readonly now: number;
  readonly refresh: () => Promise<void>;
}

interface Around extends Common {
  readonly person: Person;
  readonly cart: Cart | null;
}

export function SaleCard({ sale, ...common }: Around & { readonly sale: Sale }) {
  const { texts, now, language, person } = common;
  const [startsAt, endsAt] = [Date.parse(sale.startsAt), Date.parse(sale.endsAt)];
  const phase = now >= endsAt ? "ended" : sale.status === "paused" ? "paused" : now < startsAt ? "scheduled" : "live";
  const titleId = `sale-${sale.id}`;
  return (
    <article class={`sale ${phase}`} aria-labelledby={titleId}>
      <h2 id={titleId}>{sale.name}</h2>
      <p class="countdown" role="timer">
        {phase === "scheduled" && texts.beginsIn(spanText(startsAt - now, language))}
        {phase === "live" && texts.endsIn(spanText(endsAt - now, language))}
        {phase === "paused" && texts.paused}
        {phase === "ended" && texts.ended}
      </p>
      <ul class="goods">
        {sale.items.map((item) => (
          <Goods key={`${person.userID} ${item.goodsSKU}`} item={item} isOpen={phase === "live"} {...common} />
        ))}
      </ul>
    </article>
  );
}

type Said = { readonly kind: "held" | "refused" | "open"; readonly message: string };

function Goods({ item, isOpen, ...around }: Around & { readonly item: Item; readonly isOpen: boolean }) {
  const { person, cart, shop, language, texts, refresh, now } = around;
  const { goodsSKU: sku, availability, salePrice, quantityLimit } = item;
  const [quantity, setQuantity] = useState(1);
  const [isBuying, setIsBuying] = useState(false);
  const [said, setSaid] = useState<Said | null>(null);
  const isNone = availability === 0 || availability === "none";

  const buy = async (): Promise<void> => {
    if (isBuying) return;
    setIsBuying(true);
    const pending = beginBuy(person.userID, sku, quantity);
    try {
      const answer = await shop.buy({ sku, quantity: pending.quantity, idempotencyKey: pending.idempotencyKey });
      endBuy(person.userID, sku);
      setSaid(saidBy(answer));
      if (answer.ok) await refresh();
    } catch (error) {
      if (!(error instanceof DoorbusterFailure)) throw error;
      // Nobody knows whether it has happened; the key is kept, and the next click asks with it.
      setSaid({ kind: "open", message: texts.stillOpen });
    } finally {
      setIsBuying(false);
    }
  };
  // A purchase that was under way when the page was left: its answer is asked for again.
  useEffect(() => void (pendingBuy(person.userID, sku) ? buy() : undefined), []);

  const own = cart?.items.find(({ goodsSKU, expiresAt }) => goodsSKU === sku && expiresAt > now)?.goodsQuantity ?? 0;
  const hasAll = quantityLimit !== undefined && own >= quantityLimit;
  const canBuy = isOpen && !isNone && !hasAll && !needsSignIn();
  const isAsked = said?.kind === "open";
  return (
    <li>
      <h3>{sku}</h3>
      <p class="price">{money(salePrice, language)}</p>
      <p class={`left ${isNone ? "none" : ""}`}>{isOpen && isNone ? texts.soldOut : texts.left(availability)}</p>
      {quantityLimit !== undefined && <p class="note">{texts.limit(quantityLimit)}</p>}
      <div class="row">
        {quantityLimit !== 1 && (
          <label>
            {texts.quantity}
            <input
              type="number"
              inputMode="numeric"
              min={1}
              max={quantityLimit ?? 99}
              value={quantity}
              disabled={isBuying || isAsked}
              onInput={({ currentTarget }) => setQuantity(Math.max(1, Math.trunc(currentTarget.valueAsNumber) || 1))}
            />
          </label>
        )}
        <button type="button" class="main" disabled={isBuying || !(canBuy || isAsked)} aria-describedby={`said-${sku}`} onClick={buy}>
          {label(texts, { isBuying, isAsked, isOpen, hasAll, hasSome: own > 0 })}
          <span class="unseen"> {sku}</span>
        </button>
      </div>
      <p id={`said-${sku}`} class={`said ${said?.kind ?? ""}`} role="status">
        {said?.message}
      </p>
    </li>
  );
}

/** The gate says it in the shopper's language. */
function saidBy(answer: Answer<Held>): Said {
  return answer.ok ? { kind: "held", message: answer.value.reponseMsg } : { kind: "refused", message: answer.message };
}

interface ButtonState {
  readonly isBuying: boolean;
  /** A purchase was sent, and nobody knows what became of it. */
  readonly isAsked: boolean;
  readonly isOpen: boolean;
  /** The cart has as much as the sale allows. */
  readonly hasAll: boolean;
  readonly hasSome: boolean;
}
function label(texts: Texts, { isBuying, isAsked, isOpen, hasAll, hasSome }: ButtonState): string {
  if (isBuying) return texts.buying;
  if (isAsked) return texts.tryAgain;
  if (hasAll) return texts.yours;
  if (!isOpen) return texts.notYet;
  return hasSome ? texts.buyMore : texts.buy;
}

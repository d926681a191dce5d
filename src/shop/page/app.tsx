/** The whole page: what is on sale, the cart, the orders, and who shops. */
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import { type Cart, DoorbusterFailure, type LiveBoard, type Order, type Orders } from "../../../client/doorbuster.ts";
import { IS_TRUSTED, keepLanguage, keepPerson, keptLanguage, keptPerson, needsSignIn, type Person, shopFor } from "./browser/shopper.ts";
import { useLooks, useServerNow } from "./browser/ticking.ts";
import { CartPanel } from "./cart-panel.tsx";
import { OrdersPanel } from "./orders-panel.tsx";
import { SaleCard } from "./sale-card.tsx";
import { LANGUAGES, type Language, TEXTS, type Texts } from "./texts.ts";

export function App() {
  const [language, setLanguage] = useState<Language>(keptLanguage);
  const [person, setPerson] = useState<Person>(keptPerson);
  const [board, setBoard] = useState<LiveBoard | null>(null);
  const [cart, setCart] = useState<Cart | null>(null);
  const [orders, setOrders] = useState<Orders>([]);
  const [trouble, setTrouble] = useState("");
  const texts = TEXTS[language];
  const shop = useMemo(() => shopFor(person, language), [person, language]);

  useEffect(() => {
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    document.title = texts.title;
  }, [language, texts]);
  useEffect(() => {
    const watching = shop.watch(setBoard);
    return () => watching.stop();
  }, [shop]);

  const refresh = useCallback(async () => {
    if (needsSignIn()) return;
    try {
      const [inCart, placed] = await Promise.all([shop.cart(), shop.orders({ limit: 20 })]);
      if (inCart.ok) setCart(inCart.value);
      if (placed.ok) setOrders(placed.value);
      setTrouble(inCart.ok ? "" : inCart.message);
    } catch (error) {
      if (!(error instanceof DoorbusterFailure)) throw error;
      // The client has asked again and again; the shopper is told.
      setTrouble(texts.noAnswer);
    }
  }, [shop, texts]);
  useEffect(() => void refresh(), [refresh]);

  useLooks(
    refresh,
    orders.some(({ state }) => state === "payment-pending"),
  );
  const now = useServerNow(board);

  const choose = (chosen: Language): void => {
    keepLanguage(chosen);
    setLanguage(chosen);
  };
  const become = (chosen: Person): void => {
    keepPerson(chosen);
    setCart(null);
    setOrders([]);
    setPerson(chosen);
  };
  const common = { shop, language, texts, now, refresh };
  return (
    <>
      <header>
        <h1>{texts.title}</h1>
        <p class={`via ${board ? board.via : "none"}`} role="status">
          {texts.via[board?.via ?? "none"]}
        </p>
        <label class="language">
          <span class="unseen">{texts.language}</span>
          <select value={language} onChange={({ currentTarget }) => choose(currentTarget.value as Language)}>
            {Object.entries(LANGUAGES).map(([code, name]) => (
              <option key={code} value={code}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </header>
      <main>
        {needsSignIn() && <p class="note bad">{texts.signIn}</p>}
        {trouble !== "" && (
          <p class="note bad" role="alert">
            {trouble}
          </p>
        )}
        <section class="sales" aria-label={texts.title}>
          {board === null && <p class="note">{texts.loading}</p>}
          {board?.sales.length === 0 && <p class="note">{texts.noSales}</p>}
          {board?.sales.map((sale) => (
            <SaleCard key={sale.id} sale={sale} person={person} cart={cart} {...common} />
          ))}
        </section>
        <CartPanel cart={cart} {...common} />
        <OrdersPanel orders={orders as readonly Order[]} {...common} />
        {IS_TRUSTED && <Who key={person.userID} person={person} texts={texts} onChange={become} />}
      </main>
    </>
  );
}

function Who({ person, texts, onChange }: { person: Person; texts: Texts; onChange: (person: Person) => void }) {
  const [userID, setUserId] = useState(person.userID);
  const [userLevel, setUserLevel] = useState(person.userLevel);
  const submit = (event: Event): void => {
    event.preventDefault();
    onChange({ userID: userID.trim(), userLevel });
  };
  return (
    <details class="who">
      <summary>{texts.who}</summary>
      <p class="note">{texts.whoHint}</p>
      <form onSubmit={submit}>
        <label>
          {texts.name}
          <input required maxLength={128} value={userID} onInput={({ currentTarget }) => setUserId(currentTarget.value)} />
        </label>
        <label>
          {texts.level}
          <input
            type="number"
            required
            min={0}
            max={1_000_000}
            value={userLevel}
            onInput={({ currentTarget }) => setUserLevel(currentTarget.valueAsNumber || 0)}
          />
        </label>
        <button type="submit">{texts.save}</button>
      </form>
    </details>
  );
}

/** What became of the orders of a user, or of one order. */
import { useEffect, useState } from "preact/hooks";
import { Card } from "../../parts/card.tsx";
import { ChangeButton } from "../../parts/change.tsx";
import { Field } from "../../parts/dialog.tsx";
import { useAsk, useFormats, useTell } from "../../surroundings.tsx";
import { wordOf } from "../../texts/texts.ts";

interface OrderAnswer {
  readonly orderID: string;
  readonly userID: string;
  readonly items: readonly { readonly goodsSKU: string; readonly goodsQuantity: number; readonly goodsPrice: number }[];
  readonly amount: number;
  readonly currency: string;
  readonly state: string;
  readonly placedAt: number;
  readonly payUntil: number;
  readonly since: number;
  readonly paidWith: { readonly provider: string; readonly paymentID: string; readonly amount: number; readonly currency: string } | null;
}

/** As order ids are made. */
const ORDER_ID = /^[0-9a-f]{16,64}$/;
const SHOWN = 100;

/** @param asked a user or an order, from the address */
export function OrderSearch({ asked }: { readonly asked: string }) {
  const tell = useTell();
  const ask = useAsk();
  const [found, setFound] = useState<readonly OrderAnswer[] | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const look = async (): Promise<void> => {
    setFault(null);
    const ofUser = await ask<readonly OrderAnswer[]>("GET", `shopping-cart/orders?userID=${encodeURIComponent(asked)}&limit=${SHOWN}`);
    if (ofUser.kind === "refused") setFault(tell("frame.failed", { why: ofUser.detail }));
    if (ofUser.kind !== "answered") return;
    // Only what looks like an order's id is asked for as one.
    const order = ofUser.value.length === 0 && ORDER_ID.test(asked) ? await ask<OrderAnswer>("GET", `shopping-cart/orders/${asked}`) : null;
    setFound(order?.kind === "answered" ? [order.value] : ofUser.value);
  };
  useEffect(() => {
    setFound(null);
    if (asked !== "") void look();
  }, [asked]);
  const search = (event: SubmitEvent): void => {
    event.preventDefault();
    const of = String(new FormData(event.currentTarget as HTMLFormElement).get("of") ?? "").trim();
    location.hash = `#/orders?of=${encodeURIComponent(of)}`;
  };
  return (
    <Card title={tell("orders.find")}>
      <form class="search-bar" onSubmit={search} key={asked}>
        <Field name="of" type="search" label={tell("orders.findBy")} value={asked} />
        <button type="submit" class="primary">
          {tell("orders.search")}
        </button>
      </form>
      <div role="status">
        {fault !== null && <p class="notice">{fault}</p>}
        {found?.length === 0 && <p class="empty">{tell("orders.none")}</p>}
      </div>
      <ul class="sale-list">
        {(found ?? []).map((order) => (
          <li key={order.orderID}>
            <Order order={order} onChanged={() => void look()} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

const COLOURS: Readonly<Record<string, string>> = { paid: "good", "payment-pending": "warm", "refund-due": "bad" };

function Order({ order, onChanged }: { readonly order: OrderAnswer; readonly onChanged: () => void }) {
  const tell = useTell();
  const formats = useFormats();
  const { orderID, state, paidWith } = order;
  const isLate = paidWith !== null && order.since > order.payUntil;
  return (
    <article class="sale" aria-label={orderID}>
      <header>
        <h3 class="code">{orderID}</h3>
        <span class={`pill ${COLOURS[state] ?? ""}`}>{wordOf(tell, "orderState", state)}</span>
        {isLate && <span class="pill bad">{tell("orders.late")}</span>}
        <span class="quiet">{tell("orders.since", { time: formats.dateTime(order.since) })}</span>
      </header>
      <ul class="sale-items">
        {order.items.map(({ goodsSKU, goodsQuantity, goodsPrice }) => (
          <li key={goodsSKU}>
            <b>{goodsSKU}</b> {goodsQuantity} × {formats.money(goodsPrice)}
          </li>
        ))}
        <li>
          <b>
            {formats.money(order.amount)} {order.currency.toUpperCase()}
          </b>
        </li>
      </ul>
      <dl class="fields-list">
        <div>
          <dt>{tell("trace.userID")}</dt>
          <dd>
            <a href={`#/trace?userID=${encodeURIComponent(order.userID)}`}>{order.userID}</a>
          </dd>
        </div>
        <div>
          <dt>{tell("orders.placed")}</dt>
          <dd>{formats.dateTime(order.placedAt)}</dd>
        </div>
        <div>
          <dt>{tell("orders.payUntil")}</dt>
          <dd>{formats.dateTime(order.payUntil)}</dd>
        </div>
      </dl>
      {paidWith !== null && <p class="quiet">{tell("orders.paidWith", { provider: paidWith.provider, payment: paidWith.paymentID })}</p>}
      {state === "payment-pending" && (
        <div class="row-actions">
          <ChangeButton
            {...{ label: tell("orders.cancel"), of: orderID, method: "POST", body: {}, onDone: onChanged }}
            path={`shopping-cart/orders/${orderID}/cancel`}
            done={tell("orders.cancelled", { order: orderID })}
            question={tell("orders.cancelAsk", { order: orderID })}
            isDangerous
          />
        </div>
      )}
    </article>
  );
}

/** All orders, or what became of those of a user, or of one order. */
import { useEffect, useState } from "preact/hooks";
import { Card } from "../../parts/card.tsx";
import { ChangeButton } from "../../parts/change.tsx";
import { Field } from "../../parts/dialog.tsx";
import { useAsk, useFormats, useTell } from "../../surroundings.tsx";
import { type OrderAnswer, OrderStanding } from "./order-answer.tsx";
import { OrderList } from "./order-list.tsx";

/** As order ids are made. */
const ORDER_ID = /^[0-9a-f]{16,64}$/;
const SHOWN = 100;

interface OrderSearchProps {
  /** A user or an order; empty: nobody is looked for, and all orders are shown. */
  readonly asked: string;
  /** Which of all. */
  readonly shown: string | null;
}

export function OrderSearch({ asked, shown }: OrderSearchProps) {
  const tell = useTell();
  const search = (event: SubmitEvent): void => {
    event.preventDefault();
    const of = String(new FormData(event.currentTarget as HTMLFormElement).get("of") ?? "").trim();
    location.hash = `#/orders?of=${encodeURIComponent(of)}`;
  };
  return (
    <Card title={asked === "" ? tell("orders.all") : tell("orders.found", { of: asked })}>
      <form class="search-bar" onSubmit={search} key={asked}>
        <Field name="of" type="search" label={tell("orders.findBy")} value={asked} />
        <button type="submit" class="primary">
          {tell("orders.search")}
        </button>
      </form>
      {asked === "" ? <OrderList asked={shown} /> : <Found of={asked} />}
    </Card>
  );
}

function Found({ of }: { readonly of: string }) {
  const tell = useTell();
  const ask = useAsk();
  const [found, setFound] = useState<readonly OrderAnswer[] | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const look = async (): Promise<void> => {
    setFault(null);
    const ofUser = await ask<readonly OrderAnswer[]>("GET", `shopping-cart/orders?userID=${encodeURIComponent(of)}&limit=${SHOWN}`);
    if (ofUser.kind === "refused") setFault(tell("frame.failed", { why: ofUser.detail }));
    if (ofUser.kind !== "answered") return;
    // Only what looks like an order's id is asked for as one.
    const order = ofUser.value.length === 0 && ORDER_ID.test(of) ? await ask<OrderAnswer>("GET", `shopping-cart/orders/${of}`) : null;
    setFound(order?.kind === "answered" ? [order.value] : ofUser.value);
  };
  useEffect(() => {
    setFound(null);
    void look();
  }, [of]);
  return (
    <div class="order-list">
      <p>
        <a href="#/orders">{tell("orders.all")}</a>
      </p>
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
    </div>
  );
}

function Order({ order, onChanged }: { readonly order: OrderAnswer; readonly onChanged: () => void }) {
  const tell = useTell();
  const formats = useFormats();
  const { orderID, state, paidWith } = order;
  return (
    <article class="sale" aria-label={orderID}>
      <header>
        <h3 class="code">{orderID}</h3>
        <OrderStanding order={order} />
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

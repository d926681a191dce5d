/** Everybody's orders, the newest first, of one state if asked for, a page at a time. */
import { useRef, useState } from "preact/hooks";
import { Choice } from "../../parts/choice.tsx";
import { useFormats, useRead, useTell } from "../../surroundings.tsx";
import { ORDER_STATES, type OrderAnswer, OrderStanding } from "./order-answer.tsx";

const SHOWN = ["all", ...ORDER_STATES, "late"] as const;
type Shown = (typeof SHOWN)[number];

const PAGE_ROWS = 50;
const READ_AGAIN_MS = 5_000;
const DAY_MS = 24 * 3_600_000;

/** @param asked what the address says is shown; whatever else it says is all */
export function OrderList({ asked }: { readonly asked: string | null }) {
  const tell = useTell();
  const shown = SHOWN.find((one) => one === asked) ?? "all";
  const nameOf = (one: Shown): string =>
    one === "all" ? tell("orders.anyState") : one === "late" ? tell("orders.paidLate") : tell(`orderState.${one}`);
  return (
    <div class="order-list">
      <Choice
        legend={tell("orders.show")}
        options={SHOWN.map((value) => ({ value, label: nameOf(value) }))}
        value={shown}
        onChoose={(one) => {
          location.hash = one === "all" ? "#/orders" : `#/orders?show=${one}`;
        }}
      />
      <Page key={shown} shown={shown} />
    </div>
  );
}

function Page({ shown }: { readonly shown: Shown }) {
  const tell = useTell();
  const formats = useFormats();
  const summary = useRef<HTMLParagraphElement>(null);
  const [after, setAfter] = useState<string | null>(null);
  const query = new URLSearchParams({ limit: String(PAGE_ROWS) });
  if (shown === "late") query.set("paidLate", "true");
  else if (shown !== "all") query.set("state", shown);
  if (after !== null) query.set("after", after);
  // To look for the few of one kind can mean to pass many others: that is done when it is asked for.
  const isWatched = shown === "all" && after === null;
  const path = `shopping-cart/orders?${query}`;
  const { value: orders, next, refusal } = useRead<readonly OrderAnswer[]>(path, isWatched ? READ_AGAIN_MS : null);
  const turnTo = (page: string | null): void => {
    setAfter(page);
    // The button may be gone on that page; and who does not see it hears what is there.
    summary.current?.focus();
  };
  const [first, last] = [orders?.[0], orders?.at(-1)];
  const none = next !== null ? tell("orders.noneHere") : shown === "all" ? tell("orders.noneYet") : tell("orders.noneInState");
  return (
    <>
      {refusal !== null && <p class="notice">{tell("frame.failed", { why: refusal.detail })}</p>}
      {/* Nobody wants to hear every few seconds how far the newest ones reach. */}
      <p class="quiet" role={isWatched ? undefined : "status"} tabIndex={-1} ref={summary}>
        {orders?.length === 0 && none}
        {first &&
          last &&
          tell("orders.shown", {
            count: orders?.length ?? 0,
            from: formats.dateTime(last.placedAt),
            to: formats.dateTime(first.placedAt),
          })}
      </p>
      {orders !== null && orders.length > 0 && (
        <table class="stacking">
          <thead>
            <tr>
              <th scope="col">{tell("orders.order")}</th>
              <th scope="col">{tell("orders.state")}</th>
              <th scope="col">{tell("orders.user")}</th>
              <th scope="col">{tell("orders.items")}</th>
              <th scope="col" class="number">
                {tell("orders.amount")}
              </th>
              <th scope="col">{tell("orders.placed")}</th>
            </tr>
          </thead>
          <tbody>
            {orders.map((order) => (
              <Row key={order.orderID} order={order} />
            ))}
          </tbody>
        </table>
      )}
      <div class="row-actions">
        {after !== null && (
          <button type="button" onClick={() => turnTo(null)}>
            {tell("orders.newest")}
          </button>
        )}
        {next !== null && (
          <button type="button" onClick={() => turnTo(next)}>
            {tell("orders.older")}
          </button>
        )}
      </div>
    </>
  );
}

function Row({ order }: { readonly order: OrderAnswer }) {
  const tell = useTell();
  const formats = useFormats();
  const { orderID, userID, items, amount, currency, placedAt, since } = order;
  return (
    <tr>
      <th scope="row">
        <a class="code" href={`#/orders?of=${encodeURIComponent(orderID)}`}>
          {orderID}
        </a>
      </th>
      <td data-name={tell("orders.state")}>
        <div>
          <OrderStanding order={order} />
          {since !== placedAt && (
            <p class="quiet one-line">
              {tell("orders.since", { time: since - placedAt < DAY_MS ? formats.time(since) : formats.dateTime(since) })}
            </p>
          )}
        </div>
      </td>
      <td data-name={tell("orders.user")}>
        <a href={`#/trace?userID=${encodeURIComponent(userID)}`}>{userID}</a>
      </td>
      <td data-name={tell("orders.items")}>
        <ul>
          {items.map(({ goodsSKU, goodsQuantity }) => (
            <li key={goodsSKU}>
              {goodsQuantity} × {goodsSKU}
            </li>
          ))}
        </ul>
      </td>
      <td class="number" data-name={tell("orders.amount")}>
        {formats.money(amount)} {currency.toUpperCase()}
      </td>
      <td data-name={tell("orders.placed")}>{formats.dateTime(placedAt)}</td>
    </tr>
  );
}

/** An order as its service tells it, and the word for where it stands. */
import { useTell } from "../../surroundings.tsx";
import { wordOf } from "../../texts/texts.ts";

export const ORDER_STATES = ["payment-pending", "paid", "cancelled", "expired", "refund-due"] as const;

export interface OrderAnswer {
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

const COLOURS: Readonly<Record<string, string>> = { paid: "good", "payment-pending": "warm", "refund-due": "bad" };

export function OrderStanding({ order }: { readonly order: OrderAnswer }) {
  const tell = useTell();
  const { state, paidWith, since, payUntil } = order;
  const isLate = paidWith !== null && since >= payUntil;
  return (
    <>
      <span class={`pill ${COLOURS[state] ?? ""}`}>{wordOf(tell, "orderState", state)}</span>
      {isLate && <span class="pill bad">{tell("orders.late")}</span>}
    </>
  );
}

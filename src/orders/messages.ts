/** What a shopper reads about an order that could not be placed, changed or paid, in English and Chinese: what happened and what to do next. */
import type { OrderId, Sku } from "../core/ids.ts";
import type { Language } from "../core/language.ts";
import type { OrderState } from "../ledger/ledger.ts";
import { ORDER_ITEMS_MAX } from "../limits.ts";

interface OrderTexts {
  readonly emptyCart: string;
  readonly noHold: (skus: readonly Sku[]) => string;
  readonly tooManyItems: string;
  readonly amountTooLarge: string;
  readonly unknownOrder: (orderId: OrderId) => string;
  readonly ended: Readonly<Record<Exclude<OrderState, "payment-pending">, (orderId: OrderId) => string>>;
  readonly paymentNotStarted: (orderId: OrderId) => string;
  readonly paymentRefused: (orderId: OrderId) => string;
}

export const ORDER_TEXTS: Readonly<Record<Language, OrderTexts>> = {
  en: {
    emptyCart: "Your cart is empty: what was in it has lapsed or was ordered. Have a look at your orders, or buy first and order then.",
    noHold: (skus) =>
      `Not in your cart, or no longer: ${skus.join(", ")}. Nothing was ordered. Buy these goods again, or order what is still in your cart.`,
    tooManyItems: `An order has at most ${ORDER_ITEMS_MAX} different goods. Nothing was ordered. Order some of your cart first, then the rest.`,
    amountTooLarge: "This costs more than one payment can be. Nothing was ordered. Order some of your cart first, then the rest.",
    unknownOrder: (orderId) => `There is no order ${orderId}. Please check its number in the list of orders.`,
    ended: {
      paid: (orderId) => `Order ${orderId} is paid. The goods are yours, and nothing is left to do.`,
      cancelled: (orderId) => `Order ${orderId} was cancelled. If you still want its goods, buy them again.`,
      expired: (orderId) =>
        `The time to pay order ${orderId} is over, and its goods went back to the other shoppers. If you still want them, buy them again.`,
      "refund-due": (orderId) =>
        `The payment of order ${orderId} could not be matched with its goods. The money goes back; you need not do anything.`,
    },
    paymentNotStarted: (orderId) =>
      `Order ${orderId} is placed and its goods are kept until it has to be paid, but the payment could not be started just now. Try again in a moment; nothing is ordered or paid twice.`,
    paymentRefused: (orderId) =>
      `The payment provider does not take the payment of order ${orderId}. Choose another way to pay, or cancel the order; nothing was charged.`,
  },
  zh: {
    emptyCart: "您的购物车是空的：其中的商品已过期或已下单。请查看您的订单，或先抢购商品再下单。",
    noHold: (skus) => `购物车中没有以下商品，或已过期：${skus.join("、")}。本次未下单，请重新抢购，或仅对购物车中现有的商品下单。`,
    tooManyItems: `每个订单最多包含 ${ORDER_ITEMS_MAX} 种商品。本次未下单，请先对部分商品下单，再对其余商品下单。`,
    amountTooLarge: "订单金额超过单笔支付上限。本次未下单，请先对部分商品下单，再对其余商品下单。",
    unknownOrder: (orderId) => `没有找到订单 ${orderId}，请在订单列表中核对订单号。`,
    ended: {
      paid: (orderId) => `订单 ${orderId} 已支付，商品归您所有，无需其他操作。`,
      cancelled: (orderId) => `订单 ${orderId} 已取消。如仍需要这些商品，请重新抢购。`,
      expired: (orderId) => `订单 ${orderId} 的支付时间已过，商品已释放给其他买家。如仍需要，请重新抢购。`,
      "refund-due": (orderId) => `订单 ${orderId} 的付款与商品无法匹配，款项将退还，您无需任何操作。`,
    },
    paymentNotStarted: (orderId) =>
      `订单 ${orderId} 已生成，商品在支付截止前为您保留，但暂时无法发起支付。请稍后重试，不会重复下单或扣款。`,
    paymentRefused: (orderId) => `支付渠道不接受订单 ${orderId} 的支付。请更换支付方式或取消订单，您未被扣款。`,
  },
};

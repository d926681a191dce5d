/** What the demo's pay page says, in English and Chinese. */
import type { Language } from "../core/language.ts";
import type { OrderState } from "../ledger/ledger.ts";

export interface PayPageTexts {
  readonly title: string;
  readonly demo: string;
  readonly order: string;
  readonly goods: string;
  readonly quantity: string;
  readonly unitPrice: string;
  /** What is left to pay. */
  readonly toPay: string;
  /** The same when nothing is. */
  readonly total: string;
  readonly timeLeft: string;
  readonly pay: string;
  readonly payLate: string;
  readonly decline: string;
  readonly payWrong: string;
  readonly declined: string;
  readonly states: Readonly<Record<OrderState, string>>;
  readonly badLink: string;
  readonly unknownOrder: string;
  readonly notTaken: string;
  readonly back: string;
}

export const PAY_PAGE_TEXTS: Readonly<Record<Language, PayPageTexts>> = {
  en: {
    title: "Pay for your order",
    demo: "A demonstration: no money moves.",
    order: "Order",
    goods: "Goods",
    quantity: "Quantity",
    unitPrice: "Price each",
    toPay: "To pay",
    total: "Total",
    timeLeft: "Time left to pay",
    pay: "Pay",
    payLate: "Pay all the same (too late)",
    decline: "Decline, as a bank would",
    payWrong: "Pay the wrong amount",
    declined: "The payment was declined. The goods are still kept for you: try again before the time is over.",
    states: {
      "payment-pending": "The goods are kept for you until you have paid, or until the time is over.",
      paid: "Paid. The goods are yours; you can close this page.",
      cancelled: "This order was cancelled. Nothing has to be paid.",
      expired: "The time to pay is over, and the goods went back to the other shoppers.",
      "refund-due": "The payment could not be matched with the goods. The money goes back to you; you need not do anything.",
    },
    badLink: "This address is not valid, or from before the shop was started again. Go back to your order and choose to pay once more.",
    unknownOrder: "There is no such order. Go back to the shop and look at your orders.",
    notTaken: "The shop could not take the payment just now. Try again in a moment; you will not pay twice.",
    back: "Back to the shop",
  },
  zh: {
    title: "支付订单",
    demo: "演示页面：不会产生真实扣款。",
    order: "订单号",
    goods: "商品",
    quantity: "数量",
    unitPrice: "单价",
    toPay: "应付金额",
    total: "合计",
    timeLeft: "剩余支付时间",
    pay: "支付",
    payLate: "仍然支付（已超时）",
    decline: "模拟银行拒付",
    payWrong: "支付错误的金额",
    declined: "支付被拒绝。商品仍为您保留，请在支付时间结束前重试。",
    states: {
      "payment-pending": "商品已为您保留，请在支付时间结束前完成付款。",
      paid: "支付成功，商品归您所有，可以关闭此页面。",
      cancelled: "该订单已取消，无需付款。",
      expired: "支付时间已过，商品已释放给其他买家。",
      "refund-due": "付款与商品无法匹配，款项将退还给您，您无需任何操作。",
    },
    badLink: "该链接无效，或在商店重启之前生成。请返回订单，重新选择支付。",
    unknownOrder: "没有找到该订单，请返回商店查看您的订单。",
    notTaken: "商店暂时无法接收付款，请稍后重试，不会重复扣款。",
    back: "返回商店",
  },
};

/** What the shop page says, in English and Chinese. */

export type Language = "en" | "zh";
export const LANGUAGES: Readonly<Record<Language, string>> = { en: "English", zh: "中文" };

export interface Texts {
  readonly title: string;
  readonly language: string;
  readonly noSales: string;
  readonly loading: string;
  readonly beginsIn: (span: string) => string;
  readonly endsIn: (span: string) => string;
  readonly paused: string;
  readonly ended: string;
  readonly left: (availability: number | "many" | "few" | "none") => string;
  readonly soldOut: string;
  readonly limit: (quantity: number) => string;
  readonly quantity: string;
  readonly buy: string;
  readonly buyMore: string;
  readonly buying: string;
  readonly notYet: string;
  readonly yours: string;
  readonly stillOpen: string;
  readonly tryAgain: string;
  readonly cart: string;
  readonly cartEmpty: string;
  readonly keptFor: (span: string) => string;
  readonly gone: string;
  readonly release: (sku: string) => string;
  readonly checkOut: (amount: string) => string;
  readonly checkingOut: string;
  readonly orders: string;
  readonly ordersNone: string;
  readonly order: (id: string) => string;
  readonly pay: (amount: string) => string;
  readonly payWithin: (span: string) => string;
  readonly cancel: string;
  readonly states: Readonly<Record<"payment-pending" | "paid" | "cancelled" | "expired" | "refund-due", string>>;
  readonly via: Readonly<Record<"socket" | "stream" | "poll" | "none", string>>;
  readonly who: string;
  readonly whoHint: string;
  readonly name: string;
  readonly level: string;
  readonly save: string;
  readonly signIn: string;
  readonly payElsewhere: string;
  readonly noAnswer: string;
}

export const TEXTS: Readonly<Record<Language, Texts>> = {
  en: {
    title: "Drops",
    language: "Language",
    noSales: "Nothing is announced yet. This page shows the next drop as soon as there is one.",
    loading: "Looking what is on sale …",
    beginsIn: (span) => `Begins in ${span}`,
    endsIn: (span) => `Ends in ${span}`,
    paused: "Paused. What you hold stays yours; it goes on here.",
    ended: "This sale has ended.",
    left: (availability) =>
      typeof availability === "number"
        ? `${availability} left`
        : { many: "Plenty left", few: "Only a few left", none: "None left" }[availability],
    soldOut: "Sold out for now. Goods that others do not pay for in time come back here.",
    limit: (quantity) => `At most ${quantity} per person`,
    quantity: "Quantity",
    buy: "Buy",
    buyMore: "Buy another",
    buying: "One moment …",
    notYet: "Not yet",
    yours: "In your cart",
    stillOpen: "We have no answer yet. Try again: you will not get it twice.",
    tryAgain: "Try again",
    cart: "Your cart",
    cartEmpty: "Nothing is kept for you.",
    keptFor: (span) => `kept for ${span}`,
    gone: "time is over",
    release: (sku) => `Give back ${sku}`,
    checkOut: (amount) => `Check out, ${amount}`,
    checkingOut: "Making your order …",
    orders: "Your orders",
    ordersNone: "You have not ordered anything yet.",
    order: (id) => `Order ${id}`,
    pay: (amount) => `Pay ${amount}`,
    payWithin: (span) => `Pay within ${span}`,
    cancel: "Cancel",
    states: {
      "payment-pending": "Waiting for your payment",
      paid: "Paid. It is yours.",
      cancelled: "Cancelled. Nothing has to be paid.",
      expired: "The time to pay is over, and the goods went back.",
      "refund-due": "Your money goes back to you. You need not do anything.",
    },
    via: { socket: "live", stream: "live", poll: "refreshed every few seconds", none: "connecting …" },
    who: "Who is shopping (demo)",
    whoHint: "This shop believes what the page says. In a real shop, the sign-in decides.",
    name: "Shopper",
    level: "Member level",
    save: "Shop as this person",
    signIn: "Please sign in at the shop first; then this page knows who you are.",
    payElsewhere: "The payment goes on with the shop's payment provider.",
    noAnswer: "The shop does not answer just now. Nothing is lost; try again in a moment.",
  },
  zh: {
    title: "限时抢购",
    language: "语言",
    noSales: "暂无抢购活动，新活动一公布就会显示在这里。",
    loading: "正在获取抢购信息……",
    beginsIn: (span) => `距开始 ${span}`,
    endsIn: (span) => `距结束 ${span}`,
    paused: "抢购已暂停，您保留的商品不受影响，恢复后可继续购买。",
    ended: "本场抢购已结束。",
    left: (availability) =>
      typeof availability === "number" ? `剩余 ${availability} 件` : { many: "库存充足", few: "仅剩少量", none: "已无库存" }[availability],
    soldOut: "暂时售罄。他人未按时付款的商品会重新上架。",
    limit: (quantity) => `每人限购 ${quantity} 件`,
    quantity: "数量",
    buy: "立即抢购",
    buyMore: "再买一件",
    buying: "请稍候……",
    notYet: "尚未开始",
    yours: "已在购物车中",
    stillOpen: "暂未收到结果，请重试，不会重复购买。",
    tryAgain: "重试",
    cart: "购物车",
    cartEmpty: "没有为您保留的商品。",
    keptFor: (span) => `为您保留 ${span}`,
    gone: "已超时",
    release: (sku) => `放弃 ${sku}`,
    checkOut: (amount) => `去结算 ${amount}`,
    checkingOut: "正在生成订单……",
    orders: "我的订单",
    ordersNone: "您还没有订单。",
    order: (id) => `订单 ${id}`,
    pay: (amount) => `支付 ${amount}`,
    payWithin: (span) => `请在 ${span} 内付款`,
    cancel: "取消订单",
    states: {
      "payment-pending": "等待付款",
      paid: "已付款，商品归您所有。",
      cancelled: "已取消，无需付款。",
      expired: "支付时间已过，商品已释放。",
      "refund-due": "款项将退还给您，无需任何操作。",
    },
    via: { socket: "实时", stream: "实时", poll: "每隔几秒刷新", none: "正在连接……" },
    who: "购物者身份（演示）",
    whoHint: "本演示商店相信页面所填的身份；真实商店由登录系统决定。",
    name: "用户",
    level: "会员等级",
    save: "以此身份购物",
    signIn: "请先在商店登录，之后本页面会识别您的身份。",
    payElsewhere: "请在商店的支付服务商处继续付款。",
    noAnswer: "商店暂时没有响应，您没有任何损失，请稍后再试。",
  },
};

/** `1:02:03`, `2:03`, and with days in front of it. */
export function spanText(ms: number, language: Language): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000));
  const two = (value: number): string => String(value).padStart(2, "0");
  const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3_600) % 24, Math.floor(seconds / 60) % 60];
  const clock = days + hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
  if (days === 0) return clock;
  return language === "zh" ? `${days} 天 ${clock}` : `${days} ${days === 1 ? "day" : "days"} ${clock}`;
}

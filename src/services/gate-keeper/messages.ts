/** What a shopper reads: every outcome in English and Chinese, what happened and what to do next. */
import type { Language, Texts } from "../../core/language.ts";
import type { DurationMs, UnixMs } from "../../core/time.ts";

const refusals: Readonly<Record<string, Texts>> = {
  throttled: {
    en: "Too many shoppers at this moment. Please wait a moment and try again; nothing was taken from you.",
    zh: "当前抢购人数过多，请稍候再试；您没有任何损失。",
  },
  blacklisted: {
    en: "Bad guy! Bye-Bye!",
    zh: "该账号或网络地址已被限制购买。如有疑问，请联系客服。",
  },
  ended: {
    en: "This sale has ended. What you hold or have ordered from it stays yours; have a look at our other sales.",
    zh: "本场抢购已结束。您已保留或已下单的商品不受影响，欢迎关注其他抢购活动。",
  },
  "not-started": {
    en: "The sale has not started yet. Nothing was taken from you; be there at the start, and try again then.",
    zh: "抢购尚未开始，您没有任何损失；请准时前来，开始后再试。",
  },
  paused: {
    en: "The sale is paused. Nothing was taken from you, and what you hold stays yours; try again when it goes on.",
    zh: "抢购已暂停，您没有任何损失，已保留的商品不受影响；请在恢复后再试。",
  },
  "level-too-low": {
    en: "These goods are reserved for members of a higher level. Have a look at our other goods, or raise your level.",
    zh: "该商品仅限更高等级的会员购买。请选购其他商品，或提升会员等级后再来。",
  },
  "limit-reached": {
    en: "You have reached the limit per person for these goods, counting your cart and your orders. Please check out what you have.",
    zh: "您购买该商品的数量已达上限（含购物车与订单中的数量），请先结算已有商品。",
  },
  "unknown-goods": {
    en: "We do not sell these goods. Please check the article and try again.",
    zh: "没有找到该商品，请核对商品编号后重试。",
  },
  "sold-out": {
    en: "Not enough of these goods are left. Goods that others do not pay for in time come back, so a later try can succeed.",
    zh: "商品库存不足。他人未按时付款的商品会重新上架，请稍后再来看看。",
  },
};

const unavailable: Texts = {
  en: "We could not finish your purchase just now. Please try again in a moment; with the same Idempotency-Key you will never get the goods twice.",
  zh: "系统暂时无法完成您的购买，请稍后重试；使用相同的 Idempotency-Key 不会重复下单。",
};

export const unknownSaleText = (saleId: string, language: Language): string =>
  language === "zh" ? `没有找到抢购活动 ${saleId}，请查看全部活动。` : `There is no sale ${saleId}. Have a look at all our sales.`;

export function refusalText(reason: string, language: Language): string {
  return (refusals[reason] ?? unavailable)[language];
}

/** For who has added to a hold: nothing extends it, so all of it ends when the first of it does. */
export function addedText(heldUntil: UnixMs, language: Language): string {
  const time = new Date(heldUntil).toISOString().slice(0, 19).replace("T", " ");
  return language === "zh"
    ? `已加入您的购物车！您保留的全部商品有效期至 ${time}（UTC），请在此之前完成付款，逾期将自动释放。`
    : `Added to what you hold. All of it is yours until ${time} UTC, the time of the first of it. Please check out before then; after it they go back to the other shoppers.`;
}

export function successText(frozenForMs: DurationMs, language: Language): string {
  const span = spanText(frozenForMs, language);
  return language === "zh"
    ? `抢购成功！商品已为您保留${span}，请在此期间完成付款，逾期将自动释放。`
    : `The goods are yours for ${span}. Please check out within that time; after it they go back to the other shoppers.`;
}

function spanText(ms: DurationMs, language: Language): string {
  const units = [
    { size: 3_600_000, en: "hour", zh: "小时" },
    { size: 60_000, en: "minute", zh: "分钟" },
    { size: 1_000, en: "second", zh: "秒" },
  ];
  // The largest unit that says it exactly; below a second, rounded up to one.
  const unit = units.find(({ size }) => ms >= size && ms % size === 0) ?? (units[2] as (typeof units)[number]);
  const count = Math.max(1, Math.floor(ms / unit.size));
  return language === "zh" ? `${count}${unit.zh}` : `${count} ${unit.en}${count === 1 ? "" : "s"}`;
}

/** The currencies that this system can sell in: those whose prices have two decimals, because ours have. */

/** Not supported: the ISO 4217 currencies with another number of decimals than two. */
const OTHER_DECIMALS: ReadonlySet<string> = new Set([
  // None.
  ..."bif clp djf gnf isk jpy kmf krw pyg rwf ugx uyi vnd vuv xaf xof xpf".split(" "),
  // Two on paper, but its smallest unit is a fifth, and Stripe counts it without decimals.
  "mga",
  // Three, and four.
  ..."bhd iqd jod kwd lyd omr tnd".split(" "),
  ..."clf uyw".split(" "),
]);

/** The lower-case ISO 4217 code, or why it cannot be used. */
export function currencyOf(text: string): { readonly currency: string } | { readonly fault: string } {
  const currency = text.toLowerCase();
  if (!Intl.supportedValuesOf("currency").includes(currency.toUpperCase())) return { fault: "is no ISO 4217 currency code" };
  if (OTHER_DECIMALS.has(currency)) return { fault: "is a currency whose prices do not have two decimals, which ours have" };
  return { currency };
}

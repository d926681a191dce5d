/**
 * Whether a request comes from the console's own page. A browser sends its cookies along with whatever any page makes it ask for; what it cannot be made to
 * do by another site is to send a header of our own, or to hide where a request comes from. Pure: it looks at headers only.
 */

interface Headers {
  get(name: string): string | null;
}

/** A header that only a script of the same site can send. */
export const OWN_HEADER = "x-doorbuster-console";

/** Whether the page that asks is of this site, as far as the browser tells. A browser that is younger than 2023 says it in `Sec-Fetch-Site`. */
function isOwnSite(headers: Headers): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin";
  const origin = headers.get("origin");
  return origin === null || hostOfOrigin(origin) === headers.get("host")?.toLowerCase();
}

/** A request that changes something. Forms of other sites cannot send the header, and scripts of theirs are not let. */
export const isOwnChange = (headers: Headers): boolean => headers.get(OWN_HEADER) !== null && isOwnSite(headers);

/** A WebSocket, to which the rule of one origin does not apply by itself: every browser says where it is opened from, and other programs need not. */
export const isOwnSocket = (headers: Headers): boolean => isOwnSite(headers);

/** Without a key whoever is on this machine may do everything; a name that somebody has made point here (DNS rebinding) is not from this machine. */
export const isLocalHost = (headers: Headers): boolean => LOCAL_NAME.test(headers.get("host") ?? "");
const LOCAL_NAME = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

const hostOfOrigin = (origin: string): string | null => (URL.canParse(origin) ? new URL(origin).host : null);

/** The value of a cookie; `null`: there is none of that name. */
export function cookieOf(headers: Headers, name: string): string | null {
  for (const pair of (headers.get("cookie") ?? "").split(";")) {
    const [given, value] = pair.split("=", 2);
    if (given?.trim() === name && value !== undefined) return value.trim();
  }
  return null;
}

/** A proxy in front says that the browser speaks https to it. Whoever says so wrongly only keeps his own browser from sending the cookie. */
export const isHttps = (headers: Headers): boolean =>
  /^https\b/i.test(headers.get("x-forwarded-proto") ?? "") || /\bproto="?https\b/i.test(headers.get("forwarded") ?? "");

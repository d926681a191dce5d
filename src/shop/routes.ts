/** The routes of the shop page. Nothing on the page comes from another origin, and nothing runs on it that is not a file of ours. */
import { type HttpReply, on, type Route } from "../core/endpoint.ts";
import type { IpAddress } from "../core/ids.ts";
import { problem } from "../core/problem.ts";
import type { Arriving } from "../identity/client-address.ts";
import { shopApi as api } from "./api.ts";
import type { BoardWatch } from "./board-watch.ts";

/** The page's script and style sheet. */
export interface PageFiles {
  readonly script: { readonly text: string };
  readonly style: { readonly text: string };
}

/** What the page has to know of the shop that it stands in. */
export interface ShopSettings {
  /** `trusted`: the page says who the shopper is, as on a demo; `jwt`: it has a token of the shop's own sign-in. */
  readonly identity: "trusted" | "jwt";
  readonly currency: string;
  /** Where a request comes from: in `trusted` mode a purchase has to say it, and a page does not know it. */
  readonly addressOf: (asking: Arriving) => IpAddress;
}

const STREAM_TYPE = "text/event-stream";
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** @param files reads the page's files; they are made once */
export function shopRoutes(watch: BoardWatch, files: () => Promise<PageFiles>, settings: ShopSettings): Route[] {
  return [
    on(api.boardLive, async ({ headers }) => {
      if (!headers.get("accept")?.includes(STREAM_TYPE)) return { status: 200, body: await watch.greeting() };
      return watch.hasRoomForStream ? stream(watch) : full();
    }),
    on(api.shopPage, (asking) => file(pageOf(settings, settings.addressOf(asking)), "text/html", { "content-security-policy": POLICY })),
    on(api.shopFile, async ({ params }) => {
      const { script, style } = await files();
      return params.file === "shop.js" ? file(script.text, "text/javascript") : file(style.text, "text/css");
    }),
  ];
}

export const full = (): HttpReply =>
  problem(503, "too many watch the board at this moment; ask GET /sales instead", { headers: { "retry-after": "10" } });

const stream = (watch: BoardWatch): HttpReply => ({
  status: 200,
  body: watch.stream(),
  headers: { "content-type": STREAM_TYPE, "cache-control": "no-store", "x-accel-buffering": "no" },
});

/** The page itself is empty: its script fills it, in the language that the shopper has chosen. */
function pageOf({ identity, currency }: ShopSettings, address: IpAddress): string {
  return `<!doctype html>
<html lang="en" data-identity="${identity}" data-currency="${currency}" data-address="${address}">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Doorbuster</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="shop/shop.css">
    <script type="module" src="shop/shop.js"></script>
  </head>
  <body>
    <div id="shop"><noscript>This page needs JavaScript. 此页面需要启用 JavaScript。</noscript></div>
  </body>
</html>
`;
}

/** A new release's files have to be seen at once: browsers ask again each time. */
const file = (content: string, type: string, headers: Readonly<Record<string, string>> = {}): HttpReply => ({
  status: 200,
  body: content,
  headers: {
    "content-type": `${type}; charset=utf-8`,
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    ...headers,
  },
});

/** The registry as a page for people: made whole on the server, usable with a keyboard, on a phone and without scripts. */
import { createHash } from "node:crypto";
import Type from "typebox";
import { type Endpoint, type HttpReply, on, type Route } from "../../core/endpoint.ts";
import { type Language, languageOf } from "../../core/language.ts";
import { text } from "../../core/reply-schema.ts";
import type { Clock, UnixMs } from "../../core/time.ts";
import { REGISTRY_PAGE_ROWS_MAX } from "../../limits/registry.ts";
import { byApplication, type Lease, lapsesAt } from "./instance.ts";
import type { PeerView } from "./peer.ts";
import type { Preservation } from "./preservation.ts";
import { REGISTRY_PAGE_TEXTS, type RegistryPageTexts } from "./registry-page-texts.ts";

export interface RegistryView {
  readonly leases: readonly Lease[];
  readonly preservation: Preservation;
  readonly peers: readonly PeerView[];
}

const nothing = Type.Object({});
export const pageEndpoint = {
  ...{ name: "registryPage", method: "GET", path: "/", params: nothing, query: nothing, body: null, needsAdminKey: false },
  summary: "The registry as a page: instances, leases, self-preservation and peers.",
  replies: { 200: text("The page, in English or Chinese.", "text/html; charset=utf-8") },
} as const satisfies Endpoint;

export function pageRoute(view: () => RegistryView, clock: Clock): Route {
  return on(pageEndpoint, ({ headers }) => pageReply(view(), languageOf(headers.get("accept-language")), clock.now()));
}

const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0 auto; padding: 1rem; max-width: 64rem; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.125rem; margin: 1.5rem 0 .25rem; }
p { margin: .25rem 0; }
a { color: inherit; }
nav a { display: inline-block; padding: .5rem 1rem; border: 1px solid currentColor; border-radius: .5rem; text-decoration: none; }
a:focus-visible { outline: .2rem solid #e08a00; outline-offset: .15rem; }
dl { display: grid; grid-template-columns: max-content auto; gap: 0 1rem; margin: .5rem 0; }
dd { margin: 0; font-variant-numeric: tabular-nums; }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: .4rem .75rem .4rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); overflow-wrap: anywhere; }
th { max-width: 16rem; overflow-wrap: break-word; }
.note { opacity: .75; }
[role=status], .bad { border-left: .25rem solid #1a7f5a; padding-left: .75rem; }
.bad { border-color: #c2410c; font-weight: 600; }
@media (max-width: 40rem) {
  thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  tr { display: block; padding: .5rem 0; border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
  td, tbody th { display: grid; grid-template-columns: 7rem 1fr; padding: .1rem 0 .1rem .5rem; border-bottom: 0; }
  td::before, tbody th::before { content: attr(data-name); opacity: .75; font-weight: 400; }
  tbody th { max-width: none; overflow-wrap: anywhere; }
}
`;

const hashOf = (styles: string): string => `'sha256-${createHash("sha256").update(styles).digest("base64")}'`;
const policy = (): string =>
  `default-src 'none'; style-src ${hashOf(STYLE)}; img-src data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'`;

function pageReply(view: RegistryView, language: Language, now: UnixMs): HttpReply {
  const texts = REGISTRY_PAGE_TEXTS[language];
  const body = `<!doctype html>
<html lang="${language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${texts.title}</title><link rel="icon" href="data:,"><style>${STYLE}</style></head>
<body><main><h1>${texts.title}</h1>
<p class="note">${texts.asOf} <time>${new Date(now).toISOString().replace(/\.\d+Z$/, "Z")}</time></p>
<nav><a href="">${texts.reload}</a></nav>
${preservationText(view.preservation, texts)}
${peersText(view.peers, texts)}
${instancesText(view.leases, texts, now)}
<p class="note">${texts.elsewhere} <a href="eureka/apps">eureka/apps</a>, <a href="docs">docs</a></p>
</main></body></html>
`;
  return { status: 200, body, headers: headers() };
}

const headers = (): Readonly<Record<string, string>> => ({
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": policy(),
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
  vary: "accept-language",
});

function preservationText({ isOn, renewalsLastMinute, threshold }: Preservation, texts: RegistryPageTexts): string {
  return `<section aria-labelledby="preservation"><h2 id="preservation">${texts.preservation}</h2>
<p role="status"${isOn ? ' class="bad"' : ""}>${isOn ? texts.preservationOn : texts.preservationOff}</p>
<dl><dt>${texts.renewals}</dt><dd>${Math.round(renewalsLastMinute)}</dd><dt>${texts.threshold}</dt><dd>${threshold}</dd></dl></section>`;
}

function peersText(peers: readonly PeerView[], texts: RegistryPageTexts): string {
  const rows = peers.map(({ url, isReachable, pending }) =>
    row([
      [texts.peer, html(url)],
      [texts.status, isReachable ? texts.reachable : `<span class="bad">${texts.unreachable}</span>`],
      [texts.pending, pending === null ? texts.everything : String(pending)],
    ]),
  );
  const content =
    rows.length === 0 ? `<p class="note">${texts.noPeers}</p>` : table([texts.peer, texts.status, texts.pending], rows, "peers");
  return `<section><h2 id="peers">${texts.peers}</h2>${content}</section>`;
}

function instancesText(leases: readonly Lease[], texts: RegistryPageTexts, now: UnixMs): string {
  const sorted = byApplication(leases).flatMap((application) => application.leases);
  const rows = sorted.slice(0, REGISTRY_PAGE_ROWS_MAX).map((lease) => instanceRow(lease, texts, now));
  const names = [texts.application, texts.instance, texts.address, texts.status, texts.lease];
  const content = rows.length === 0 ? `<p class="note">${texts.noInstances}</p>` : table(names, rows, "instances");
  const more = sorted.length > rows.length ? `<p class="note">${texts.more(sorted.length - rows.length)}</p>` : "";
  return `<section><h2 id="instances">${texts.instances} (${sorted.length})</h2>${content}${more}</section>`;
}

function instanceRow(lease: Lease, texts: RegistryPageTexts, now: UnixMs): string {
  const { instance, renewedAt } = lease;
  const { number } = instance.port.enabled ? instance.port : instance.securePort;
  const status = texts.statuses[instance.status] + (instance.override === null ? "" : ` (${texts.byOperator})`);
  return row([
    [texts.application, html(instance.app)],
    [texts.instance, html(instance.instanceId)],
    [texts.address, html(`${instance.hostName}:${number}`)],
    [texts.status, instance.status === "UP" ? status : `<span class="bad">${status}</span>`],
    [
      texts.lease,
      lapsesAt(lease) > now
        ? texts.renewedAgo(seconds(now - renewedAt), instance.leaseSeconds)
        : `<span class="bad">${texts.lapsedFor(seconds(now - lapsesAt(lease)))}</span>`,
    ],
  ]);
}

const seconds = (ms: number): number => Math.max(0, Math.floor(ms / 1_000));

function table(names: readonly string[], rows: readonly string[], labelledBy: string): string {
  const head = names.map((name) => `<th scope="col">${name}</th>`).join("");
  return `<table aria-labelledby="${labelledBy}"><thead><tr>${head}</tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

/** The first cell names the row. On a narrow screen each cell stands on its own line, behind its name. */
function row(cells: readonly (readonly [string, string])[]): string {
  const texts = cells.map(([name, content], index) =>
    index === 0
      ? `<th scope="row" data-name="${name}"><span>${content}</span></th>`
      : `<td data-name="${name}"><span>${content}</span></td>`,
  );
  return `<tr>${texts.join("")}</tr>`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const html = (given: string): string => given.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] as string);

/** The console's page and its files. They say nothing of the shop, so that whoever is not signed in can see them. */
import Type from "typebox";
import { type Endpoint, type HttpReply, on, type Route } from "../core/endpoint.ts";
import { problem } from "../core/problem.ts";
import { text } from "../core/reply-schema.ts";
import type { Door } from "./session-routes.ts";

interface PageFile {
  readonly text: string;
  readonly tag: string;
}
export type ReadBundle = () => Promise<{ readonly script: PageFile; readonly style: PageFile }>;

const none = Type.Object({});
const read = { method: "GET", query: none, body: null, needsAdminKey: false } as const;
const pageEndpoints = {
  page: {
    ...read,
    name: "consolePage",
    path: "/",
    params: none,
    summary: "The console: one page, whose parts stand behind the # of its address.",
    replies: { 200: text("The page.", "text/html; charset=utf-8") },
  },
  file: {
    ...read,
    name: "consoleFile",
    path: "/files/{file}",
    params: Type.Object({
      file: Type.String({ pattern: "^[a-z0-9.-]{1,64}$", description: "the name of one of the page's files" }),
    }),
    summary: "A file of that page. Its name changes with what is in it.",
    replies: { 200: text("A script or a style sheet.", "text/javascript; charset=utf-8") },
    problems: { 404: "The page has no such file." },
  },
} satisfies Record<string, Endpoint>;

/** Nothing comes from elsewhere, and nothing runs or is drawn that is no file of ours. Charts set styles by script, which this allows. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const SAFE = {
  "content-security-policy": PAGE_POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

export function pageRoutes(door: Door, readBundle: ReadBundle): Route[] {
  return [
    on(pageEndpoints.page, async ({ headers }) => {
      const refusal = door.refusalOf(headers);
      if (refusal) return refusal;
      const { script, style } = await readBundle();
      return file(pageWith(nameOf("js", script), nameOf("css", style)), "text/html", "no-cache");
    }),
    on(pageEndpoints.file, async ({ params }) => {
      const { script, style } = await readBundle();
      if (params.file === nameOf("js", script)) return file(script.text, "text/javascript", KEPT_FOR_GOOD);
      if (params.file === nameOf("css", style)) return file(style.text, "text/css", KEPT_FOR_GOOD);
      return problem(404, "the page has no such file");
    }),
  ];
}

const KEPT_FOR_GOOD = "public, max-age=31536000, immutable";
const nameOf = (ending: string, { tag }: PageFile): string => `console-${tag}.${ending}`;

const file = (content: string, type: string, kept: string): HttpReply => ({
  status: 200,
  body: content,
  headers: { "content-type": `${type}; charset=utf-8`, "cache-control": kept, ...SAFE },
});

/** Addresses are relative, so that the page also works behind a proxy that gives it a prefix. */
const pageWith = (script: string, style: string): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>Doorbuster</title>
    <link rel="icon" href="${ICON}">
    <link rel="stylesheet" href="files/${style}">
    <script src="files/${script}" defer></script>
  </head>
  <body>
    <div id="console"><noscript>The console needs JavaScript. 控制台需要启用 JavaScript。</noscript></div>
  </body>
</html>
`;

/** A door that is ajar. */
const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#d6452b"/><path d="M9 25V7h9l5 3v15z" fill="#fff"/><path d="M9 25V7l9 4v18z" fill="#ffd9c9"/><circle cx="15.4" cy="18.6" r="1.5" fill="#d6452b"/></svg>',
)}`;

/** `GET /openapi.json` and the page at `/docs`, the same on every port: each describes all that its port serves, these addresses too. */
import Type from "typebox";
import { type Endpoint, type HttpReply, on, type Route } from "../core/endpoint.ts";
import { problem } from "../core/problem.ts";
import { reply, text } from "../core/reply-schema.ts";
import { openApiDocument, type ServiceDescription } from "./openapi.ts";
import { INITIALIZER, LIBRARY_FILES, PAGE, PAGE_POLICY } from "./page.ts";

const none = Type.Object({});
const read = { method: "GET", params: none, query: none, body: null, needsAdminKey: false } as const;
const FileName = Type.String({ pattern: "^[a-z.-]{1,64}$", description: "the name of one of the page's files" });

export const descriptionApi = {
  openapi: {
    ...read,
    name: "openapi",
    path: "/openapi.json",
    summary: "This service's API: this document.",
    replies: { 200: reply("An OpenAPI 3.1 document.", Type.Object({ openapi: Type.String() }), { openapi: "3.1.1" }) },
  },
  docs: {
    ...read,
    name: "docs",
    path: "/docs",
    summary: "This service's API as a page to read and to try.",
    replies: { 200: text("The page.", "text/html; charset=utf-8") },
  },
  docsFile: {
    ...read,
    name: "docsFile",
    path: "/docs/{file}",
    params: Type.Object({ file: FileName }),
    summary: "A file of that page.",
    replies: { 200: text("A script or a style sheet.", "text/javascript; charset=utf-8") },
    problems: { 404: "The page has no such file." },
    example: { params: { file: "initializer.js" } },
  },
} satisfies Record<string, Endpoint>;

/** Files change with a release only. */
const KEPT_BY_BROWSERS = "public, max-age=86400";

/** The text of a file of the page's library. Given by the edge. */
export type ReadLibraryFile = (name: string) => Promise<string>;

/** What a port serves, with the description of it. */
export function withDescription(about: ServiceDescription, routes: readonly Route[], readLibraryFile: ReadLibraryFile): Route[] {
  let documentText: string | null = null;
  const own: readonly Route[] = [
    on(descriptionApi.openapi, () => {
      documentText ??= JSON.stringify(
        openApiDocument(
          about,
          all.map(({ endpoint }) => endpoint),
        ),
      );
      return { status: 200, body: documentText };
    }),
    on(descriptionApi.docs, () => file(PAGE, "text/html", { "content-security-policy": PAGE_POLICY })),
    on(descriptionApi.docsFile, async ({ params }) => {
      if (params.file === INITIALIZER.name) return file(INITIALIZER.text, "text/javascript");
      const type = LIBRARY_FILES.get(params.file);
      return type === undefined ? problem(404, "the page has no such file") : file(await readLibraryFile(params.file), type);
    }),
  ];
  const all: Route[] = [...routes, ...own];
  return all;
}

const file = (content: string, type: string, headers: Readonly<Record<string, string>> = {}): HttpReply => ({
  status: 200,
  body: content,
  headers: {
    "content-type": `${type}; charset=utf-8`,
    "cache-control": KEPT_BY_BROWSERS,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    ...headers,
  },
});

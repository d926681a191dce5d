/** What the gate serves for the shop page: the page, its files, and the board live. */
import Type from "typebox";
import type { Endpoint } from "../core/endpoint.ts";
import { reply, text } from "../core/reply-schema.ts";
import { BoardDocument } from "../services/gate-keeper/shopper-described.ts";

const none = Type.Object({});
const read = { method: "GET", params: none, query: none, body: null, needsAdminKey: false } as const;
const EventStream = Type.String({ description: "events, each with a message in its `data`" });
const BoardMessage = Type.Object({
  kind: Type.Enum(["board", "left", "ask"]),
  board: Type.Optional(BoardDocument),
  serverNow: Type.Optional(Type.Integer({ description: "this server's clock, in unix ms" })),
  left: Type.Optional(Type.Object({}, { description: "by sale and by SKU: what `availability` is now" })),
});
const FileName = Type.String({ pattern: "^shop\\.(js|css)$", description: "the name of one of the page's files" });

export const shopApi = {
  boardLive: {
    ...read,
    name: "boardLive",
    path: "/live",
    summary:
      "The board, live: over a WebSocket; with `Accept: text/event-stream` as server-sent events; otherwise its first message alone.",
    headers: Type.Object({
      accept: Type.Optional(Type.String({ description: "text/event-stream: messages without end" })),
    }),
    replies: {
      200: {
        ...reply(
          "A message: all of the board (`board`), what is left of those items of which it has changed (`left`), or that it is too long to be pushed (`ask`: `GET /sales`).",
          BoardMessage,
          { kind: "board", board: { serverNow: 1_795_320_600_000, sales: [] } },
        ),
        otherForms: { "text/event-stream": EventStream },
      },
    },
    problems: { 503: "Too many watch at this moment: poll `GET /sales` instead." },
  },
  shopPage: {
    ...read,
    name: "shopPage",
    path: "/shop",
    summary: "The shop page: a countdown, what is left, a cart, and the way to pay.",
    replies: { 200: text("The page, in English or Chinese.", "text/html; charset=utf-8") },
  },
  shopFile: {
    ...read,
    name: "shopFile",
    path: "/shop/{file}",
    params: Type.Object({ file: FileName }),
    summary: "A file of that page.",
    replies: { 200: text("A script or a style sheet.", "text/javascript; charset=utf-8") },
    example: { params: { file: "shop.js" } },
  },
} satisfies Record<string, Endpoint>;

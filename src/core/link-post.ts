/** How a request over a link is carried, and how that ends. Who carries it is the edge; what it means is decided in `links/`. */
import type { DurationMs } from "./time.ts";

export type PostEnd =
  | { readonly kind: "answered"; readonly status: number; readonly text: string }
  /** Nobody listens there: nothing was sent. */
  | { readonly kind: "refused" }
  /** It was sent, and then the connection ended or the deadline passed. */
  | { readonly kind: "silent"; readonly why: string };

/** Never rejects. */
export type Post = (url: string, body: string, deadlineMs: DurationMs) => Promise<PostEnd>;

/** A provider's notification, from its raw text to what became of it. Only an answer in the 200s ends it: anything else, and it comes again. */
import { type HttpReply, json } from "../core/endpoint.ts";
import { problem } from "../core/problem.ts";
import type { Notice, Providers } from "./provider.ts";

export interface Notification {
  /** The provider's name, from the path. */
  readonly provider: string;
  /** The body as it came, byte for byte: the signature is over it. */
  readonly rawBody: string;
  readonly headers: { get(name: string): string | null };
}

/**
 * @param settle resolves when what the notice means is durable; its `Failure` becomes 503, and the notification comes again
 */
export async function takeNotification(
  providers: Providers,
  { provider: name, rawBody, headers }: Notification,
  settle: (notice: Exclude<Notice, { readonly kind: "other" }>) => Promise<{ readonly refusal: string } | null>,
): Promise<HttpReply> {
  const provider = providers.get(name);
  if (!provider) return problem(404, `no payment provider of the name ${name} is configured`);
  const notice = await provider.readNotification(rawBody, headers);
  if ("refusal" in notice) return problem(400, `the notification was refused: ${notice.refusal}`);
  const settled = notice.kind === "other" ? null : await settle(notice);
  if (settled !== null) return problem(409, settled.refusal);
  return json({ received: true });
}

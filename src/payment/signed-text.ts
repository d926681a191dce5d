/** Text signed as Standard Webhooks says (standardwebhooks.com), by the specification's own library, with several secrets while one is replaced. */
import { Webhook } from "standardwebhooks";
import type { UnixMs } from "../core/time.ts";

const ID = "webhook-id";
const TIMESTAMP = "webhook-timestamp";
const SIGNATURE = "webhook-signature";

export class Signer {
  readonly #keys: readonly Webhook[];

  /** @param secrets base64, with or without `whsec_`. Throws when one is none. */
  constructor(secrets: readonly string[]) {
    this.#keys = secrets.map((secret) => new Webhook(secret));
  }

  /** The headers that go with `text`: one signature for each secret, so that the receiver may know either. */
  headersFor(text: string, id: string, at: UnixMs): Readonly<Record<string, string>> {
    const time = new Date(at);
    return {
      [ID]: id,
      [TIMESTAMP]: String(Math.floor(at / 1_000)),
      [SIGNATURE]: this.#keys.map((key) => key.sign(id, time, text)).join(" "),
    };
  }

  /** Why the text is not from somebody who knows one of the secrets, or not of the last five minutes; `null` when it is. */
  faultIn(text: string, headers: { get(name: string): string | null }): string | null {
    const given = Object.fromEntries([ID, TIMESTAMP, SIGNATURE].map((name) => [name, headers.get(name) ?? ""]));
    let fault = "there is no secret to check it with";
    for (const key of this.#keys) {
      try {
        key.verify(text, given, { jsonParse: false });
        return null;
      } catch (error) {
        fault = error instanceof Error ? error.message : String(error);
      }
    }
    return fault;
  }
}

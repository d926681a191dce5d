/**
 * Who asks, at which level, and from where. In `trusted` mode whoever reaches the gate is believed, as a shop's own back end is; in `jwt` mode
 * a signed token says it, and what the request claims beside it counts for nothing.
 */
import type { Answer } from "../core/answer.ts";
import type { HttpReply } from "../core/endpoint.ts";
import type { IpAddress, UserId } from "../core/ids.ts";
import type { Arriving, ProxySettings } from "./client-address.ts";

/** What a body or a query says of its sender, already checked against the schemas of those fields. */
export interface Claimed {
  readonly userID?: UserId;
  readonly userLevel?: number;
  readonly clientIP?: string;
}

export interface Shopper {
  readonly userId: UserId;
  readonly userLevel: number;
  readonly clientIp: IpAddress;
}

export type Asking = Arriving;

export interface Identity {
  /** Where a request comes from, whatever it says of itself. */
  addressOf(asking: Asking): IpAddress;
  /** Whether who asks is proven. Then an idempotency key is the shopper's own, and nobody can probe or block another's; without a proof the
   *  key alone says that it is the same request. */
  readonly isProven: boolean;
  /** Throws or rejects with a `Failure` when nobody can say now whether the token is good.
   *  @param pointerRoot where the claimed values stand, for the message that names one of them: `#` in the body, `#/query` */
  shopper(asking: Asking, claimed: Claimed, pointerRoot?: string): Answer<Shopper | { readonly refusal: HttpReply }>;
}

export type KeySource =
  /** HS256, the secret's UTF-8 bytes. */
  | { readonly kind: "secret"; readonly secret: string }
  /** A public key as PEM, one JWK (also a secret one), or a JWK set. */
  | { readonly kind: "file"; readonly path: string }
  /** A JWK set. */
  | { readonly kind: "url"; readonly url: string };

export interface TokenSettings {
  readonly keySource: KeySource;
  /** `null`: not checked. A public key needs at least one of the two: its owner signs tokens for others too. */
  readonly issuer: string | null;
  readonly audience: string | null;
  readonly userClaim: string;
  readonly levelClaim: string;
}

export type IdentitySettings = ({ readonly kind: "trusted" } | ({ readonly kind: "jwt" } & TokenSettings)) & {
  readonly proxies: ProxySettings;
};

/** The identity cannot be set up; the message is for the operator and says what to do. */
export class IdentityRefused extends Error {
  override readonly name = "IdentityRefused";
}

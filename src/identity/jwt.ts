/**
 * Believes what a signed token says, and only that: user and level come from its claims, the address from the connection. A body may name its
 * user once more, but only the same one. Signatures are checked by jose.
 *
 * A token that was verified is remembered until it ends, or until the keys that it was verified with do not count any more; asking with it
 * again is answered at once. Several requests with one token that is still being checked wait for the same check.
 */
import { type JWTPayload, jwtVerify } from "jose";
import type { Answer } from "../core/answer.ts";
import type { HttpReply } from "../core/endpoint.ts";
import { Failure } from "../core/failure.ts";
import { type IpAddress, isId, type UserId } from "../core/ids.ts";
import { problem } from "../core/problem.ts";
import type { Clock } from "../core/time.ts";
import { TOKEN_CHARS_MAX, TOKEN_CLOCK_TOLERANCE_MS, USER_LEVEL_MAX, VERIFICATIONS_IN_FLIGHT_MAX } from "../limits.ts";
import type { ClientAddresses } from "./client-address.ts";
import type { Asking, Claimed, Identity, Shopper, TokenSettings } from "./identity.ts";
import type { KeyRing, NumberedKeys } from "./key-ring.ts";
import { faultOf, refuseToken, type TokenFault } from "./token-fault.ts";
import { type VerifiedToken, VerifiedTokens } from "./verified-tokens.ts";

export interface JwtIdentityParts {
  readonly settings: Omit<TokenSettings, "keySource">;
  readonly keys: KeyRing;
  readonly addresses: ClientAddresses;
  readonly clock: Clock;
}

type Told = Shopper | { readonly refusal: HttpReply };

/** One token and nothing else. The signature may be missing, so that a token without one is told what is wrong with it. */
const bearerPattern = /^bearer ([\w-]+\.[\w-]+\.[\w-]*)$/i;
const HEADER_CHARS_MAX = "Bearer ".length + TOKEN_CHARS_MAX;

export class JwtIdentity implements Identity {
  readonly isProven = true;
  readonly #parts: JwtIdentityParts;
  /** By the whole header's text, which holds the whole token: a known one is found without taking the header apart. */
  readonly #verified = new VerifiedTokens();
  readonly #inFlight = new Map<string, Promise<VerifiedToken | TokenFault>>();

  constructor(parts: JwtIdentityParts) {
    this.#parts = parts;
  }

  addressOf(asking: Asking): IpAddress {
    return this.#parts.addresses.of(asking);
  }

  shopper(asking: Asking, claimed: Claimed, pointerRoot = "#"): Answer<Told> {
    const header = asking.headers.get("authorization");
    if (header === null) return refuseToken("no-token");
    if (header.length > HEADER_CHARS_MAX) return refuseToken("too-long");
    const known = this.#verified.find(header);
    if (known !== undefined && this.#parts.clock.now() < known.endsAt && this.#parts.keys.stillCovers(known.generation)) {
      return this.#tell(known, asking, claimed, pointerRoot);
    }
    return this.#verifyOnce(header).then((found) => this.#tell(found, asking, claimed, pointerRoot));
  }

  #tell(found: VerifiedToken | TokenFault, asking: Asking, { userID }: Claimed, pointerRoot: string): Told {
    if (typeof found === "string") return refuseToken(found);
    const { userId, userLevel } = found;
    if (userID !== undefined && userID !== userId) return otherUser(`${pointerRoot}/userID`);
    return { userId, userLevel, clientIp: this.#parts.addresses.of(asking) };
  }

  #verifyOnce(header: string): Promise<VerifiedToken | TokenFault> {
    const underWay = this.#inFlight.get(header);
    if (underWay !== undefined) return underWay;
    if (this.#inFlight.size >= VERIFICATIONS_IN_FLIGHT_MAX) {
      return Promise.reject(new Failure("overloaded", "too many tokens are being checked at once; try again in a second", true));
    }
    const verification = this.#verify(header).finally(() => this.#inFlight.delete(header));
    this.#inFlight.set(header, verification);
    return verification;
  }

  async #verify(header: string): Promise<VerifiedToken | TokenFault> {
    const token = bearerPattern.exec(header)?.[1];
    if (token === undefined) return "malformed";
    const found = await this.#checkSignature(token);
    if (typeof found === "string") return found;
    const verified = this.#read(found.claims, found.generation);
    if (typeof verified !== "string") this.#verified.keep(header, verified);
    return verified;
  }

  async #checkSignature(token: string): Promise<{ readonly claims: JWTPayload; readonly generation: number } | TokenFault> {
    const keys = await this.#parts.keys.current();
    const first = await this.#checkWith(token, keys);
    if (first !== "unknown-key") return first;
    const newer = await this.#parts.keys.afterUnknownKey();
    return newer.generation === keys.generation ? first : this.#checkWith(token, newer);
  }

  async #checkWith(token: string, keys: NumberedKeys): Promise<{ readonly claims: JWTPayload; readonly generation: number } | TokenFault> {
    const { issuer, audience } = this.#parts.settings;
    try {
      const { payload } = await jwtVerify(token, keys.keyFor, {
        algorithms: [...keys.algorithms],
        requiredClaims: ["exp"],
        clockTolerance: TOKEN_CLOCK_TOLERANCE_MS / 1_000,
        currentDate: new Date(this.#parts.clock.now()),
        ...(issuer !== null && { issuer }),
        ...(audience !== null && { audience }),
      });
      return { claims: payload, generation: keys.generation };
    } catch (error) {
      const fault = faultOf(error);
      if (fault === null) throw error;
      return fault;
    }
  }

  #read(claims: JWTPayload, generation: number): VerifiedToken | TokenFault {
    const { userClaim, levelClaim } = this.#parts.settings;
    const user = claims[userClaim];
    if (typeof user !== "string" || !isId(user)) return "bad-user";
    const level = Object.hasOwn(claims, levelClaim) ? claims[levelClaim] : 0;
    if (typeof level !== "number" || !Number.isInteger(level) || level < 0 || level > USER_LEVEL_MAX) return "bad-level";
    const endsAt = (claims.exp as number) * 1_000 + TOKEN_CLOCK_TOLERANCE_MS;
    return { userId: user as UserId, userLevel: level, endsAt, generation };
  }
}

function otherUser(pointer: string): { readonly refusal: HttpReply } {
  const detail = "is another user than the token's; leave it out, or send the token's own";
  return { refusal: problem(403, `${pointer}: ${detail}`, { errors: [{ pointer, detail }] }) };
}

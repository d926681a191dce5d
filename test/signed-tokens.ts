/** Tokens as identity providers sign them, made with jose, and a shop's identity that reads them with a clock that is moved by hand. */
import { exportJWK, exportSPKI, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";
import type { HttpReply } from "../src/core/endpoint.ts";
import type { UnixMs } from "../src/core/time.ts";
import type { Claimed, Identity, IdentitySettings, KeySource, Shopper, TokenSettings } from "../src/identity/identity.ts";
import { openIdentity } from "../src/identity/open-identity.ts";

export const START: UnixMs = 1_800_000_000_000;
export const ISSUER = "https://login.example";
export const AUDIENCE = "doorbuster";
export const SECRET = "a secret that is known to the shop alone";

export const inSeconds = (seconds: number, from: UnixMs = START): number => Math.floor(from / 1_000) + seconds;

/** What a good token says: everything that is checked, right. */
export const goodClaims = (): JWTPayload => ({ sub: "UID1", level: 5, iss: ISSUER, aud: AUDIENCE, exp: inSeconds(3_600) });

/** Somebody who signs tokens with a key of their own. */
export interface Signer {
  readonly publicJwk: JWK;
  readonly publicPem: string;
  sign(claims?: JWTPayload, header?: { readonly kid?: string; readonly alg?: string }): Promise<string>;
}

export async function newSigner(alg: "RS256" | "EdDSA" | "ES256", kid?: string): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return {
    publicJwk: { ...(await exportJWK(publicKey)), ...(kid !== undefined && { kid }) },
    publicPem: await exportSPKI(publicKey),
    sign: (claims = goodClaims(), header = {}) =>
      new SignJWT(claims).setProtectedHeader({ alg, ...(kid !== undefined && { kid }), ...header }).sign(privateKey),
  };
}

export const signWithSecret = (claims: JWTPayload = goodClaims(), secret: string | Uint8Array = SECRET, alg = "HS256"): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg }).sign(typeof secret === "string" ? Buffer.from(secret) : secret);

/** A token put together by hand, for what no library signs. */
export const forged = (header: object, claims: object, signature = ""): string =>
  [...[header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")), signature].join(".");

/** Where the keys lie, as the identity sees it: a text that can be changed, made unreadable, and whose readings are counted. */
export class KeyPlace {
  text: string;
  isReachable = true;
  readings = 0;
  whileReading: () => void = () => undefined;

  constructor(text: string) {
    this.text = text;
  }

  readonly read = async (): Promise<string> => {
    this.readings += 1;
    this.whileReading();
    if (!this.isReachable) throw new Error("nobody answers");
    return this.text;
  };
}

export const setOf = (...signers: readonly Signer[]): string => JSON.stringify({ keys: signers.map(({ publicJwk }) => publicJwk) });

export class Shop {
  readonly identity: Identity;
  readonly reports: readonly string[];
  readonly #time: { ms: UnixMs };

  private constructor(identity: Identity, time: { ms: UnixMs }, reports: readonly string[]) {
    this.identity = identity;
    this.#time = time;
    this.reports = reports;
  }

  static async open(keySource: KeySource, place: KeyPlace = new KeyPlace(""), settings: Partial<TokenSettings> = {}): Promise<Shop> {
    const time = { ms: START };
    const reports: string[] = [];
    const full: IdentitySettings = {
      kind: "jwt",
      keySource,
      issuer: ISSUER,
      audience: AUDIENCE,
      userClaim: "sub",
      levelClaim: "level",
      proxies: { trusted: [], header: "x-forwarded-for" },
      ...settings,
    };
    const clock = { now: () => time.ms, monotonicUs: () => (time.ms - START) * 1_000 };
    const identity = await openIdentity(full, {
      clock,
      readFile: place.read,
      fetchText: place.read,
      report: (message) => reports.push(message),
    });
    return new Shop(identity, time, reports);
  }

  static withSecret(settings: Partial<TokenSettings> = {}): Promise<Shop> {
    return Shop.open({ kind: "secret", secret: SECRET }, undefined, settings);
  }

  static withFile(text: string, settings: Partial<TokenSettings> = {}): Promise<Shop> {
    return Shop.open({ kind: "file", path: "keys" }, new KeyPlace(text), settings);
  }

  static withUrl(place: KeyPlace): Promise<Shop> {
    return Shop.open({ kind: "url", url: `${ISSUER}/keys` }, place);
  }

  pass(ms: number): void {
    this.#time.ms += ms;
  }

  /** What the identity says, at once or later. */
  ask(authorization: string | null, claimed: Claimed = {}, pointerRoot?: string) {
    const get = (name: string): string | null => (name === "authorization" ? authorization : null);
    return this.identity.shopper({ headers: { get }, peer: () => "192.0.2.7" }, claimed, pointerRoot);
  }

  /** The shopper, or the status and reason of the refusal. */
  async told(token: string, claimed: Claimed = {}): Promise<Shopper | string> {
    const told = await this.ask(`Bearer ${token}`, claimed);
    return "refusal" in told ? reasonOf(told.refusal) : told;
  }
}

export function reasonOf({ status, body }: HttpReply): string {
  const { reason } = JSON.parse(String(body)) as { readonly reason?: string };
  return `${status} ${reason ?? ""}`.trim();
}

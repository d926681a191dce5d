/** Sets up the identity that the settings ask for. Reads the keys once, so that a mistake in a key file is told at start. */
import type { Clock } from "../core/time.ts";
import { ClientAddresses } from "./client-address.ts";
import { type Identity, IdentityRefused, type IdentitySettings, type TokenSettings } from "./identity.ts";
import { JwtIdentity } from "./jwt.ts";
import { KeyRing } from "./key-ring.ts";
import { KeysInvalid, keysOfFile, keysOfSetText, secretKeys, type TokenKeys } from "./keys.ts";
import { TrustedIdentity } from "./trusted.ts";

export interface IdentityIo {
  readonly clock: Clock;
  /** The text of a file. Rejects when it cannot be read. */
  readonly readFile: (path: string) => Promise<string>;
  /** The text behind a URL. Rejects when it cannot be had. */
  readonly fetchText: (url: string) => Promise<string>;
  /** Hears, in one line, when the keys cannot be read any more, and when they can be again. */
  readonly report: (message: string) => void;
}

const NAMES = {
  secret: "the secret for signed tokens",
  file: "the key file for signed tokens",
  url: "the key set for signed tokens",
} as const;

/**
 * Rejects with `IdentityRefused` when a key is missing or cannot be used. A key set's URL that does not answer is no reason: after a power cut
 * the shop must not depend on who starts first. Its tokens are answered with a failure until it does.
 */
export async function openIdentity(settings: IdentitySettings, io: IdentityIo): Promise<Identity> {
  const addresses = new ClientAddresses(settings.proxies);
  if (settings.kind === "trusted") return new TrustedIdentity(addresses);
  const { keySource } = settings;
  if (keySource.kind === "url") {
    refuseUnlessSafe(keySource.url);
    if (!isBound(settings)) throw new IdentityRefused(`${NAMES.url}: ${UNBOUND}`);
  }
  const keys = new KeyRing({ read: () => readKeys(settings, io), clock: io.clock, report: io.report });
  try {
    await keys.open();
  } catch (cause) {
    const message = `${NAMES[keySource.kind]}: ${cause instanceof Error ? cause.message : String(cause)}`;
    if (keySource.kind !== "url" || cause instanceof KeysInvalid) throw new IdentityRefused(message);
    io.report(message);
  }
  return new JwtIdentity({ settings, keys, addresses, clock: io.clock });
}

async function readKeys(settings: TokenSettings, io: IdentityIo): Promise<TokenKeys> {
  const keys = await keysFrom(settings.keySource, io);
  if (!keys.isSecret && !isBound(settings)) throw new KeysInvalid(UNBOUND);
  return keys;
}

const isBound = ({ issuer, audience }: TokenSettings): boolean => issuer !== null || audience !== null;
const UNBOUND = "a public key's owner signs tokens for others too; give the issuer or the audience, best both";

async function keysFrom(source: TokenSettings["keySource"], io: IdentityIo): Promise<TokenKeys> {
  switch (source.kind) {
    case "secret":
      return secretKeys(source.secret);
    case "file":
      return keysOfFile(await io.readFile(source.path));
    case "url":
      return keysOfSetText(await io.fetchText(source.url));
  }
}

/** Who can change the answer on its way can sign tokens. */
function refuseUnlessSafe(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isLoopback = url !== null && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(url.hostname);
  if (url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback)) return;
  throw new IdentityRefused("the key set's URL must be https, or http on this machine");
}

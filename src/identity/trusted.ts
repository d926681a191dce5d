/**
 * Believes what a request says of its sender: for a gate that only the shop's own back end can reach. Without `clientIP` the address is the
 * one the request came from; without `userLevel` the level is the lowest.
 */
import type { HttpReply } from "../core/endpoint.ts";
import type { IpAddress } from "../core/ids.ts";
import { parseIpAddress } from "../core/ip-address.ts";
import { problem } from "../core/problem.ts";
import type { ClientAddresses } from "./client-address.ts";
import type { Asking, Claimed, Identity, Shopper } from "./identity.ts";

export class TrustedIdentity implements Identity {
  readonly isProven = false;
  readonly #addresses: ClientAddresses;

  constructor(addresses: ClientAddresses) {
    this.#addresses = addresses;
  }

  addressOf(asking: Asking): IpAddress {
    return this.#addresses.of(asking);
  }

  shopper(asking: Asking, claimed: Claimed, pointerRoot = "#"): Shopper | { readonly refusal: HttpReply } {
    const { userID, userLevel, clientIP } = claimed;
    if (userID === undefined) return refuse(`${pointerRoot}/userID`, "is missing");
    const clientIp = clientIP === undefined ? this.#addresses.of(asking) : parseIpAddress(clientIP);
    if (clientIp === null) return refuse(`${pointerRoot}/clientIP`, "must be an IPv4 or IPv6 address");
    return { userId: userID, userLevel: userLevel ?? 0, clientIp };
  }
}

const refuse = (pointer: string, detail: string) => ({ refusal: problem(400, `${pointer}: ${detail}`, { errors: [{ pointer, detail }] }) });

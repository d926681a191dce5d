/** SafeProtector's routes, as in the contract. */
import Type from "typebox";
import type { Endpoint } from "../../core/endpoint.ts";
import { SessionIdSchema, UserIdSchema } from "../../core/ids.ts";
import { parseCidrRange, parseIpAddress } from "../../core/ip-address.ts";
import { PageLimit } from "../../core/paging.ts";
import { DECISION_SECONDS_MAX, NOTE_CHARS_MAX } from "../../limits.ts";

export const IpAddressText = Type.Refine(
  Type.String({ description: "an IPv4 or IPv6 address" }),
  (text) => parseIpAddress(text) !== null,
  () => "must be an IPv4 or IPv6 address",
);
const AddressOrRange = Type.Refine(
  Type.String({ description: "an IPv4 or IPv6 address, or a CIDR range" }),
  (text) => parseIpAddress(text) !== null || parseCidrRange(text) !== null,
  () => "must be an IPv4 or IPv6 address, or a CIDR range",
);
const none = Type.Object({});
const standing = {
  durationSeconds: Type.Optional(
    Type.Integer({ minimum: 1, maximum: DECISION_SECONDS_MAX, description: `an integer from 1 to ${DECISION_SECONDS_MAX}` }),
  ),
  note: Type.Optional(
    Type.String({
      pattern: `^[^\\p{Cc}\\p{Cs}]{0,${NOTE_CHARS_MAX}}$`,
      description: `at most ${NOTE_CHARS_MAX} characters, no control characters`,
    }),
  ),
};
const BadGuy = Type.Object({ userID: UserIdSchema, isBadGuy: Type.Literal(true), ...standing });
const BadIp = Type.Object({ clientIP: AddressOrRange, isBadIP: Type.Literal(true), ...standing });
const guyPath = Type.Object({ uid: UserIdSchema });
const ipPath = Type.Object({ ip: AddressOrRange });
const guyPage = Type.Object({ after: Type.Optional(UserIdSchema), limit: PageLimit });
const ipPage = Type.Object({ after: Type.Optional(AddressOrRange), limit: PageLimit });

const read = { method: "GET", query: none, body: null, needsAdminKey: false } as const;
const add = { method: "POST", params: none, query: none, needsAdminKey: true } as const;
const remove = { method: "DELETE", query: none, body: null, needsAdminKey: true } as const;

export const safeProtectorApi = {
  doSafeValidation: {
    ...read,
    name: "doSafeValidation",
    path: "/validate/sid/{sid}/userid/{uid}/clientip/{ip}",
    params: Type.Object({ sid: SessionIdSchema, uid: UserIdSchema, ip: IpAddressText }),
  },
  addBadGuy: { ...add, name: "addBadGuy", path: "/badguy/add", body: BadGuy },
  addBadIP: { ...add, name: "addBadIP", path: "/badip/add", body: BadIp },
  findAllBadGuys: { ...read, name: "findAllBadGuys", path: "/badguy/all", params: none, query: guyPage },
  findAllBadIPs: { ...read, name: "findAllBadIPs", path: "/badip/all", params: none, query: ipPage },
  getBadGuy: { ...read, name: "getBadGuy", path: "/badguy/userid/{uid}", params: guyPath },
  getBadIP: { ...read, name: "getBadIP", path: "/badip/clientip/{ip}", params: ipPath },
  removeBadGuy: { ...remove, name: "removeBadGuy", path: "/badguy/delete/userid/{uid}", params: guyPath },
  removeBadIP: { ...remove, name: "removeBadIP", path: "/badip/delete/clientip/{ip}", params: ipPath },
  // The seeds' shorter paths for the same two calls.
  removeBadGuyShort: { ...remove, name: "removeBadGuy", path: "/delete/userid/{uid}", params: guyPath },
  removeBadIPShort: { ...remove, name: "removeBadIP", path: "/delete/clientip/{ip}", params: ipPath },
} satisfies Record<string, Endpoint>;

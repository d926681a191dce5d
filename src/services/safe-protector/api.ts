/** SafeProtector's routes, as in the contract. */
import Type from "typebox";
import type { Endpoint } from "../../core/endpoint.ts";
import { SessionIdSchema, UserIdSchema } from "../../core/ids.ts";
import { parseCidrRange, parseIpAddress } from "../../core/ip-address.ts";
import { PageLimit } from "../../core/paging.ts";
import { listOf, reply, throttled } from "../../core/reply-schema.ts";
import { DECISION_SECONDS_MAX, NOTE_CHARS_MAX } from "../../limits.ts";

export const IpAddressText = Type.Refine(
  Type.String({ description: "an IPv4 or IPv6 address" }),
  (text) => parseIpAddress(text) !== null,
  () => "must be an IPv4 or IPv6 address",
);
export const AddressOrRange = Type.Refine(
  Type.String({ description: "an IPv4 or IPv6 address, or a CIDR range" }),
  (text) => parseIpAddress(text) !== null || parseCidrRange(text) !== null,
  () => "must be an IPv4 or IPv6 address, or a CIDR range",
);
const none = Type.Object({});
export const standing = {
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

const decided = {
  until: Type.Optional(Type.Integer({ description: "when the entry ends, in unix ms; without it, it stands until removed" })),
  note: standing.note,
};
const ListedGuy = Type.Object({ userID: UserIdSchema, isBadGuy: Type.Boolean(), ...decided });
const ListedIp = Type.Object({ clientIP: AddressOrRange, isBadIP: Type.Boolean(), ...decided });
const Verdict = Type.Object({
  sessionID: SessionIdSchema,
  userID: UserIdSchema,
  isBadGuy: Type.Boolean(),
  clientIP: IpAddressText,
  isBadIP: Type.Boolean(),
  isAllowed: Type.Boolean(),
  isThrottled: Type.Boolean(),
  version: Type.String(),
  reason: Type.Optional(Type.Enum(["throttled", "blacklisted"])),
});

const guyExample = { userID: "FS00000001", isBadGuy: true };
const ipExample = { clientIP: "202.100.100.1", isBadIP: true };
const verdictExample = {
  ...{ sessionID: "SID0000001", userID: "FS00000001", isBadGuy: true, clientIP: "202.100.100.1", isBadIP: true },
  ...{ isAllowed: false, isThrottled: false, version: "1.0", reason: "blacklisted" },
};
const throttledExample = { ...verdictExample, isBadGuy: false, isBadIP: false, isThrottled: true, reason: "throttled" };
const listFull = { 409: "The blacklist is full." } as const;
const oneGuy = { params: { uid: guyExample.userID } };
const oneIp = { params: { ip: ipExample.clientIP } };
const removeGuy = {
  ...{ ...remove, name: "removeBadGuy", params: guyPath, example: oneGuy },
  summary: "Takes a user off the blacklist.",
  replies: { 200: reply("The user is not on it.", ListedGuy, { ...guyExample, isBadGuy: false }) },
} as const;
const removeIp = {
  ...{ ...remove, name: "removeBadIP", params: ipPath, example: oneIp },
  summary: "Takes an address or a range off the blacklist.",
  replies: { 200: reply("It is not on it.", ListedIp, { ...ipExample, isBadIP: false }) },
} as const;

export const safeProtectorApi = {
  doSafeValidation: {
    ...read,
    name: "doSafeValidation",
    path: "/validate/sid/{sid}/userid/{uid}/clientip/{ip}",
    params: Type.Object({ sid: SessionIdSchema, uid: UserIdSchema, ip: IpAddressText }),
    summary: "Whether a purchase of this user, from this address, may go on.",
    replies: {
      200: reply("The verdict.", Verdict, verdictExample),
      429: throttled(Verdict, throttledExample),
    },
    example: { params: { sid: "SID0000001", uid: "FS00000001", ip: "202.100.100.1" } },
  },
  addBadGuy: {
    ...add,
    name: "addBadGuy",
    path: "/badguy/add",
    body: BadGuy,
    summary: "Puts a user on the blacklist, for a time or until removed.",
    replies: { 200: reply("The entry.", ListedGuy, guyExample) },
    problems: listFull,
    example: { body: guyExample },
  },
  addBadIP: {
    ...add,
    name: "addBadIP",
    path: "/badip/add",
    body: BadIp,
    summary: "Puts an address or a CIDR range on the blacklist, for a time or until removed.",
    replies: { 200: reply("The entry.", ListedIp, ipExample) },
    problems: listFull,
    example: { body: ipExample },
  },
  findAllBadGuys: {
    ...read,
    name: "findAllBadGuys",
    path: "/badguy/all",
    params: none,
    query: guyPage,
    summary: "The users on the blacklist, a page at a time.",
    replies: { 200: listOf("The entries in force.", ListedGuy, [{ userID: "UID0001000098", isBadGuy: true }]) },
  },
  findAllBadIPs: {
    ...read,
    name: "findAllBadIPs",
    path: "/badip/all",
    params: none,
    query: ipPage,
    summary: "The addresses and ranges on the blacklist, a page at a time.",
    replies: { 200: listOf("The entries in force.", ListedIp, [{ clientIP: "10.100.100.1", isBadIP: true }]) },
  },
  getBadGuy: {
    ...read,
    name: "getBadGuy",
    path: "/badguy/userid/{uid}",
    params: guyPath,
    summary: "Whether a user is on the blacklist.",
    replies: { 200: reply("Whether it is so.", ListedGuy, { ...guyExample, isBadGuy: false }) },
    example: oneGuy,
  },
  getBadIP: {
    ...read,
    name: "getBadIP",
    path: "/badip/clientip/{ip}",
    params: ipPath,
    summary: "Whether an address is on the blacklist, also by a range that holds it; or whether a range is.",
    replies: { 200: reply("Whether it is so.", ListedIp, ipExample) },
    example: oneIp,
  },
  removeBadGuy: { ...removeGuy, path: "/badguy/delete/userid/{uid}" },
  removeBadIP: { ...removeIp, path: "/badip/delete/clientip/{ip}" },
  // The seeds' shorter paths for the same two calls.
  removeBadGuyShort: { ...removeGuy, path: "/delete/userid/{uid}" },
  removeBadIPShort: { ...removeIp, path: "/delete/clientip/{ip}" },
} satisfies Record<string, Endpoint>;

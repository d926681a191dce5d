/** SafeProtector as the gates reach it over a link. */
import Type, { type Static } from "typebox";
import { type IpAddress, type SessionId, SessionIdSchema, type UserId, UserIdSchema } from "../../core/ids.ts";
import { LINK_DEADLINE_MS } from "../../limits/links.ts";
import { linkMethod, linkRoute } from "../../links/method.ts";
import { IpAddressText } from "./api.ts";
import type { SafeCheck, SafeProtector, SafeVerdict } from "./service.ts";

const Row = Type.Tuple([SessionIdSchema, UserIdSchema, IpAddressText]);

/** A verdict crosses as its place in this list. */
const VERDICTS: readonly SafeVerdict[] = [
  { allowed: true },
  { allowed: false, reason: "throttled" },
  { allowed: false, reason: "blacklisted", isBadGuy: true, isBadIp: false },
  { allowed: false, reason: "blacklisted", isBadGuy: false, isBadIp: true },
  { allowed: false, reason: "blacklisted", isBadGuy: true, isBadIp: true },
];

export const validateSafely = linkMethod<SafeCheck, SafeVerdict>({
  name: "validate",
  summary: "whether each of these users and addresses may buy.",
  item: Row,
  wire: ({ sessionId, userId, clientIp }): Static<typeof Row> => [sessionId, userId, clientIp],
  read: (crossed) => {
    const [sessionId, userId, clientIp] = crossed as readonly [SessionId, UserId, IpAddress];
    return { sessionId, userId, clientIp };
  },
  wireReply: (verdict) => {
    if (verdict.allowed) return 0;
    if (verdict.reason === "throttled") return 1;
    return 1 + (verdict.isBadGuy ? 1 : 0) + (verdict.isBadIp ? 2 : 0);
  },
  readReply: (crossed) => {
    const verdict = VERDICTS[crossed as number];
    if (verdict === undefined) throw new TypeError("there is no such verdict");
    return verdict;
  },
  isRepeatable: true,
  deadlineMs: LINK_DEADLINE_MS,
  isCollected: true,
});

export const safeProtectorLinkRoutes = (protector: SafeProtector) => [linkRoute(validateSafely, (checks) => protector.validate(checks))];

/** SafeProtector as the gates reach it over a link. */
import Type from "typebox";
import { SessionIdSchema, UserIdSchema } from "../../core/ids.ts";
import { LINK_DEADLINE_MS } from "../../limits/links.ts";
import { linkMethod, linkRoute } from "../../links/method.ts";
import { IpAddressText } from "./api.ts";
import type { SafeCheck, SafeProtector, SafeVerdict } from "./service.ts";

export const validateSafely = linkMethod<SafeCheck, SafeVerdict>({
  name: "validate",
  summary: "whether each of these users and addresses may buy.",
  item: Type.Object({ sessionId: SessionIdSchema, userId: UserIdSchema, clientIp: IpAddressText }),
  wire: ({ sessionId, userId, clientIp }) => ({ sessionId, userId, clientIp }),
  isRepeatable: true,
  deadlineMs: LINK_DEADLINE_MS,
});

export const safeProtectorLinkRoutes = (protector: SafeProtector) => [linkRoute(validateSafely, (checks) => protector.validate(checks))];

/** SafeProtector's routes bound to it: the seeds' ones, which show and change what is blocked, and those of all decisions. */
import { json, on, type Route } from "../../core/endpoint.ts";
import type { IpAddress, UserId } from "../../core/ids.ts";
import { parseCidrRange, parseIpAddress } from "../../core/ip-address.ts";
import { listReply } from "../../core/paging.ts";
import { PAGE_ROWS_DEFAULT } from "../../limits.ts";
import { safeProtectorApi as api } from "./api.ts";
import { canonicalValue, type Decision, type DecisionScope } from "./decision.ts";
import { decisionRoutes, listFull } from "./decision-routes.ts";
import type { SafeProtector } from "./service.ts";

/** A decision as it is shown, with `until` in unix ms where it ends. */
const badGuy = (decision: Decision): object => ({ userID: decision.value, isBadGuy: true, ...standing(decision) });
const badIp = (decision: Decision): object => ({ clientIP: decision.value, isBadIP: true, ...standing(decision) });
const standing = ({ until, note }: Decision): object => ({ ...(until !== null && { until }), ...(note !== "" && { note }) });

const scopeOf = (text: string): DecisionScope => (parseCidrRange(text) ? "network" : "address");
const canonical = (text: string): string => canonicalValue(scopeOf(text), text) as string;

export function routes(protector: SafeProtector): Route[] {
  const removeBadGuy = async ({ params }: { params: { uid: UserId } }) => {
    await protector.unblock("account", params.uid);
    return json({ userID: params.uid, isBadGuy: false });
  };
  const removeBadIp = async ({ params }: { params: { ip: string } }) => {
    const value = canonical(params.ip);
    await protector.unblock(scopeOf(params.ip), value);
    return json({ clientIP: value, isBadIP: false });
  };
  return [
    on(api.doSafeValidation, ({ params }) =>
      protector.reply({ sessionId: params.sid, userId: params.uid, clientIp: parseIpAddress(params.ip) as IpAddress }),
    ),
    on(api.addBadGuy, async ({ body }) => {
      const blocked = { scope: "account", value: body.userID, action: "block" } as const;
      const added = await protector.decide(blocked, body.durationSeconds, body.note ?? "");
      return added ? json(badGuy(added)) : listFull();
    }),
    on(api.addBadIP, async ({ body }) => {
      const blocked = { scope: scopeOf(body.clientIP), value: canonical(body.clientIP), action: "block" } as const;
      const added = await protector.decide(blocked, body.durationSeconds, body.note ?? "");
      return added ? json(badIp(added)) : listFull();
    }),
    on(api.findAllBadGuys, ({ query }) =>
      listReply<Decision, string>({
        read: (after, limit) => protector.listBlocked("u", after, limit),
        cursorOf: (decision) => decision.value,
        after: query.after ?? null,
        limit: query.limit ?? PAGE_ROWS_DEFAULT,
        show: badGuy,
        nextPage: (after) => `/badguy/all?after=${encodeURIComponent(after)}&limit=${query.limit ?? PAGE_ROWS_DEFAULT}`,
      }),
    ),
    on(api.findAllBadIPs, ({ query }) =>
      listReply<Decision, string>({
        read: (after, limit) => protector.listBlocked("i", after, limit),
        cursorOf: (decision) => decision.value,
        after: query.after === undefined ? null : canonical(query.after),
        limit: query.limit ?? PAGE_ROWS_DEFAULT,
        show: badIp,
        nextPage: (after) => `/badip/all?after=${encodeURIComponent(after)}&limit=${query.limit ?? PAGE_ROWS_DEFAULT}`,
      }),
    ),
    on(api.getBadGuy, ({ params }) => json({ userID: params.uid, isBadGuy: protector.isBadGuy(params.uid) })),
    on(api.getBadIP, ({ params }) => json({ clientIP: canonical(params.ip), isBadIP: protector.isBadIp(params.ip) })),
    on(api.removeBadGuy, removeBadGuy),
    on(api.removeBadGuyShort, removeBadGuy),
    on(api.removeBadIP, removeBadIp),
    on(api.removeBadIPShort, removeBadIp),
    ...decisionRoutes(protector),
  ];
}

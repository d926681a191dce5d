/** SafeProtector's routes of all decisions. The seeds' routes of the blacklist (`api.ts`) are a view of those that block. */
import Type from "typebox";
import type { Endpoint } from "../../core/endpoint.ts";
import { ID_PATTERN } from "../../core/ids.ts";
import { PageLimit } from "../../core/paging.ts";
import { reply } from "../../core/reply-schema.ts";
import { IMPORT_BAD_LINES_NAMED, IMPORT_BYTES_MAX } from "../../limits/decisions.ts";
import { standing } from "./api.ts";
import { ACTIONS, ORIGINS, SCOPES } from "./decision.ts";

const none = Type.Object({});
const scope = Type.Enum([...SCOPES]);
const action = Type.Enum([...ACTIONS]);
const origin = Type.Enum([...ORIGINS]);
const idText = { pattern: ID_PATTERN };
const value = Type.String({ ...idText, description: "an IPv4 or IPv6 address, a CIDR range, or a user id, as the scope says" });
const scenario = Type.String({ ...idText, description: "the name of a scenario" });
const unixMs = (description: string) => Type.Integer({ description });

const EvidenceOfDecision = Type.Object({
  windowMs: Type.Number({ description: "the counts are of so many milliseconds before `at`" }),
  counts: Type.Record(Type.String(), Type.Number()),
  traceIds: Type.Array(Type.String({ description: "of a purchase to look at" })),
  at: unixMs("when it was seen, in unix ms"),
});
const DecisionShown = Type.Object({
  ...{ scope, value, action, since: unixMs("in unix ms") },
  until: Type.Union([unixMs("in unix ms"), Type.Null()], { description: "`null`: until removed" }),
  scenario: Type.Union([scenario, Type.Null()], { description: "what has learned it; `null`: somebody has decided it" }),
  ...{ origin, note: Type.String() },
  offences: Type.Integer({ minimum: 0, description: "how often it was learned" }),
  evidence: Type.Union([EvidenceOfDecision, Type.Null()]),
  seen: Type.Integer({ minimum: 0, description: "of `observe`: what it would have blocked, as far as this instance has seen it" }),
  bought: Type.Integer({ minimum: 0, description: "how many of those bought later" }),
});
const NewDecision = Type.Object({ scope, value, action, ...standing });

export const decisionExample = {
  ...{ scope: "address", value: "202.100.100.1", action: "block", since: 1795000000000, until: 1795000600000, scenario: "request-flood" },
  ...{ origin: "learned", note: "", offences: 1 },
  evidence: { windowMs: 1000, counts: { requests: 412 }, traceIds: ["113e5d875f8100000000000000000000"], at: 1795000000000 },
  ...{ seen: 0, bought: 0 },
};
const oneValue = { params: { scope: "address", value: "202.100.100.1" } };

const ImportedShown = Type.Object({
  lines: Type.Integer({ minimum: 0 }),
  added: Type.Integer({ minimum: 0, description: "values about which there was nothing" }),
  replaced: Type.Integer({ minimum: 0, description: "values about which something was learned or imported before" }),
  kept: Type.Integer({ minimum: 0, description: "values about which an operator has decided by hand: that stays" }),
  bad: Type.Integer({ minimum: 0, description: "lines that are no address, no range and no comment: they were passed over" }),
  badLines: Type.Array(Type.Object({ line: Type.Integer({ minimum: 1 }), detail: Type.String() }), {
    description: `the first ${IMPORT_BAD_LINES_NAMED} of them`,
  }),
});

export const decisionApi = {
  findDecisions: {
    ...{ name: "findDecisions", method: "GET", path: "/decisions", params: none, body: null, needsAdminKey: true },
    query: Type.Object({
      scope: Type.Optional(scope),
      action: Type.Optional(action),
      origin: Type.Optional(origin),
      scenario: Type.Optional(scenario),
      value: Type.Optional(value),
      after: Type.Optional(Type.String({ maxLength: 200, description: "what the page before named as `next`" })),
      limit: PageLimit,
    }),
    summary: "The decisions in force, a page at a time. A page can be short, and have a next one all the same.",
    replies: {
      200: reply(
        "The decisions, in the order of their names, and where the next page begins.",
        Type.Object({ decisions: Type.Array(DecisionShown), next: Type.Union([Type.String(), Type.Null()]) }),
        { decisions: [decisionExample], next: null },
      ),
    },
    example: { query: { scope: "address", action: "block" } },
  },
  addDecision: {
    ...{ name: "addDecision", method: "POST", path: "/decisions", params: none, query: none, needsAdminKey: true },
    body: NewDecision,
    summary: "Blocks, throttles, observes or allows an address, a network or an account, for a time or until removed.",
    replies: {
      200: reply("The decision.", DecisionShown, { ...decisionExample, scenario: null, origin: "operator", offences: 0, evidence: null }),
    },
    problems: { 409: "There are too many decisions." },
    example: { body: { scope: "address", value: "202.100.100.1", action: "block", durationSeconds: 600 } },
  },
  importDecisions: {
    ...{ name: "importDecisions", method: "POST", path: "/decisions/import", params: none, needsAdminKey: true },
    query: Type.Object({ accounts: Type.Optional(Type.Enum(["true", "false"])), action: Type.Optional(action), ...standing }),
    body: Type.String({
      description: `text, one address or CIDR range a line (with \`?accounts=true\` one user id); behind # or ; stands a comment. At most ${IMPORT_BYTES_MAX} bytes`,
    }),
    isBodyRaw: true,
    bodyBytesMax: IMPORT_BYTES_MAX,
    summary: "Takes over a list, to block what is on it unless the query says otherwise. Bad lines are named and passed over.",
    replies: {
      200: reply("What has become of it.", ImportedShown, {
        ...{ lines: 3, added: 1, replaced: 0, kept: 0, bad: 1 },
        badLines: [{ line: 3, detail: "is no IPv4 or IPv6 address and no CIDR range" }],
      }),
    },
    problems: {
      409: "There is no room for so many; nothing was done.",
      503: "Another import is under way, or the store cannot be reached.",
    },
    example: { query: { action: "block" }, body: "# seen elsewhere\n202.100.100.1\nnonsense\n" },
  },
  removeDecision: {
    ...{ name: "removeDecision", method: "DELETE", path: "/decisions/scope/{scope}/value/{value}", body: null, needsAdminKey: true },
    params: Type.Object({ scope, value }),
    query: Type.Object({ action: Type.Optional(action) }),
    summary:
      "Removes what stands against a value, and what is remembered of its offences; with `?action=allow`, takes it off the allow-list.",
    replies: { 200: reply("Whether a decision was removed.", Type.Object({ removed: Type.Boolean() }), { removed: true }) },
    example: oneValue,
  },
} satisfies Record<string, Endpoint>;

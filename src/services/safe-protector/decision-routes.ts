/** What operators see of all decisions, and how they change them. */
import { type HttpReply, json, on, type Route } from "../../core/endpoint.ts";
import { problem } from "../../core/problem.ts";
import { DECISIONS_MAX, PAGE_ROWS_DEFAULT } from "../../limits.ts";
import { canonicalValue, type Decision, type DecisionScope } from "./decision.ts";
import { decisionApi as api } from "./decision-api.ts";
import type { Imported } from "./import.ts";
import type { SafeProtector } from "./service.ts";

export const listFull = (): HttpReply =>
  problem(409, `the blacklist is full (${DECISIONS_MAX} entries); remove some, or give entries a duration`);

/** Of a text that is no list at all. */
const WRONG_LINES_NAMED = 5;

const WANTED: Readonly<Record<DecisionScope, string>> = {
  address: "must be an IPv4 or IPv6 address",
  network: "must be a CIDR range",
  account: "must be a user id",
};

const wrongValue = (scope: DecisionScope, pointer: string): HttpReply =>
  problem(400, `${pointer}: ${WANTED[scope]}`, { errors: [{ pointer, detail: WANTED[scope] }] });

const nothingGood = ({ bad, badLines }: Imported): HttpReply =>
  problem(400, `#: none of its ${bad} lines is an entry of a list`, {
    errors: badLines.slice(0, WRONG_LINES_NAMED).map(({ line, detail }) => ({ pointer: "#", detail: `line ${line} ${detail}` })),
  });

export function decisionRoutes(protector: SafeProtector): Route[] {
  const shown = (decision: Decision): object => {
    const { scope, value, action } = decision;
    return { ...decision, ...(action === "observe" ? protector.refusals.observedOf(scope, value) : { seen: 0, bought: 0 }) };
  };
  return [
    on(api.findDecisions, async ({ query: { after = "", limit = PAGE_ROWS_DEFAULT, ...filter } }) => {
      const { decisions, next } = await protector.find(filter, after, limit);
      return json({ decisions: decisions.map(shown), next });
    }),
    on(api.addDecision, async ({ body: { scope, value: text, action, durationSeconds, note } }) => {
      const value = canonicalValue(scope, text);
      if (value === null) return wrongValue(scope, "#/value");
      const added = await protector.decide({ scope, value, action }, durationSeconds, note ?? "");
      return added ? json(shown(added)) : listFull();
    }),
    on(api.importDecisions, async ({ body, query: { accounts, action = "block", durationSeconds, note = "" } }) => {
      const terms = { areAccounts: accounts === "true", action, durationSeconds, note };
      const outcome = await protector.importList(body, terms);
      if (outcome.kind === "full") return listFull();
      return outcome.kind === "imported" ? json(outcome.imported) : nothingGood(outcome.imported);
    }),
    on(api.removeDecision, async ({ params: { scope, value: text }, query: { action } }) => {
      const value = canonicalValue(scope, text);
      if (value === null) return wrongValue(scope, "#/path/value");
      const removed = await protector.remove({ scope, value, isAllow: action === "allow" });
      return json({ removed });
    }),
  ];
}

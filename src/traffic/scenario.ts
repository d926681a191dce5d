/**
 * Scenarios: what counts as an attack, as data. Each looks at one group (every address, network or account by itself), over a window, and asks
 * that all of its conditions hold. A condition asks for a count of events, or for a share of them; an estimate is always taken as its bound in
 * the client's favour.
 */
import Type, { type Static } from "typebox";
import { Compile } from "typebox/compile";
import { SCENARIOS_MAX } from "../limits/traffic.ts";
import { DECISION_SECONDS_MAX } from "../limits.ts";
import type { KeyTracker } from "./key-tracker.ts";
import { KIND, KINDS } from "./kinds.ts";

export const WINDOW_SECONDS = [10, 60, 600] as const;
/** For who else came along, there is no memory for longer. */
const OTHERS_WINDOW_SECONDS_MAX = 60;

/** `requests` are all that say something about their sender, but for those that a decision has stopped already. `accounts` came from an address or a network, `addresses` were used by an account. */
export const SIGNALS = {
  requests: [KIND.held, KIND.excused, KIND.refused, KIND.early, KIND.malformed, KIND.released],
  held: [KIND.held],
  excused: [KIND.excused],
  refused: [KIND.refused],
  early: [KIND.early],
  blocked: [KIND.blocked],
  malformed: [KIND.malformed],
  released: [KIND.released],
  accounts: null,
  addresses: null,
} as const satisfies Record<string, readonly number[] | null>;
export type Signal = keyof typeof SIGNALS;

const SignalName = Type.Enum(Object.keys(SIGNALS) as Signal[], { description: `one of ${Object.keys(SIGNALS).join(", ")}` });
/** Beyond this the number of those who came along cannot be told from a larger one with certainty. */
const OTHERS_MIN_MAX = 3_000;
const COUNT_MAX = 1_000_000_000;
const Share = Type.Number({ minimum: 0, maximum: 1000 });
const strict = { additionalProperties: false } as const;
const Condition = Type.Union([
  Type.Object({ signal: SignalName, atLeast: Type.Integer({ minimum: 1, maximum: COUNT_MAX }) }, strict),
  Type.Object({ signal: SignalName, of: SignalName, atLeast: Share }, strict),
  Type.Object({ signal: SignalName, of: SignalName, atMost: Share }, strict),
]);
const ScenarioSchema = Type.Object(
  {
    name: Type.String({
      pattern: "^[a-z][a-z0-9-]{0,63}$",
      description: "1-64 lower-case letters, digits and dashes, beginning with a letter",
    }),
    group: Type.Enum(["address", "network", "account"]),
    windowSeconds: Type.Enum([...WINDOW_SECONDS]),
    when: Type.Array(Condition, { minItems: 1, maxItems: 8 }),
    action: Type.Enum(["block", "throttle", "observe"]),
    durationSeconds: Type.Integer({ minimum: 1, maximum: DECISION_SECONDS_MAX }),
  },
  strict,
);
const ScenariosSchema = Type.Array(ScenarioSchema, { maxItems: SCENARIOS_MAX });

export type Condition = Static<typeof Condition>;
export type Scenario = Static<typeof ScenarioSchema>;

/** The scenarios that a value describes, or what is wrong with the first bad field. */
export function parseScenarios(value: unknown): { readonly value: readonly Scenario[] } | { readonly fault: string } {
  const check = Compile(ScenariosSchema);
  if (!check.Check(value)) {
    const error = [...check.Errors(value)].toSorted((a, b) => b.instancePath.length - a.instancePath.length)[0];
    const missing = (error?.params as { readonly requiredProperties?: readonly string[] } | undefined)?.requiredProperties?.[0];
    return { fault: `is wrong at ${error?.instancePath || "/"}${missing ? ` (${missing} is missing)` : ` (${error?.message})`}` };
  }
  const names = new Set<string>();
  for (const [index, scenario] of value.entries()) {
    const at = (field: string, what: string) => ({ fault: `is wrong at /${index}/${field} (${what})` });
    if (names.has(scenario.name)) return at("name", "another scenario has this name");
    names.add(scenario.name);
    const wrong = faultOf(scenario);
    if (wrong !== null) return at("when", wrong);
  }
  return { value };
}

/** What the schema cannot say. */
function faultOf({ group, windowSeconds, when }: Scenario): string | null {
  const others = group === "account" ? "addresses" : "accounts";
  const foreign = group === "account" ? "accounts" : "addresses";
  const asked = when.flatMap((condition) => ("of" in condition ? [condition.signal, condition.of] : [condition.signal]));
  if (asked.includes(foreign)) return `${foreign} are not counted by ${group}`;
  if (asked.includes(others) && windowSeconds > OTHERS_WINDOW_SECONDS_MAX)
    return `${others} are counted over ${OTHERS_WINDOW_SECONDS_MAX} seconds at most`;
  const counts = when.filter((condition) => !("of" in condition));
  if (counts.length === 0) return "a share alone says nothing: ask for a count too";
  const tooMany = counts.some(
    ({ signal, ...condition }) => signal === others && "atLeast" in condition && condition.atLeast > OTHERS_MIN_MAX,
  );
  return tooMany ? `more than ${OTHERS_MIN_MAX} ${others} are not told apart` : null;
}

/** The kinds of which somebody must have done so many before a condition can hold. Nobody comes along without a request. */
interface Line {
  readonly kinds: readonly number[];
  readonly atLeast: number;
}
const ANYTHING: readonly number[] = KINDS.map((kind) => KIND[kind]);

/** A scenario, made ready to be asked about very many who do nothing of the kind. */
export class Lookout {
  readonly scenario: Scenario;
  readonly #lines: readonly Line[];

  constructor(scenario: Scenario) {
    this.scenario = scenario;
    this.#lines = scenario.when.flatMap((condition) =>
      "of" in condition ? [] : [{ kinds: SIGNALS[condition.signal] ?? ANYTHING, atLeast: condition.atLeast }],
    );
  }

  /** Whether the key in this slot does what the scenario describes. */
  sees(tracker: KeyTracker, slot: number): boolean {
    const { windowSeconds, when } = this.scenario;
    for (const { kinds, atLeast } of this.#lines) if (tracker.sum(slot, windowSeconds, kinds) < atLeast) return false;
    return when.every((condition) => holds(condition, (signal, bound) => figureOf(signal, bound, windowSeconds, tracker, slot)));
  }
}

type Read = (signal: Signal, bound: "min" | "max") => number;

function holds(condition: Condition, read: Read): boolean {
  const { signal } = condition;
  if (!("of" in condition)) return read(signal, "min") >= condition.atLeast;
  if ("atLeast" in condition) return read(signal, "min") >= condition.atLeast * read(condition.of, "max");
  return read(signal, "max") <= condition.atMost * read(condition.of, "min");
}

function figureOf(signal: Signal, bound: "min" | "max", windowSeconds: number, tracker: KeyTracker, slot: number): number {
  const kinds = SIGNALS[signal];
  if (kinds !== null) return tracker.sum(slot, windowSeconds, kinds);
  return bound === "min" ? tracker.othersMin(slot, windowSeconds) : tracker.othersMax(slot, windowSeconds);
}

/** What was seen of the key, by signal. */
export function countsOf({ group, windowSeconds }: Scenario, tracker: KeyTracker, slot: number): Record<string, number> {
  const found: Record<string, number> = {};
  for (const [signal, kinds] of Object.entries(SIGNALS)) {
    if (kinds !== null) found[signal] = tracker.sum(slot, windowSeconds, kinds);
  }
  if (windowSeconds <= OTHERS_WINDOW_SECONDS_MAX)
    found[group === "account" ? "addresses" : "accounts"] = tracker.othersMin(slot, windowSeconds);
  return Object.fromEntries(Object.entries(found).filter(([, count]) => count > 0));
}

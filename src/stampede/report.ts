/** What a stampede shows: two lines while it runs, one page at its end. Pure text. */
import type { DurationMs } from "../core/time.ts";
import type { KindReport } from "./bots.ts";
import type { StampedeSettings } from "./options.ts";
import type { Tally } from "./tally.ts";
import type { Finding, GoodsReading } from "./verify.ts";

const count = (value: number): string => Math.round(value).toLocaleString("en-US");
const percent = (part: number, whole: number): string => `${(whole === 0 ? 0 : (100 * part) / whole).toFixed(1)} %`;
const milliseconds = (us: number): string => (us < 10_000 ? `${(us / 1_000).toFixed(1)} ms` : `${count(us / 1_000)} ms`);

/** The ten commonest outcomes are enough for a line that is read at a glance. */
const OUTCOMES_IN_LINE_MAX = 10;

const outcomes = (tally: Tally): [string, number][] => [...tally.funnel].sort(([, a], [, b]) => b - a);

/** How it goes, and what the buyers were told. @param answersPerSecond since the last time this was shown */
export function progressLines(tally: Tally, buyers: number, answersPerSecond: number): readonly [string, string] {
  const funnel = outcomes(tally).slice(0, OUTCOMES_IN_LINE_MAX);
  const [p50, p99] = [50, 99].map((rank) => milliseconds(tally.latencyUs.getValueAtPercentile(rank)));
  return [
    `${count(tally.arrived)} of ${count(buyers)} arrived  ${count(answersPerSecond)} answers/s  p50 ${p50}  p99 ${p99}`,
    funnel.map(([outcome, buyersTold]) => `${outcome} ${count(buyersTold)}`).join("  "),
  ];
}

export interface Run {
  readonly settings: StampedeSettings;
  readonly tally: Tally;
  readonly elapsedMs: DurationMs;
  readonly canBlacklist: boolean;
  readonly before: GoodsReading;
  readonly after: GoodsReading;
  readonly findings: readonly Finding[];
  /** Empty: there were none. */
  readonly bots: readonly KindReport[];
}

/** The page at the end. Its last line is the result in one sentence. */
export function resultPage(run: Run): string {
  const sections = [
    title(run),
    crowd(run),
    funnel(run.tally),
    repeats(run.tally),
    attackers(run),
    goods(run),
    checks(run),
    assumed(run),
    result(run),
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

function title({ settings }: Run): string {
  const { buyers, sku, gate, connections, ratePerSecond, seed } = settings;
  return `Stampede: ${count(buyers)} buyers of ${sku} at ${gate.origin}, ${count(ratePerSecond)} per second over ${count(connections)} connections, seed ${seed}`;
}

function crowd({ tally, elapsedMs }: Run): string {
  const rank = (percentile: number) => milliseconds(tally.latencyUs.getValueAtPercentile(percentile));
  const lines = [
    `Answers    ${count(tally.answered)} first answers in ${(elapsedMs / 1_000).toFixed(1)} s, ${count((tally.answered * 1_000) / Math.max(1, elapsedMs))} per second`,
    `Latency    p50 ${rank(50)}, p90 ${rank(90)}, p99 ${rank(99)}, p99.9 ${rank(99.9)}, longest ${milliseconds(tally.latencyUs.maxValue)}; from the scheduled arrival to the first answer`,
  ];
  if (tally.late > 0)
    lines.push(
      `Overload   ${count(tally.late)} arrivals (${percent(tally.late, tally.arrived)}) had to wait for a free connection or for the generator; the latencies include that wait`,
    );
  if (tally.notSent > 0)
    lines.push(`Overload   ${count(tally.notSent)} arrivals were never sent: too many were waiting. Lower --rate or raise --connections`);
  return lines.join("\n");
}

function funnel(tally: Tally): string {
  const rows = outcomes(tally).map(
    ([outcome, buyers]) => `  ${outcome.padEnd(24)}${count(buyers).padStart(12)}${percent(buyers, tally.arrived).padStart(10)}`,
  );
  return ["What they were told", ...rows].join("\n");
}

function repeats(tally: Tally): string {
  if (tally.askedAgain === 0) return "";
  return `Repeats    ${count(tally.askedAgain)} asked again with the same key, ${count(tally.askedAgainAfterCut)} of them after a cut connection; ${count(tally.gotSameReply)} got the same reply`;
}

/** By kind, when they were first told that they are blacklisted or throttled, and what they got all the same; and which people were blocked with them. */
function attackers({ bots, tally }: Run): string {
  if (bots.length === 0) return "";
  const rows = bots.map((kind) => {
    const { keptAwayAfterMs: times, keptAwayAfterRequests: requests } = kind;
    const middle = times.length >> 1;
    const when =
      times.length === 0
        ? "none was kept away"
        : `${count(times.length)} kept away: the middle one after ${seconds(times[middle])} and ${count(requests[middle] ?? 0)} requests, the last after ${seconds(times.at(-1))}`;
    const given = kind.bought === kind.kept ? "" : `, gave back ${count(kind.bought - kind.kept)}`;
    return `  ${kind.kind.padEnd(11)}${count(kind.bots).padStart(6)} bots, ${count(kind.requests)} requests; ${when}; bought ${count(kind.bought)}${given}`;
  });
  const { peopleBlocked, blockedNames } = tally;
  const more = peopleBlocked > blockedNames.length ? ", ..." : "";
  const people = peopleBlocked === 0 ? "none" : `${count(peopleBlocked)}: ${blockedNames.join(", ")}${more}`;
  return [
    "Attackers, from their first request until they were told that they are blacklisted or throttled",
    ...rows,
    `  People blocked with them: ${people}`,
  ].join("\n");
}

const seconds = (ms: DurationMs = 0): string => `${(ms / 1_000).toFixed(1)} s`;

function goods({ before, after }: Run): string {
  const state = ({ onHand, frozen, available }: GoodsReading) =>
    `${count(onHand)} on hand, ${count(frozen)} frozen, ${count(available)} available`;
  return `Goods      before: ${state(before)}\n           after:  ${state(after)}`;
}

const verdictWords: Readonly<Record<Finding["verdict"], string>> = { ok: "ok", broken: "BROKEN", "not checked": "not checked" };

function checks({ findings, tally }: Run): string {
  const rows = findings.map((finding) => `  ${verdictWords[finding.verdict].padEnd(12)}${finding.text}`);
  const faults = tally.faults.map((fault) => `  ${verdictWords.broken.padEnd(12)}${fault}`);
  const more = tally.faultCount - tally.faults.length;
  if (more > 0) faults.push(`  ${verdictWords.broken.padEnd(12)}and ${count(more)} more wrong answers`);
  return ["Checked with the services", ...rows, ...faults].join("\n");
}

function assumed({ settings, canBlacklist }: Run): string {
  const alone = settings.isShared
    ? "others may be buying the same goods; what only holds without them was not checked"
    : `nobody else bought, released or restocked ${settings.sku} during the run (else give --shared)`;
  const nonsense =
    settings.badShare > 0 && !canBlacklist
      ? "\nNo users were blacklisted, because the SafeProtector did not let us: bad buyers only sent nonsense."
      : "";
  return `Assumed: ${alone}.${nonsense}`;
}

export const isBroken = (run: Pick<Run, "findings" | "tally">): boolean =>
  run.tally.faultCount > 0 || run.findings.some((finding) => finding.verdict === "broken");

function result(run: Run): string {
  return isBroken(run)
    ? "Result: BROKEN. A promise was not kept; see above."
    : "Result: nothing oversold, nothing lost, nothing frozen twice.";
}

/**
 * Where the time of a purchase goes: one round of purchases under Bun's sampling profiler, and the functions in which the most samples of the
 * measured window were taken. What the engine or SQLite does is named after the function of ours that called it. The profile itself stays
 * in `.artefacts/` and opens in any browser's developer tools.
 *
 * A sample says where the thread was, also while it waited for the disk: the share of a commit is larger here than in processor time.
 */
import { mkdirSync } from "node:fs";
import { join, relative } from "node:path";
import { table } from "./figures.ts";
import { PROJECT } from "./processes.ts";
import { measureShop, type ShopName } from "./purchase-rounds.ts";

const ROWS = 40;
const SAMPLING_US = 200;
const WINDOWS = { warmUpSeconds: 3, measuredSeconds: 6 } as const;

/** The part of a `.cpuprofile` (Chrome DevTools protocol, `Profiler.Profile`) that is read here. Times are microseconds. */
interface Profile {
  readonly nodes: readonly Node[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}
interface Node {
  readonly id: number;
  readonly children?: readonly number[];
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
}

export async function profilePurchases(shop: ShopName, filledStore: string | null): Promise<void> {
  const folder = join(PROJECT, ".artefacts");
  const file = `${shop}.cpuprofile`;
  mkdirSync(folder, { recursive: true });
  const flags = ["--cpu-prof", `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${file}`, `--cpu-prof-interval=${SAMPLING_US}`];
  const { cpuUsPerRequest, windowEndedMs } = await measureShop(shop, filledStore, WINDOWS, flags);
  const profile = (await Bun.file(join(folder, file)).json()) as Profile;
  const windowMs = { from: windowEndedMs - WINDOWS.measuredSeconds * 1_000, to: windowEndedMs };
  console.log(`${shop}: ${cpuUsPerRequest.toFixed(1)} us of CPU per request while sampled. Self time by function:\n`);
  console.log(table([["share", "function", "where"], ...topFunctions(profile, windowMs)]));
  console.log(`\nThe whole profile: ${relative(PROJECT, join(folder, file))}`);
}

function topFunctions(profile: Profile, windowMs: { readonly from: number; readonly to: number }): string[][] {
  const names = frameNames(profile.nodes);
  const hits = new Map<string, number>();
  let total = 0;
  let atUs = 0;
  for (const [index, node] of profile.samples.entries()) {
    atUs += profile.timeDeltas[index] ?? 0;
    if (atUs < windowMs.from * 1_000 || atUs > windowMs.to * 1_000) continue;
    const name = names.get(node) ?? "?\t";
    hits.set(name, (hits.get(name) ?? 0) + 1);
    total += 1;
  }
  const top = [...hits].sort(([, a], [, b]) => b - a).slice(0, ROWS);
  return top.map(([name, count]) => [`${((count / total) * 100).toFixed(1)} %`, ...name.split("\t")]);
}

/** `name \t where` of every node; a native function is named with its nearest caller in a file. */
function frameNames(nodes: readonly Node[]): Map<number, string> {
  const parents = new Map<number, Node>();
  for (const node of nodes) for (const child of node.children ?? []) parents.set(child, node);
  return new Map(
    nodes.map((node) => {
      const path: string[] = [];
      let at: Node | undefined = node;
      for (; at && !at.callFrame.url.includes("/"); at = parents.get(at.id)) path.push(at.callFrame.functionName || "(anonymous)");
      if (at) path.push(at.callFrame.functionName || "(anonymous)");
      return [node.id, `${path.join(" < ")}\t${at ? whereOf(at) : "(native)"}`];
    }),
  );
}

function whereOf({ callFrame }: Node): string {
  const file = callFrame.url.replace("file://", "");
  return `${file.startsWith(PROJECT) ? relative(PROJECT, file) : file}:${callFrame.lineNumber + 1}`;
}

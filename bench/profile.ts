/**
 * Where the time of a purchase goes: one round of accepted purchases under Bun's sampling profiler, and the functions in which the most samples
 * were taken. The profile itself stays in `.artefacts/` and opens in any browser's developer tools.
 */
import { mkdirSync } from "node:fs";
import { join, relative } from "node:path";
import { shown, table } from "./figures.ts";
import { PROJECT } from "./processes.ts";
import { measureShop, type ShopName, type Windows } from "./purchase-rounds.ts";

const ROWS = 30;
const SAMPLING_US = 250;

/** The part of a `.cpuprofile` (Chrome DevTools protocol, `Profiler.Profile`) that is read here. */
interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

export async function profilePurchases(shop: ShopName, windows: Windows): Promise<void> {
  const folder = join(PROJECT, ".artefacts");
  const name = `${shop}.cpuprofile`;
  mkdirSync(folder, { recursive: true });
  const flags = ["--cpu-prof", `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}`, `--cpu-prof-interval=${SAMPLING_US}`];
  const result = await measureShop(shop, null, windows, flags);
  const profile = (await Bun.file(join(folder, name)).json()) as Profile;
  console.log(`${shop}: ${shown(result.cpuUsPerRequest, "ratio")} us of CPU per request while sampled. Self time by function:\n`);
  console.log(table([["share", "us/request", "function", "where"], ...topFunctions(profile, result.cpuUsPerRequest)]));
  console.log(`\nThe whole profile: ${relative(PROJECT, join(folder, name))}`);
}

function topFunctions(profile: Profile, cpuUsPerRequest: number): string[][] {
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, frameName(callFrame)]));
  const selfUs = new Map<string, number>();
  let totalUs = 0;
  for (const [index, node] of profile.samples.entries()) {
    const frame = frames.get(node) ?? "?";
    // Waiting for the next event is no work.
    if (frame.startsWith("(idle)")) continue;
    const us = profile.timeDeltas[index] ?? 0;
    selfUs.set(frame, (selfUs.get(frame) ?? 0) + us);
    totalUs += us;
  }
  const top = [...selfUs].sort(([, a], [, b]) => b - a).slice(0, ROWS);
  return top.map(([frame, us]) => {
    const [name, where] = frame.split("\t") as [string, string];
    return [`${((us / totalUs) * 100).toFixed(1)} %`, ((us / totalUs) * cpuUsPerRequest).toFixed(2), name, where];
  });
}

function frameName({ functionName, url, lineNumber }: Profile["nodes"][number]["callFrame"]): string {
  const file = url.replace("file://", "");
  const where = file.startsWith(PROJECT) ? `${relative(PROJECT, file)}:${lineNumber + 1}` : file || "(native)";
  return `${functionName || "(anonymous)"}\t${where}`;
}

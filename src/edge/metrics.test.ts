/** Metrics as a Prometheus server reads them: text exposition format 0.0.4, parsed here line by line. */
import { describe, expect, test } from "bun:test";
import { ServiceMetrics } from "./metrics.ts";

interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}
interface Family {
  readonly help: string;
  readonly type: string;
  readonly samples: readonly Sample[];
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/gy;

function labelsOf(text: string): Map<string, string> {
  const found = [...text.matchAll(LABEL)];
  expect(found.map(([whole]) => whole).join("")).toBe(text);
  const labels = new Map(found.map(([, name, value]) => [name as string, JSON.parse(`"${value}"`) as string]));
  expect(labels.size).toBe(found.length);
  return labels;
}

/** Reads an exposition, and refuses what a Prometheus server would refuse. */
function parse(text: string): Map<string, Family> {
  expect(text.endsWith("\n")).toBe(true);
  const families = new Map<string, Family & { samples: Sample[] }>();
  const seen = new Set<string>();
  for (const line of text.split("\n").filter((line) => line !== "")) {
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (comment) {
      const [, kind, name, rest] = comment as unknown as [string, string, string, string];
      const family = families.get(name) ?? { help: "", type: "", samples: [] };
      // A family is described once, and before its samples.
      expect([family.samples, kind === "HELP" ? family.help : family.type]).toEqual([[], ""]);
      families.set(name, kind === "HELP" ? { ...family, help: rest } : { ...family, type: rest });
      continue;
    }
    const [, name, labelText = "", valueText] = SAMPLE.exec(line) as unknown as [string, string, string | undefined, string];
    const sample = { name, labels: labelsOf(labelText), value: Number(valueText) };
    expect(Number.isNaN(sample.value)).toBe(false);
    const [familyName, family] = [...families].at(-1) as [string, Family & { samples: Sample[] }];
    const suffixes = family.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
    expect(suffixes.map((suffix) => familyName + suffix)).toContain(name);
    const identity = name + JSON.stringify([...sample.labels].sort());
    expect(seen.has(identity)).toBe(false);
    seen.add(identity);
    family.samples.push(sample);
  }
  for (const { help, type } of families.values())
    expect([help !== "", type]).toEqual([true, expect.stringMatching(/^(counter|gauge|histogram)$/)]);
  return families;
}

const read = async (metrics: ServiceMetrics): Promise<Map<string, Family>> => parse(await metrics.text());
const samplesOf = (families: Map<string, Family>, name: string): readonly Sample[] => (families.get(name) as Family).samples;

describe("the metrics", () => {
  test("of a service are valid exposition, each with its service's name, also before anything was counted", async () => {
    const metrics = new ServiceMetrics("GateKeeper");
    metrics.purchases();
    metrics.gauge("doorbuster_a", "How much.", () => 1.5);
    metrics.counter("doorbuster_b_total", 'With a " and a \\ in it.', () => 0);
    const families = await read(metrics);
    expect([...families].map(([name, { type }]) => `${type} ${name}`)).toEqual([
      "counter doorbuster_http_replies_total",
      "counter doorbuster_purchases_total",
      "histogram doorbuster_purchase_seconds",
      "gauge doorbuster_a",
      "counter doorbuster_b_total",
    ]);
    const all = [...families.values()].flatMap(({ samples }) => samples);
    expect(all.length).toBeGreaterThan(0);
    expect(all.every(({ labels }) => labels.get("service") === "GateKeeper")).toBe(true);
  });

  test("are read when they are asked for, again each time", async () => {
    const metrics = new ServiceMetrics("S");
    let figure = 3;
    metrics.gauge("doorbuster_a", "How much.", () => figure);
    metrics.counter("doorbuster_b_total", "How often.", () => figure);
    const figures = async () => {
      const families = await read(metrics);
      return [...samplesOf(families, "doorbuster_a"), ...samplesOf(families, "doorbuster_b_total")].map(({ value }) => value);
    };
    expect(await figures()).toEqual([3, 3]);
    figure = 7;
    expect(await figures()).toEqual([7, 7]);
    expect(await figures()).toEqual([7, 7]);
  });

  test("count replies by their status", async () => {
    const metrics = new ServiceMetrics("S");
    for (const status of [200, 200, 429, 200]) metrics.countReply(status);
    const replies = samplesOf(await read(metrics), "doorbuster_http_replies_total");
    expect(replies.map(({ labels, value }) => [labels.get("status"), value])).toEqual([
      ["200", 3],
      ["429", 1],
    ]);
  });
});

describe("the metrics of purchases", () => {
  test("count them by how they ended", async () => {
    const metrics = new ServiceMetrics("S");
    const count = metrics.purchases();
    for (const end of ["success", "sold-out", "success"]) count(end, 100);
    const ends = samplesOf(await read(metrics), "doorbuster_purchases_total");
    expect(ends.map(({ labels, value }) => [labels.get("reason"), value])).toEqual([
      ["success", 2],
      ["sold-out", 1],
    ]);
  });

  test("are a histogram: cumulative, each bucket with its bound in it, the last with everything", async () => {
    const metrics = new ServiceMetrics("S");
    const count = metrics.purchases();
    const timesUs = [0, 1, 200, 200.1, 999, 1_000, 1_001, 30_000, 2_500_000, 2_500_001, 60_000_000];
    for (const totalUs of timesUs) count("success", totalUs);
    const samples = samplesOf(await read(metrics), "doorbuster_purchase_seconds");
    const buckets = samples.filter(({ name }) => name.endsWith("_bucket"));
    const bounds = buckets.map(({ labels }) => (labels.get("le") === "+Inf" ? Number.POSITIVE_INFINITY : Number(labels.get("le"))));
    expect(bounds).toEqual([...new Set(bounds)].sort((a, b) => a - b));
    expect(bounds.at(-1)).toBe(Number.POSITIVE_INFINITY);
    expect(buckets.map(({ value }) => value)).toEqual(bounds.map((bound) => timesUs.filter((us) => us / 1e6 <= bound).length));
    const [sum, all] = samples.slice(-2);
    expect([sum?.name, all?.name]).toEqual(["doorbuster_purchase_seconds_sum", "doorbuster_purchase_seconds_count"]);
    expect(sum?.value).toBeCloseTo(timesUs.reduce((total, us) => total + us, 0) / 1e6, 9);
    expect(all?.value).toBe(timesUs.length);
  });
});

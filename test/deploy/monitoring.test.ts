/** What is watched: every figure that an alert or a panel names is one that the program prints, and Prometheus takes the files. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { ServiceMetrics } from "../../src/edge/metrics.ts";
import { PORTS } from "../../src/topology/ports.ts";
import { describeTables } from "../../src/topology/shared-tables.ts";
import { getJson, postJson, startSystem } from "../system.ts";
import { type ComposeService, DEPLOY, networksOf, readCompose, readDeployFile, SAMPLE_ENV } from "./compose-file.ts";

// Generous: a busy machine is no mistake.
setDefaultTimeout(120_000);

const hasPromtool = Bun.which("promtool") !== null;
const NEEDS_PROMTOOL = hasPromtool ? "" : "(needs promtool, which is not installed here: apt-get install prometheus)";

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly datasource: { readonly uid: string } }[];
}
const dashboard = JSON.parse(readDeployFile("grafana/dashboards/doorbuster.json")) as { readonly panels: readonly Panel[] };
const expressionsOfPanels = dashboard.panels.flatMap(({ targets }) => (targets ?? []).map(({ expr }) => expr));
interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
}
const rules = (parse(readDeployFile("prometheus/alerts.yml")) as { groups: { rules: Rule[] }[] }).groups.flatMap((group) => group.rules);

const promtool = (...args: string[]) => {
  const done = Bun.spawnSync(["promtool", ...args], { cwd: join(DEPLOY, "prometheus"), stdout: "pipe", stderr: "pipe" });
  return { exitCode: done.exitCode, said: done.exitCode === 0 ? "" : `${done.stdout.toString()}${done.stderr.toString()}` };
};
const RULE_TESTS = ["alerts.test.yml", "alerts-patient.test.yml"];
const isFine = { exitCode: 0, said: "" };

describe("Prometheus", () => {
  test.skipIf(!hasPromtool)(`takes its configuration and the alerts ${NEEDS_PROMTOOL}`, () => {
    expect(promtool("check", "config", "prometheus.yml")).toEqual(isFine);
    expect(promtool("check", "rules", "alerts.yml")).toEqual(isFine);
  });

  test.skipIf(!hasPromtool)(
    `fires each alert when it should, and not before ${NEEDS_PROMTOOL}`,
    () => {
      expect(promtool("test", "rules", ...RULE_TESTS)).toEqual(isFine);
    },
    60_000,
  );

  test("has a case for every alert in which it fires, and one in which it does not", () => {
    type Case = { alertname: string; exp_alerts: unknown[] };
    const tests = RULE_TESTS.flatMap(
      (file) => (parse(readDeployFile(`prometheus/${file}`)) as { tests: { alert_rule_test: Case[] }[] }).tests,
    );
    const cases = tests.flatMap((each) => each.alert_rule_test);
    const named = (isFiring: boolean) =>
      new Set(cases.filter((each) => each.exp_alerts.length > 0 === isFiring).map((each) => each.alertname));
    const alerts = new Set(rules.map(({ alert }) => alert));
    expect([named(true), named(false)]).toEqual([alerts, alerts]);
    expect(rules.filter(({ labels }) => !["warning", "critical"].includes(labels.severity))).toEqual([]);
  });

  test("asks the services of compose.yaml on the ports that they listen on, over a network that both are on", () => {
    type Job = { dns_sd_configs?: { names: string[]; port: number }[]; static_configs?: { targets: string[] }[] };
    const jobs = (parse(readDeployFile("prometheus/prometheus.yml")) as { scrape_configs: Job[] }).scrape_configs;
    const targets = jobs.flatMap(({ dns_sd_configs = [], static_configs = [] }) => [
      ...dns_sd_configs.flatMap(({ names, port }) => names.map((name) => ({ name, port }))),
      ...static_configs.flatMap((each) =>
        each.targets.map((target) => ({ name: target.split(":")[0] ?? "", port: Number(target.split(":")[1]) })),
      ),
    ]);
    const { services } = readCompose(SAMPLE_ENV);
    const others = targets.filter(({ name }) => name !== "127.0.0.1");
    expect(others.filter(({ name }) => !Object.keys(networksOf(services[name] as ComposeService)).includes("back"))).toEqual([]);
    const ports: ReadonlySet<number> = new Set(Object.values(PORTS));
    expect(others.filter(({ name, port }) => name !== "front" && !ports.has(port))).toEqual([]);
    expect(new Set(others.map(({ port }) => port))).toEqual(new Set([...ports, 8405]));
  });
});

describe("the dashboard", () => {
  const panels = dashboard.panels;

  test("has panels with a number and a place of their own", () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) => {
      expect(x + w).toBeLessThanOrEqual(24);
      return Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`);
    });
    expect(new Set(cells).size).toBe(cells.length);
    expect(panels.filter(({ type, targets }) => type !== "row" && !targets?.length)).toEqual([]);
  });

  test("asks the source that is provisioned, and is where Grafana looks for it", () => {
    const [source] = (
      parse(readDeployFile("grafana/provisioning/datasources/prometheus.yml")) as { datasources: { uid: string; url: string }[] }
    ).datasources;
    const asked = new Set(panels.flatMap(({ targets }) => (targets ?? []).map(({ datasource }) => datasource.uid)));
    expect([...asked]).toEqual([source?.uid ?? ""]);
    const { services } = readCompose(SAMPLE_ENV);
    expect(Object.keys(services)).toContain(new URL(source?.url ?? "").hostname);
    const places = Object.entries(services)
      .flatMap(([name, { configs }]) => (name === "grafana" ? (configs ?? []) : []))
      .map(({ target }) => target);
    const [provider] = (
      parse(readDeployFile("grafana/provisioning/dashboards/doorbuster.yml")) as { providers: { options: { path: string } }[] }
    ).providers;
    expect(places).toContain(`${provider?.options.path}/doorbuster.json`);
  });

  test.skipIf(!hasPromtool)(`asks what Prometheus understands ${NEEDS_PROMTOOL}`, () => {
    const folder = mkdtempSync(join(tmpdir(), "doorbuster-panels-"));
    const filled = expressionsOfPanels.map((expr) => expr.replaceAll("$__rate_interval", "1m").replaceAll("$__range", "15m"));
    const asRules = { groups: [{ name: "panels", rules: filled.map((expr, i) => ({ record: `panel:${i}`, expr })) }] };
    writeFileSync(join(folder, "panels.yml"), JSON.stringify(asRules));
    expect(promtool("check", "rules", join(folder, "panels.yml"))).toEqual(isFine);
    rmSync(folder, { recursive: true, force: true });
  });
});

/** What a process prints of its copies of shared tables, which only processes with Redis have. */
function ofCopies(): Promise<string> {
  const metrics = new ServiceMetrics("PolicyController");
  describeTables(metrics, [{ name: "policies", figures: { isCurrent: true, ageMs: 100, position: 1, loads: 1 } }]);
  return metrics.text();
}

test("every figure that an alert or a panel names is printed by the running system, with the labels that are asked for", async () => {
  const system = await startSystem({ args: ["--demo"] });
  // Only a gate in a process of its own has links.
  const withLinks = await startSystem({ args: ["--demo", "--gates", "1"] });
  try {
    await postJson(`${system.gate}/buy`, { clientIP: "202.100.100.1", userID: "U1", userLevel: 5, goodsSKU: "SKU0001", goodsQuantity: 1 });
    const ports = [system.gate, system.protector, system.policy, system.inventory, system.cart, system.registry];
    await Promise.all(ports.map((url) => getJson(`${url}/health`)));
    const answers = await Promise.all([...ports, withLinks.gate].map(async (url) => (await getJson(`${url}/metrics`)).text));
    const printed = [...answers, await ofCopies()].join("\n");
    const names = new Set([...printed.matchAll(/^(doorbuster_\w+?)(?:\{|\s)/gm)].map((match) => match[1]));
    const labels = new Set([...printed.matchAll(/[{,](\w+)="/g)].map((match) => match[1]));
    const expressions = [...expressionsOfPanels, ...rules.map(({ expr }) => expr)];
    const asked = new Set(expressions.flatMap((expr) => [...expr.matchAll(/\bdoorbuster_\w+/g)].map((match) => match[0])));
    expect(asked.size).toBeGreaterThan(15);
    expect([...asked].filter((name) => !names.has(name))).toEqual([]);
    // What Prometheus itself adds to every figure.
    const ofPrometheus = ["instance", "job"];
    const askedLabels = expressions.flatMap((expr) => [
      ...[...expr.matchAll(/by \(([\w, ]+)\)/g)].flatMap((match) => (match[1] ?? "").split(", ")),
      ...[...expr.matchAll(/[{,] ?(\w+)=~?"/g)].map((match) => match[1] ?? ""),
    ]);
    const known = [...labels, ...ofPrometheus, "proxy"];
    expect([...new Set(askedLabels)].filter((label) => !known.includes(label))).toEqual([]);
  } finally {
    await Promise.all([system.stop(), withLinks.stop()]);
  }
});

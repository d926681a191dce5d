/** The manifests of `deploy/kubernetes/`: rules that matter when a node is emptied, Redis is away, or somebody gets into a pod. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { parse, parseAllDocuments } from "yaml";
import packageJson from "../../package.json" with { type: "json" };
import { SHUTDOWN_MS_MAX } from "../../src/limits.ts";
import { PORTS, type PortName } from "../../src/topology/ports.ts";
import { DEPLOY, envLines, readDeployFile } from "./compose-file.ts";
import { faultOfVariables } from "./known-settings.ts";

// Generous: a busy machine is no mistake.
setDefaultTimeout(120_000);

type Labels = Readonly<Record<string, string>>;
interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values: readonly string[] }[];
}
interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}
interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env?: readonly {
    name: string;
    value?: string;
    valueFrom?: { secretKeyRef?: { name: string; key: string }; fieldRef?: { fieldPath: string } };
  }[];
  readonly envFrom?: readonly { readonly configMapRef?: { readonly name: string }; readonly secretRef?: { readonly name: string } }[];
  readonly startupProbe?: Probe;
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly lifecycle?: { readonly preStop: { readonly sleep: { readonly seconds: number } } };
  readonly resources: { readonly requests: Labels; readonly limits: Labels };
  readonly securityContext: {
    readonly allowPrivilegeEscalation: boolean;
    readonly readOnlyRootFilesystem: boolean;
    readonly capabilities: { readonly drop: readonly string[] };
  };
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}
interface Pod {
  readonly metadata: { readonly labels: Labels };
  readonly spec: {
    readonly containers: readonly Container[];
    readonly enableServiceLinks: boolean;
    readonly automountServiceAccountToken: boolean;
    readonly securityContext: {
      readonly runAsNonRoot: boolean;
      readonly runAsUser: number;
      readonly fsGroup: number;
      readonly seccompProfile: { readonly type: string };
    };
    readonly terminationGracePeriodSeconds: number;
    readonly topologySpreadConstraints: readonly { readonly topologyKey: string; readonly labelSelector: Selector }[];
    readonly volumes: readonly { readonly name: string; readonly emptyDir: { readonly sizeLimit: string } }[];
  };
}
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: {
    readonly replicas?: number;
    readonly strategy?: { readonly rollingUpdate: { readonly maxUnavailable: number } };
    readonly selector?: unknown;
    readonly podSelector?: Selector;
    readonly template?: Pod;
    readonly clusterIP?: string;
    readonly ports?: readonly { readonly port: number; readonly targetPort: string }[];
    readonly maxUnavailable?: number;
    readonly scaleTargetRef?: { readonly kind: string; readonly name: string };
    readonly metrics?: readonly { readonly pods: { readonly metric: { readonly name: string } } }[];
    readonly ingress?: readonly { readonly ports: readonly { readonly port: number }[] }[];
  };
}
interface Kustomization {
  readonly namespace: string;
  readonly resources: readonly string[];
  readonly images?: readonly { readonly name: string; readonly newTag: string }[];
  readonly configMapGenerator?: readonly { readonly name: string; readonly envs: readonly string[] }[];
  readonly secretGenerator?: readonly { readonly name: string; readonly envs: readonly string[] }[];
}

const FOLDERS = ["config", "migrate", "shop", "monitoring"];
const filesOf = (folder: string): string[] =>
  readdirSync(join(DEPLOY, "kubernetes", folder))
    .filter((name) => name.endsWith(".yaml") && name !== "kustomization.yaml" && name !== "adapter-rules.yaml")
    .toSorted();
const kustomizationOf = (folder: string): Kustomization =>
  parse(readDeployFile(`kubernetes/${folder}/kustomization.yaml`)) as Kustomization;
const manifests = FOLDERS.flatMap((folder) =>
  filesOf(folder).flatMap((name) =>
    parseAllDocuments(readDeployFile(`kubernetes/${folder}/${name}`)).map((document) => document.toJS() as Manifest),
  ),
);
const kind = (name: string): Manifest[] => manifests.filter((manifest) => manifest.kind === name);
const deployments = kind("Deployment");
const podOf = ({ spec }: Manifest): Pod => spec.template as Pod;
const pods = [...deployments, ...kind("Job")].map(podOf);
const containerOf = (manifest: Manifest): Container => podOf(manifest).spec.containers[0] as Container;

/** `gate-keeper` -> 8080 */
const portOf = (serviceName: string): number | undefined =>
  PORTS[Object.keys(PORTS).find((each) => each.toLowerCase() === serviceName.replaceAll("-", "")) as PortName];

function isSelected({ matchLabels = {}, matchExpressions = [] }: Selector, { metadata: { labels } }: Pod): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values }) => operator === "In" && values.includes(labels[key] ?? ""))
  );
}
const selectedBy = (selector: Selector): string[] =>
  deployments.filter((each) => isSelected(selector, podOf(each))).map(({ metadata }) => metadata.name);

test("every file is part of what is applied, in one namespace, with the version of this package", () => {
  for (const folder of FOLDERS) {
    const { namespace, resources, images } = kustomizationOf(folder);
    expect(resources.filter((name) => name !== "../config").toSorted()).toEqual(filesOf(folder));
    expect(namespace).toBe("doorbuster");
    for (const image of images ?? []) expect(image).toMatchObject({ name: "doorbuster", newTag: packageJson.version });
  }
  expect(manifests.filter(({ metadata }) => metadata.namespace !== undefined)).toEqual([]);
  expect(deployments.map(({ metadata }) => metadata.name)).toEqual([
    "console",
    "gate-keeper",
    "inventory-manager",
    "policy-controller",
    "safe-protector",
    "shopping-cart",
  ]);
});

describe("every pod", () => {
  test("runs as nobody in particular, writes nothing but its volumes, and cannot become more", () => {
    expect(pods).toHaveLength(7);
    for (const { spec } of pods) {
      expect(spec.securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 65_532,
        fsGroup: 65_532,
        seccompProfile: { type: "RuntimeDefault" },
      });
      expect(spec.automountServiceAccountToken).toBe(false);
      expect(spec.containers).toHaveLength(1);
      for (const { securityContext } of spec.containers)
        expect(securityContext).toEqual({ allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } });
    }
    const [namespace] = kind("Namespace");
    expect(namespace?.metadata).toMatchObject({ labels: { "pod-security.kubernetes.io/enforce": "restricted" } });
  });

  test("gets no variables that Kubernetes makes up: the program would refuse them", () => {
    expect(pods.filter(({ spec }) => spec.enableServiceLinks)).toEqual([]);
  });

  test("has requests and limits, and bounded volumes where the program writes", () => {
    for (const { spec } of pods) {
      for (const { resources, volumeMounts } of spec.containers) {
        for (const each of [resources.requests, resources.limits]) expect(Object.keys(each)).toEqual(["cpu", "memory"]);
        expect(volumeMounts.map(({ name, mountPath }) => [name, mountPath])).toEqual([
          ["data", "/data"],
          ["tmp", "/tmp"],
        ]);
      }
      expect(spec.volumes.map(({ name, emptyDir }) => [name, /^\d+[MG]i$/.test(emptyDir.sizeLimit)])).toEqual([
        ["data", true],
        ["tmp", true],
      ]);
    }
  });

  test("runs the one image, which gets its version from the kustomization", () => {
    expect(pods.flatMap(({ spec }) => spec.containers.map(({ image }) => image)).filter((image) => image !== "doorbuster")).toEqual([]);
  });

  test("is given only settings that the program knows and accepts, from maps and secrets that are made", () => {
    const { configMapGenerator = [], secretGenerator = [] } = kustomizationOf("config");
    const settings = envLines("kubernetes/config/settings.env", { withExamples: false });
    const secrets = {
      DOORBUSTER_ADMIN_KEY: "0123456789abcdef",
      DOORBUSTER_REDIS: "redis://:secret@redis:6379",
      DOORBUSTER_POSTGRES: "postgres://doorbuster:secret@postgres:5432/doorbuster",
    };
    expect(Object.keys(envLines("kubernetes/config/secrets.env.example", { withExamples: false }))).toEqual(Object.keys(secrets));
    expect(configMapGenerator).toEqual([{ name: "doorbuster-settings", envs: ["settings.env"] }]);
    expect(secretGenerator).toMatchObject([{ name: "doorbuster-secrets", envs: ["secrets.env"] }]);
    for (const { env = [], envFrom = [] } of pods.flatMap(({ spec }) => spec.containers)) {
      const maps = envFrom.map(({ configMapRef, secretRef }) => configMapRef?.name ?? secretRef?.name);
      expect(maps.filter((name) => name !== "doorbuster-settings" && name !== "doorbuster-secrets")).toEqual([]);
      const keys = env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []);
      expect(keys.filter(({ name, key }) => name !== "doorbuster-secrets" || !(key in secrets))).toEqual([]);
      const own = Object.fromEntries(
        env.filter(({ valueFrom }) => !valueFrom?.secretKeyRef).map(({ name, value }) => [name, value ?? "10.0.0.7"]),
      );
      const given = {
        ...(maps.includes("doorbuster-settings") ? settings : {}),
        ...(maps.includes("doorbuster-secrets") ? secrets : {}),
        ...own,
      };
      expect(faultOfVariables(given)).toBeNull();
    }
  });

  test("has no secret in an example, and examples of settings that the program knows", () => {
    const given = envLines("kubernetes/config/secrets.env.example", { withExamples: true });
    expect(Object.values(given).filter((value) => value !== "")).toEqual([]);
    expect(faultOfVariables(envLines("kubernetes/config/settings.env", { withExamples: true }))).toBeNull();
  });
});

describe("every service", () => {
  test.each(deployments.map((deployment) => [deployment.metadata.name, deployment] as const))(
    "%s listens where it is asked",
    (name, deployment) => {
      const { args, ports, startupProbe, livenessProbe, readinessProbe } = containerOf(deployment);
      expect(args).toEqual(["start", name]);
      expect(ports).toEqual([{ name: "http", containerPort: portOf(name) as number }]);
      // A process that lives through a failure of Redis must not be killed for it: its end would help nobody, and cost what it has in memory.
      for (const probe of [startupProbe, livenessProbe]) expect(probe?.httpGet).toEqual({ path: "/metrics", port: "http" });
      expect(readinessProbe?.httpGet).toEqual({ path: "/health", port: "http" });
      expect((livenessProbe?.periodSeconds ?? 0) * (livenessProbe?.failureThreshold ?? 0)).toBeGreaterThanOrEqual(30);
      expect((readinessProbe?.periodSeconds ?? 0) * (readinessProbe?.failureThreshold ?? 0)).toBeLessThanOrEqual(5);
    },
  );

  test("selects its own pods, and a Service, a budget and rules for spreading select the same", () => {
    for (const { metadata, spec } of deployments) {
      const { topologySpreadConstraints } = podOf({ metadata, spec } as Manifest).spec;
      expect(selectedBy(spec.selector as Selector)).toEqual([metadata.name]);
      expect(topologySpreadConstraints.map(({ topologyKey }) => topologyKey)).toEqual([
        "topology.kubernetes.io/zone",
        "kubernetes.io/hostname",
      ]);
      for (const { labelSelector } of topologySpreadConstraints) expect(selectedBy(labelSelector)).toEqual([metadata.name]);
    }
    const names = deployments.map(({ metadata }) => metadata.name);
    expect(kind("Service").map(({ spec }) => selectedBy({ matchLabels: spec.selector as Labels })[0])).toEqual(names);
    expect(kind("PodDisruptionBudget").map(({ spec }) => selectedBy(spec.selector as Selector)[0])).toEqual(names);
    expect(kind("PodDisruptionBudget").filter(({ spec }) => spec.maxUnavailable !== 1)).toEqual([]);
  });

  test("is replaced one at a time, and there is never none", () => {
    expect(deployments.filter(({ spec }) => spec.strategy?.rollingUpdate.maxUnavailable !== 0)).toEqual([]);
    // Whoever is signed in at the console is known to one process; the autoscaler says how many gates there are.
    const isCounted = (name: string): boolean => name !== "gate-keeper" && name !== "console";
    expect(deployments.filter(({ spec, metadata }) => isCounted(metadata.name) && (spec.replicas ?? 1) < 2)).toEqual([]);
  });

  test("is given longer to end than it needs, after everybody has heard of it", () => {
    for (const deployment of deployments) {
      const sleepSeconds = containerOf(deployment).lifecycle?.preStop.sleep.seconds ?? 0;
      expect(sleepSeconds).toBeGreaterThanOrEqual(3);
      expect(podOf(deployment).spec.terminationGracePeriodSeconds).toBeGreaterThan(sleepSeconds + SHUTDOWN_MS_MAX / 1_000 + 5);
    }
  });

  test("behind the gates is found by a name that stands for all its pods", () => {
    const { env = [] } = containerOf(deployments.find(({ metadata }) => metadata.name === "gate-keeper") as Manifest);
    const found = env.flatMap(({ name, value }) => (name.endsWith("_URL") ? [new URL(value ?? "")] : []));
    expect(found).toHaveLength(4);
    for (const { hostname, port } of found) {
      const service = kind("Service").find(({ metadata }) => metadata.name === hostname);
      expect(service?.spec).toMatchObject({ clusterIP: "None", ports: [{ port: Number(port), targetPort: "http" }] });
      expect(Number(port)).toBe(portOf(hostname) as number);
    }
  });
});

describe("the autoscaler", () => {
  const [autoscaler] = kind("HorizontalPodAutoscaler");
  const metric = autoscaler?.spec.metrics?.[0]?.pods.metric.name ?? "";

  test("scales the gates, and nobody else says how many there are", () => {
    expect(autoscaler?.spec.scaleTargetRef).toEqual({ apiVersion: "apps/v1", kind: "Deployment", name: "gate-keeper" } as never);
    expect(deployments.find(({ metadata }) => metadata.name === "gate-keeper")?.spec.replicas).toBeUndefined();
  });

  test("looks at a figure that gates print and that the adapter is told of", () => {
    // `monitoring.test.ts` asks the running system for every figure of the dashboard.
    expect(readDeployFile("grafana/dashboards/doorbuster.json")).toContain(metric);
    const { rules } = parse(readDeployFile("kubernetes/monitoring/adapter-rules.yaml")) as {
      rules: { custom: { name: { as: string } }[] };
    };
    expect(rules.custom.map(({ name }) => name.as)).toEqual([metric]);
  });
});

describe("the network policies", () => {
  const policies = kind("NetworkPolicy");

  test("begin with nobody, and each of the others is about pods that are there", () => {
    const nobody = policies.filter(({ spec }) => Object.keys(spec.podSelector ?? {}).length === 0);
    expect(nobody.map(({ spec }) => [spec.ingress, (spec as { policyTypes?: string[] }).policyTypes])).toEqual([
      [undefined, ["Ingress", "Egress"]],
    ]);
    const others = policies.filter((policy) => !nobody.includes(policy));
    expect(others.filter(({ spec }) => selectedBy(spec.podSelector as Selector).length === 0)).toEqual([]);
  });

  test("open ports that services listen on, and the stores are reached from the migration too", () => {
    const open = policies.flatMap(({ spec }) => (spec.ingress ?? []).flatMap(({ ports }) => ports.map(({ port }) => port)));
    const ports: ReadonlySet<number> = new Set(deployments.map(({ metadata }) => portOf(metadata.name) as number));
    expect(new Set(open)).toEqual(ports as Set<number>);
    const stores = policies.find(({ metadata }) => metadata.name === "names-and-stores");
    expect(pods.filter((pod) => !isSelected(stores?.spec.podSelector as Selector, pod))).toEqual([]);
  });
});

test("Prometheus finds every pod that listens, and names it as the dashboard does", () => {
  const [monitor] = kind("PodMonitor");
  expect(selectedBy(monitor?.spec.selector as Selector)).toHaveLength(deployments.length);
  expect(monitor?.spec).toMatchObject({ podMetricsEndpoints: [{ port: "http", path: "/metrics" }] });
});

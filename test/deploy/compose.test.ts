/** `deploy/compose.yaml`: valid, hardened, and true to what the program understands. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv";
import { PORTS, type PortName } from "../../src/topology/ports.ts";
import { type ComposeService, DEPLOY, envLines, networksOf, readCompose, readDeployFile, SAMPLE_ENV, variablesOf } from "./compose-file.ts";
import composeSpec from "./compose-spec.schema.json" with { type: "json" };
import { awaitedButKnown, faultOfVariables } from "./known-settings.ts";

// Generous: a busy machine is no mistake.
setDefaultTimeout(120_000);

const compose = readCompose(SAMPLE_ENV);
const services = Object.entries(compose.services);
const ours = services.filter(([, { image }]) => image.startsWith("doorbuster:"));
const BACK = "back";
const settingOf = ({ environment }: ComposeService, variable: string): string => environment?.[variable] ?? "";
function service(name: string): ComposeService {
  const found = compose.services[name];
  if (!found) throw new Error(`there is no service ${name}`);
  return found;
}
const namesWhere = (isWrong: (service: ComposeService, name: string) => boolean, among = services): string[] =>
  among.filter(([name, service]) => isWrong(service, name)).map(([name]) => name);
/** Ends when it has done its work, and is started again only when that failed. */
const isJob = ({ restart }: ComposeService): boolean => restart === "on-failure:5";

/** `gate-keeper` -> 8080 */
function portOf(serviceName: string): number {
  const name = Object.keys(PORTS).find((each) => each.toLowerCase() === serviceName.replaceAll("-", "").replace(/\d+$/, ""));
  if (name === undefined) throw new Error(`${serviceName} is none of the six services`);
  return PORTS[name as PortName];
}

test("is valid by the Compose Specification", () => {
  const { $schema: _, ...schema } = composeSpec;
  const isValid = new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(schema);
  isValid(compose);
  expect(isValid.errors).toBeNull();
  expect(isValid({ ...compose, services: { x: { image: 7 } } })).toBe(false);
});

describe("its variables", () => {
  const asked = variablesOf(readDeployFile("compose.yaml"));

  test("are all explained in .env.example, which has no others", () => {
    expect(new Set(Object.keys(envLines(".env.example", { withExamples: true })))).toEqual(new Set(asked.map(({ name }) => name)));
  });

  test("have no default where they are secrets, and no example does", () => {
    const secrets = asked.filter(({ name }) => /KEY|PASSWORD|SECRET/.test(name));
    expect(new Set(secrets.map(({ name }) => name))).toEqual(new Set(Object.keys(SAMPLE_ENV)));
    expect(secrets.filter(({ fallback }) => fallback !== null)).toEqual([]);
    expect(Object.values(envLines(".env.example", { withExamples: false })).filter((value) => value !== "")).toEqual([]);
    for (const name of Object.keys(SAMPLE_ENV)) expect(() => readCompose({ ...SAMPLE_ENV, [name]: "" })).toThrow(name);
  });
});

describe("every container", () => {
  test("has a read-only file system, no capabilities and no way to more rights", () => {
    expect(namesWhere(({ read_only }) => read_only !== true)).toEqual([]);
    expect(namesWhere(({ cap_drop }) => cap_drop?.join() !== "ALL")).toEqual([]);
    expect(namesWhere(({ security_opt }) => !security_opt?.includes("no-new-privileges:true"))).toEqual([]);
  });

  test("has limits: processors, memory, processes, and its log", () => {
    const limitsOf = ({ deploy }: ComposeService) => deploy?.resources.limits;
    expect(namesWhere((service) => !/^\d+(\.\d+)?$/.test(limitsOf(service)?.cpus ?? ""))).toEqual([]);
    expect(namesWhere((service) => !/^\d+[MG]$/.test(limitsOf(service)?.memory ?? ""))).toEqual([]);
    expect(namesWhere(({ pids_limit }) => !((pids_limit ?? 0) > 0))).toEqual([]);
    expect(namesWhere(({ logging }) => logging?.options["max-size"] === undefined)).toEqual([]);
  });

  test("is started again when it ends, and says whether it is well", () => {
    expect(namesWhere((service) => !isJob(service) && service.restart !== "unless-stopped")).toEqual([]);
    expect(namesWhere((service) => !isJob(service) && service.healthcheck?.test === undefined)).toEqual([]);
    expect(namesWhere(isJob)).toEqual(["migrate", "redis-cluster"]);
  });

  test("waits for what is well, or for a job that is done", () => {
    const conditions = services.flatMap(([name, { depends_on }]) =>
      Object.entries(depends_on ?? {}).map(([on, { condition }]) => ({ name, on, condition })),
    );
    expect(conditions.length).toBeGreaterThan(30);
    const wanted = (on: string) => (isJob(service(on)) ? "service_completed_successfully" : "service_healthy");
    expect(conditions.filter(({ on, condition }) => condition !== wanted(on))).toEqual([]);
  });

  test("has a version in the name of its image", () => {
    expect(namesWhere(({ image }) => !/:(?!latest$)[\w.-]+$/.test(image))).toEqual([]);
  });

  test("is given files by path alone: others cannot be put into a read-only file system", () => {
    expect("secrets" in compose).toBe(false);
    for (const { file } of Object.values(compose.configs))
      expect({ file, isThere: existsSync(join(DEPLOY, file)) }).toEqual({ file, isThere: true });
  });

  test("names only configs, volumes and networks that are there, and all of them are used", () => {
    const used = <T>(of: (service: ComposeService) => readonly T[]) => new Set(services.flatMap(([, service]) => of(service)));
    expect(used(({ configs }) => (configs ?? []).map(({ source }) => source))).toEqual(new Set(Object.keys(compose.configs)));
    expect(used(({ volumes }) => (volumes ?? []).map((volume) => volume.split(":")[0]))).toEqual(new Set(Object.keys(compose.volumes)));
    expect(used((service) => Object.keys(networksOf(service)))).toEqual(new Set(Object.keys(compose.networks)));
  });
});

describe("the doors", () => {
  test("are the front's; on this machine's loopback until somebody says otherwise", () => {
    const published = services.flatMap(([name, { ports }]) => (ports ?? []).map((port) => ({ name, port })));
    expect(published.filter(({ port }) => !port.startsWith("127.0.0.1:"))).toEqual([]);
    const open = readCompose({ ...SAMPLE_ENV, FRONT_ADDRESS: "0.0.0.0", FRONT_PORT: "443" });
    const outside = Object.entries(open.services).flatMap(([name, { ports }]) =>
      (ports ?? []).filter((port) => !port.startsWith("127.0.0.1:")).map((port) => `${name} ${port}`),
    );
    expect(outside).toEqual(["front 0.0.0.0:443:8080"]);
  });

  test("lead nowhere else: the stores and the registries are on a network without a way out", () => {
    expect(compose.networks[BACK]?.internal).toBe(true);
    const inside = namesWhere((service) => Object.keys(networksOf(service)).join() === "back");
    const kept = services.map(([name]) => name).filter((name) => /^(redis|postgres|migrate|service-registry)/.test(name));
    expect(inside).toEqual(expect.arrayContaining(kept));
  });

  test("fixed addresses are in their network, and each is of one container", () => {
    const { subnet = "" } = compose.networks[BACK]?.ipam?.config[0] ?? {};
    const addresses = services.flatMap(([, service]) => networksOf(service)[BACK]?.ipv4_address ?? []);
    expect(new Set(addresses).size).toBe(addresses.length);
    expect(addresses.filter((address) => !address.startsWith(subnet.replace(/0\/24$/, "")))).toEqual([]);
  });
});

describe("our services", () => {
  const sixNames = ["gate-keeper", "safe-protector", "policy-controller", "inventory-manager", "shopping-cart"];
  const behind = ours.filter(([name]) => sixNames.includes(name));
  const registries = ours.filter(([name]) => name.startsWith("service-registry"));

  test("are all there, each twice, and one console", () => {
    expect(behind.map(([name, { deploy }]) => [name, deploy?.replicas])).toEqual(sixNames.map((name) => [name, 2]));
    expect(registries).toHaveLength(2);
    expect(ours.map(([name]) => name).filter((name) => !sixNames.includes(name))).toEqual([
      "console",
      "service-registry-1",
      "service-registry-2",
      "migrate",
    ]);
  });

  test("are started by what the command line knows, and asked for their health on their own port", () => {
    for (const [name, { command, healthcheck }] of [...behind, ...registries]) {
      expect(command).toEqual(["start", name.replace(/-\d$/, "")]);
      expect(healthcheck?.test?.at(-1)).toBe(`http://127.0.0.1:${portOf(name)}`);
    }
    expect(service("migrate").command).toEqual(["migrate"]);
  });

  test("are given only settings that the program knows and accepts", () => {
    expect(awaitedButKnown()).toEqual([]);
    const shop = envLines("shop.env.example", { withExamples: false });
    for (const [name, { environment, env_file }] of ours) {
      const given = { ...(env_file?.includes("shop.env") ? shop : {}), ...environment };
      expect({ name, fault: faultOfVariables(given) }).toEqual({ name, fault: null });
    }
    expect(faultOfVariables({ DOORBUSTER_NO_SUCH: "1" })).toContain("DOORBUSTER_NO_SUCH");
  });

  test("have examples of settings that the program knows and accepts", () => {
    const examples = envLines("shop.env.example", { withExamples: true });
    expect(Object.keys(examples).length).toBeGreaterThan(6);
    const whole = (value: string): string => value.replace("...", "0123456789abcdef0123456789abcdef");
    expect(faultOfVariables(Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, whole(value)])))).toBeNull();
  });

  test("find the registries, the nodes of the cluster and the database where these are", () => {
    const gate = service("gate-keeper");
    const hostsOf = (name: string): string[] =>
      settingOf(gate, name)
        .split(",")
        .map((url) => new URL(url.trim()).host);
    expect(hostsOf("DOORBUSTER_REGISTRY")).toEqual(registries.map(([name]) => `${name}:${PORTS.ServiceRegistry}`));
    const nodes = services
      .filter(([name]) => /^redis-\d$/.test(name))
      .map(([, service]) => `${networksOf(service)[BACK]?.ipv4_address}:6379`);
    expect(nodes).toHaveLength(6);
    expect(nodes).toEqual(expect.arrayContaining(hostsOf("DOORBUSTER_REDIS")));
    expect(service("redis-cluster").command?.slice(2)).toEqual(nodes);
    expect(new URL(settingOf(gate, "DOORBUSTER_POSTGRES")).hostname).toBe("postgres");
    expect(settingOf(gate, "DOORBUSTER_TRUSTED_PROXIES")).toBe(networksOf(service("front"))[BACK]?.ipv4_address ?? "");
  });

  test("are given longer to end than they need", () => {
    expect(ours.filter(([, { stop_grace_period }]) => Number.parseInt(stop_grace_period ?? "0", 10) < 12)).toEqual([]);
  });

  test("tell each other of the other registry", () => {
    for (const [name, registry] of registries) {
      const other = registries.find(([each]) => each !== name)?.[0];
      expect(settingOf(registry, "DOORBUSTER_REGISTRY_PEERS")).toBe(`http://${other}:${PORTS.ServiceRegistry}`);
      expect(settingOf(registry, "DOORBUSTER_ADVERTISE")).toBe(name);
    }
  });
});

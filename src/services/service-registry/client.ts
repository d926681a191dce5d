/**
 * What a process of ours asks of a registry, in Eureka's protocol: to be registered, renewed and cancelled, and which instances of a service
 * there are. Of several registries the first that answers is the one; they tell each other. None of this rejects: whoever could not be heard
 * asks again at the next beat.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { UnixMs } from "../../core/time.ts";
import { INSTANCES_MAX } from "../../limits/links.ts";
import type { Instance } from "./instance.ts";

export interface RegistryAnswer {
  readonly status: number;
  readonly text: string;
  /** The registry's own time, as its headers `server-now` or `Date` say; `null` when they say none. */
  readonly at: UnixMs | null;
}
/** `null`: it could not be asked, or did not answer in time. */
export type AskRegistry = (method: "GET" | "POST" | "PUT" | "DELETE", url: string, body?: string) => Promise<RegistryAnswer | null>;

export class RegistryClient {
  readonly #registries: readonly string[];
  readonly #ask: AskRegistry;
  readonly #adminKey: string | null;
  readonly #onStrangers: (app: string, count: number) => void;
  /** The one that has answered last is asked first: one that is away costs its time once. */
  #first = 0;

  /** @param registries base URLs, for instance `http://registry:8761`; a path such as `/eureka` may stand behind
   *  @param adminKey signs what is registered, and only what it has signed is believed: whoever reaches a registry can register anything, and
   *    what is found there is sent purchases and the key itself. `null`: everything is on this machine
   *  @param onStrangers hears, at every look, of how many instances of a service were not believed */
  constructor(
    registries: readonly string[],
    ask: AskRegistry,
    adminKey: string | null,
    onStrangers: (app: string, count: number) => void = () => undefined,
  ) {
    this.#adminKey = adminKey;
    this.#onStrangers = onStrangers;
    this.#registries = registries.map((url) => url.replace(/\/+(eureka(\/v2)?)?\/*$/, ""));
    this.#ask = ask;
  }

  async register(instance: Instance): Promise<void> {
    await this.#askFirst("POST", `/apps/${instance.app}`, JSON.stringify({ instance: registration(instance, this.#adminKey) }));
  }

  async renew(instance: Instance): Promise<void> {
    const answer = await this.#askFirst("PUT", `${pathOf(instance)}?status=${instance.status}&lastDirtyTimestamp=${instance.dirtyAt}`);
    if (answer?.status === 404) await this.register(instance);
  }

  async cancel(instance: Instance): Promise<void> {
    await this.#askFirst("DELETE", pathOf(instance));
  }

  /** The base URLs of the instances of a service that are up; `null`: nobody could say. */
  async instancesOf(app: string): Promise<readonly string[] | null> {
    const answer = await this.#askFirst("GET", `/apps/${app.toUpperCase()}`);
    // Nobody has registered under that name.
    if (answer?.status === 404) return [];
    if (answer?.status !== 200) return null;
    let strangers = 0;
    const isOurs = (one: ListedInstance): boolean => {
      const isProven = this.#isOurs(app, one);
      if (!isProven) strangers += 1;
      return isProven;
    };
    const urls = liveInstances(answer, isOurs);
    if (strangers > 0) this.#onStrangers(app, strangers);
    return urls;
  }

  async #askFirst(method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: string): Promise<RegistryAnswer | null> {
    const count = this.#registries.length;
    for (let tried = 0; tried < count; tried += 1) {
      const index = (this.#first + tried) % count;
      const answer = await this.#ask(method, `${this.#registries[index]}/eureka/v2${path}`, body);
      if (answer === null || answer.status >= 500) continue;
      this.#first = index;
      return answer;
    }
    return null;
  }

  #isOurs(app: string, { hostName, port, metadata }: ListedInstance): boolean {
    if (this.#adminKey === null) return true;
    const given = metadata?.[PROOF];
    const proof = Buffer.from(typeof given === "string" ? given : "");
    const expected = Buffer.from(proofOf(this.#adminKey, app, String(hostName), Number(port?.$)));
    // By its bytes: as many characters can be more of them, and to compare those would throw.
    return proof.length === expected.length && timingSafeEqual(proof, expected);
  }
}

const pathOf = ({ app, instanceId }: Instance): string => `/apps/${app}/${encodeURIComponent(instanceId)}`;

const PROOF = "doorbuster-proof";

/** That who knows the key is at this address: nobody else can say so, and it says nothing about the key. */
const proofOf = (adminKey: string, app: string, host: string, port: number): string =>
  createHmac("sha256", adminKey).update(`${PROOF}\n${app.toUpperCase()}\n${host}\n${port}`).digest("hex");

const registration = (instance: Instance, adminKey: string | null) => ({
  instanceId: instance.instanceId,
  app: instance.app,
  hostName: instance.hostName,
  ipAddr: instance.ipAddr,
  status: instance.status,
  port: { $: instance.port.number, "@enabled": String(instance.port.enabled) },
  dataCenterInfo: { "@class": instance.dataCenter.className, name: instance.dataCenter.name },
  leaseInfo: { renewalIntervalInSecs: instance.renewalSeconds, durationInSecs: instance.leaseSeconds },
  homePageUrl: instance.homePageUrl,
  statusPageUrl: instance.statusPageUrl,
  healthCheckUrl: instance.healthCheckUrl,
  vipAddress: instance.vipAddress,
  secureVipAddress: instance.secureVipAddress,
  metadata: adminKey === null ? {} : { [PROOF]: proofOf(adminKey, instance.app, instance.hostName, instance.port.number) },
  lastDirtyTimestamp: String(instance.dirtyAt),
});

interface ListedInstance {
  readonly hostName?: unknown;
  readonly status?: unknown;
  readonly port?: { readonly $?: unknown; readonly "@enabled"?: unknown };
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly leaseInfo?: { readonly durationInSecs?: unknown; readonly lastRenewalTimestamp?: unknown };
}

/** A registry that protects itself goes on listing whoever has fallen silent: a lease that is over by the registry's own clock does not count. */
function liveInstances({ text, at }: RegistryAnswer, isOurs: (one: ListedInstance) => boolean): readonly string[] | null {
  const listed = parsed(text);
  if (listed === null) return null;
  const urls = listed.filter(isOurs).flatMap(({ hostName, status, port, leaseInfo }) => {
    const number = Number(port?.$);
    // Whatever somebody has registered: what is no address cannot be asked.
    if (status !== "UP" || typeof hostName !== "string" || !HOST.test(hostName) || !isPort(number)) return [];
    const endsAt = Number(leaseInfo?.lastRenewalTimestamp) + Number(leaseInfo?.durationInSecs) * 1_000;
    // `Date` counts whole seconds.
    if (at !== null && endsAt < at) return [];
    const url = `http://${hostName.includes(":") ? `[${hostName}]` : hostName}:${number}`;
    return URL.canParse(url) ? [url] : [];
  });
  return [...new Set(urls)].sort().slice(0, INSTANCES_MAX);
}

const HOST = /^[A-Za-z0-9._:-]{1,253}$/;
const isPort = (number: number): boolean => Number.isInteger(number) && number >= 1 && number <= 65_535;

function parsed(text: string): readonly ListedInstance[] | null {
  try {
    const { application } = JSON.parse(text) as { readonly application?: { readonly instance?: unknown } };
    const instance = application?.instance;
    // Some registries write one instance without an array.
    const all = Array.isArray(instance) ? instance : instance === undefined ? [] : [instance];
    return all.filter((one) => typeof one === "object" && one !== null) as ListedInstance[];
  } catch {
    // It is no registry's answer: as if nobody had said anything.
    return null;
  }
}

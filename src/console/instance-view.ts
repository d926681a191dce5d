/** Who is there: what the registry says of each instance's lease, and what each says of itself. Pure. */
import type { DurationMs, UnixMs } from "../core/time.ts";
import type { ConsoleService } from "./services.ts";

export interface InstanceView {
  /** `safe-protector`, or what else somebody has registered. */
  readonly service: string;
  readonly instance: string;
  readonly url: string | null;
  /** What the registry says: UP, DOWN, STARTING, OUT_OF_SERVICE, UNKNOWN; `null`: it does not know this one. */
  readonly status: string | null;
  /** Since the lease was renewed, by the registry's own clock. */
  readonly leaseAgeMs: DurationMs | null;
  readonly leaseMs: DurationMs | null;
  /** What it says of itself; `null`: it has not answered, or was not asked. */
  readonly isUp: boolean | null;
  /** It was asked, and has not answered. */
  readonly isSilent: boolean;
  readonly uptimeSeconds: number | null;
}

interface ListedInstance {
  readonly instanceId?: unknown;
  readonly app?: unknown;
  readonly status?: unknown;
  readonly homePageUrl?: unknown;
  readonly leaseInfo?: { readonly lastRenewalTimestamp?: unknown; readonly durationInSecs?: unknown };
}

/** More instances are shown nowhere. */
const SHOWN_MAX = 200;

/** @param listing the registry's answer to `GET /eureka/v2/apps`, as JSON; `null`: there is none */
export function listedInstances(listing: unknown, now: UnixMs): readonly InstanceView[] {
  const { applications } = (listing ?? {}) as { readonly applications?: { readonly application?: unknown } };
  return asArray(applications?.application)
    .flatMap((application) => asArray((application as { readonly instance?: unknown }).instance))
    .slice(0, SHOWN_MAX)
    .map((one) => viewOf(one as ListedInstance, now));
}

function viewOf({ instanceId, app, status, homePageUrl, leaseInfo }: ListedInstance, now: UnixMs): InstanceView {
  const renewedAt = Number(leaseInfo?.lastRenewalTimestamp);
  const leaseMs = Number(leaseInfo?.durationInSecs) * 1_000;
  return {
    service: dashed(String(app ?? "")),
    instance: String(instanceId ?? ""),
    url: typeof homePageUrl === "string" ? homePageUrl.replace(/\/+$/, "") : null,
    status: typeof status === "string" ? status : null,
    leaseAgeMs: Number.isFinite(renewedAt) && renewedAt > 0 ? Math.max(0, now - renewedAt) : null,
    leaseMs: Number.isFinite(leaseMs) && leaseMs > 0 ? leaseMs : null,
    isUp: null,
    isSilent: false,
    uptimeSeconds: null,
  };
}

/** What an instance of ours says of itself at `/health`; `null`: it has not answered. */
export interface OwnWord {
  readonly service: ConsoleService;
  readonly url: string;
  readonly health: unknown;
}

/** What instances say of themselves, beside what the registry says of them; those that it does not know stand behind. */
export function withOwnWords(listed: readonly InstanceView[], words: readonly OwnWord[]): readonly InstanceView[] {
  const unlisted = new Set(words);
  const merged = listed.map((instance) => {
    const word = words.find(
      ({ service, url, health }) =>
        url === instance.url || (service === instance.service && nameOf(health) !== null && nameOf(health) === instance.instance),
    );
    if (word === undefined) return instance;
    unlisted.delete(word);
    return { ...instance, ...said(word.health) };
  });
  // Gates share a port, where none of them says which it is: their leases tell of each.
  const isKnown = ({ service, health }: OwnWord): boolean => nameOf(health) === null && listed.some((one) => one.service === service);
  const others = [...unlisted]
    .filter((word) => !isKnown(word))
    .map(({ service, url, health }) => ({
      ...{ service, instance: nameOf(health) ?? url, url, status: null, leaseAgeMs: null, leaseMs: null },
      ...said(health),
    }));
  return [...merged, ...others];
}

function said(health: unknown): Pick<InstanceView, "isUp" | "isSilent" | "uptimeSeconds"> {
  const { status, uptimeSeconds } = (health ?? {}) as { readonly status?: unknown; readonly uptimeSeconds?: unknown };
  return {
    isUp: health === null ? null : status === "UP",
    isSilent: health === null,
    uptimeSeconds: typeof uptimeSeconds === "number" ? uptimeSeconds : null,
  };
}

const nameOf = (health: unknown): string | null => {
  const { instance } = (health ?? {}) as { readonly instance?: unknown };
  return typeof instance === "string" ? instance : null;
};

/** The protocol knows applications in capitals and without dashes. */
const NAMES: Readonly<Record<string, string>> = {
  GATEKEEPER: "gate-keeper",
  SAFEPROTECTOR: "safe-protector",
  POLICYCONTROLLER: "policy-controller",
  INVENTORYMANAGER: "inventory-manager",
  SHOPPINGCART: "shopping-cart",
  SERVICEREGISTRY: "service-registry",
  CONSOLE: "console",
};
const dashed = (app: string): string => NAMES[app.toUpperCase()] ?? app.toLowerCase();

const asArray = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];

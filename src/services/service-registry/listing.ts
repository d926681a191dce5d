/**
 * Reads what a registry answers to `GET /eureka/apps`, ours or another make's: who is registered, and whose lease has lapsed. Ours keeps those that
 * have lapsed while it preserves itself, and the lease's own times tell them apart: that is how a dead instance is noticed in time, whatever the
 * registry does about it.
 */
import { Compile, type Validator } from "typebox/compile";
import type { DurationMs, UnixMs } from "../../core/time.ts";
import { InstanceBody } from "./api.ts";
import { type Instance, instanceFrom } from "./instance.ts";

export interface Listed {
  readonly instance: Instance;
  /** Since the last renewal that the registry has seen, by the registry's own clock. */
  readonly leaseAgeMs: DurationMs;
  /** Whether the lease holds. */
  readonly isCurrent: boolean;
}

export class ListingReader {
  readonly #checker: Validator = Compile(InstanceBody);

  /** @param text the answer's body, in JSON
   *  @param serverNow the header of that name, which a registry of ours sends; without it `now` has to do
   *  @returns `null` when it is no listing. Instances that we cannot read are left out. */
  read(text: string, serverNow: string | null, now: UnixMs): readonly Listed[] | null {
    const bodies = instancesIn(text);
    if (bodies === null) return null;
    const theirNow = /^\d{1,15}$/.test(serverNow ?? "") ? Number(serverNow) : now;
    return bodies.flatMap((body) => {
      const instance = this.instance(body, now);
      if (instance === null) return [];
      const leaseAgeMs = Math.max(0, theirNow - renewedAtIn(body, theirNow));
      return [{ instance, leaseAgeMs, isCurrent: leaseAgeMs < instance.leaseSeconds * 1_000 }];
    });
  }

  /** One instance in the protocol's JSON; `null` when it cannot be read. */
  instance(body: unknown, now: UnixMs): Instance | null {
    return this.#checker.Check(body) ? instanceFrom(body as InstanceBody, now) : null;
  }
}

function renewedAtIn(body: unknown, fallback: UnixMs): UnixMs {
  const { leaseInfo } = body as { readonly leaseInfo?: { readonly lastRenewalTimestamp?: unknown } | null };
  const renewedAt = Number(leaseInfo?.lastRenewalTimestamp);
  return renewedAt > 0 ? renewedAt : fallback;
}

function instancesIn(text: string): readonly unknown[] | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const { applications } = (value ?? {}) as { readonly applications?: { readonly application?: unknown } | null };
  if (typeof applications !== "object" || applications === null) return null;
  return listFrom(applications.application).flatMap((one) => listFrom((one as { readonly instance?: unknown } | null)?.instance));
}

/** Some registries write an array of one as its element. */
const listFrom = (value: unknown): unknown[] => (Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]);

/** How the registry is told: the same things in JSON and in XML. */
import type { Application, Lease } from "./instance.ts";

export interface Listing {
  readonly applications: readonly Application[];
  /** Of the whole registry, also when only a part is told. */
  readonly hashcode: string;
  readonly version: number;
}

export interface ProtocolForm {
  readonly contentType: string;
  /** Made piece by piece while it is sent: ten thousand instances are some megabytes of text. */
  listing(listing: Listing): AsyncIterable<string>;
  application(application: Application): string;
  instance(lease: Lease): string;
}

/** `DOWN_1_UP_4_`: by this a client that follows changes only checks that it has missed none. */
export function hashcodeOf(leases: Iterable<Lease>): string {
  const counts = new Map<string, number>();
  for (const { instance } of leases) counts.set(instance.status, (counts.get(instance.status) ?? 0) + 1);
  return [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([status, count]) => `${status}_${count}_`)
    .join("");
}

/** JSON is for those who ask for it. */
export const asksForJson = (accept: string | null): boolean => /json/i.test(accept ?? "");

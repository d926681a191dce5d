/** What has changed of late, for clients that follow the registry by its changes: the last change of each instance, for a bounded time. */
import type { UnixMs } from "../../core/time.ts";
import { REGISTRY_DELTA_MAX, REGISTRY_DELTA_MS } from "../../limits/registry.ts";
import type { Lease } from "./instance.ts";

export class RecentChanges {
  /** The oldest first: a change takes its instance's place at the end. */
  readonly #changes = new Map<string, Lease>();
  #count = 0;

  /** How many changes there have been. */
  get count(): number {
    return this.#count;
  }

  /** `lease.updatedAt` says when. */
  note(lease: Lease): void {
    const key = `${lease.instance.app}\n${lease.instance.instanceId}`;
    this.#count += 1;
    this.#changes.delete(key);
    this.#changes.set(key, lease);
    if (this.#changes.size > REGISTRY_DELTA_MAX) this.#removeFirst();
  }

  all(now: UnixMs): readonly Lease[] {
    for (const { updatedAt } of this.#changes.values()) {
      if (updatedAt > now - REGISTRY_DELTA_MS) break;
      this.#removeFirst();
    }
    return [...this.#changes.values()];
  }

  #removeFirst(): void {
    for (const key of this.#changes.keys()) {
      this.#changes.delete(key);
      return;
    }
  }
}

/** What a peer has yet to hear: at most one entry for each instance, whatever has happened to it meanwhile. */
import { PEER_PENDING_MAX } from "../../limits/registry.ts";
import type { Pending } from "./replication.ts";
import type { RegistryChange } from "./service.ts";

export class PendingChanges {
  readonly #byInstance = new Map<string, Pending>();

  get count(): number {
    return this.#byInstance.size;
  }

  /** Whether there was room for it. */
  note({ app, instanceId, what }: RegistryChange): boolean {
    const isCancelled = what === "cancelled";
    return this.#add({ app, instanceId, isCancelled, isRegistered: what === "registered", isStatusChanged: what === "status-changed" });
  }

  /** What did not arrive is told with what has come since. */
  putBack(taken: readonly Pending[]): boolean {
    return taken.every((pending) => this.#add(pending));
  }

  /** The first ones; they are no longer here. */
  take(countMax: number): Pending[] {
    const taken: Pending[] = [];
    for (const [key, pending] of this.#byInstance) {
      if (taken.length === countMax) break;
      taken.push(pending);
      this.#byInstance.delete(key);
    }
    return taken;
  }

  clear(): void {
    this.#byInstance.clear();
  }

  #add(more: Pending): boolean {
    const key = `${more.app}\n${more.instanceId}`;
    const known = this.#byInstance.get(key);
    if (!known && this.#byInstance.size >= PEER_PENDING_MAX) return false;
    this.#byInstance.set(key, {
      ...more,
      isCancelled: more.isCancelled || (known?.isCancelled ?? false),
      isRegistered: more.isRegistered || (known?.isRegistered ?? false),
      isStatusChanged: more.isStatusChanged || (known?.isStatusChanged ?? false),
    });
    return true;
  }
}

/**
 * What one registry tells another, in Eureka's own batches: the operations of its clients, which are never passed on again. Pure: how they are
 * made of what is known here, what the other side makes of them, and what its answers mean.
 */
import type { UnixMs } from "../../core/time.ts";
import type { InstanceBody, InstanceStatus, ReplicationOperation } from "./api.ts";
import { applicationName, instanceFrom, type Lease, lapsesAt } from "./instance.ts";
import { oneInstance } from "./protocol-json.ts";
import type { ServiceRegistry } from "./service.ts";

/** What comes with this header comes from another registry. */
export const REPLICATION_HEADER = "x-netflix-discovery-replication";

/** What a peer has yet to hear of one instance. Told in this order, and as the instance is when it is told. */
export interface Pending {
  readonly app: string;
  readonly instanceId: string;
  readonly isCancelled: boolean;
  readonly isRegistered: boolean;
  readonly isStatusChanged: boolean;
}

interface OperationAnswer {
  readonly statusCode: number;
  readonly responseEntity?: InstanceBody | null;
}

/** @param lease what is known of the instance now; `null` when it is gone */
export function operationsOf(pending: Pending, lease: Lease | null, now: UnixMs): ReplicationOperation[] {
  const about = { appName: pending.app, id: pending.instanceId };
  const operations: ReplicationOperation[] = pending.isCancelled ? [{ action: "Cancel", ...about }] : [];
  // An instance that was evicted here lapses there by itself. Told late, one that has lapsed would begin a new lease there.
  if (!lease || lapsesAt(lease) <= now) return operations;
  const { status, override, dirtyAt } = lease.instance;
  const state = { ...about, lastDirtyTimestamp: dirtyAt, overriddenStatus: override ?? ("UNKNOWN" as InstanceStatus) };
  if (pending.isRegistered) operations.push({ action: "Register", ...state, status, instanceInfo: oneInstance(lease) as InstanceBody });
  if (pending.isStatusChanged) {
    if (override === null) operations.push({ action: "DeleteStatusOverride", ...state, status });
    else operations.push({ action: "StatusUpdate", ...state, status: override });
  }
  return operations.length > 0 ? operations : [{ action: "Heartbeat", ...state, status }];
}

/** Does what another registry's clients have done there. */
export function replayed(registry: ServiceRegistry, operations: readonly ReplicationOperation[], now: UnixMs) {
  return { responseList: operations.map((operation) => replayOne(registry, operation, now)) };
}

function replayOne(registry: ServiceRegistry, operation: ReplicationOperation, now: UnixMs): OperationAnswer {
  const { appName: app, id, status, instanceInfo } = operation;
  const dirtyAt = operation.lastDirtyTimestamp ? Number(operation.lastDirtyTimestamp) : null;
  const change = { dirtyAt, from: "peer" } as const;
  const orUnknown = (outcome: string): OperationAnswer => ({ statusCode: outcome === "unknown" ? 404 : 200 });
  switch (operation.action) {
    case "Heartbeat": {
      const outcome = registry.renew(app, id, now, dirtyAt, "peer");
      const lease = outcome === "newer" ? registry.find(app, id) : null;
      return lease ? { statusCode: 200, responseEntity: oneInstance(lease) as InstanceBody } : orUnknown(outcome);
    }
    case "Register": {
      if (!instanceInfo) return { statusCode: 400 };
      const instance = instanceFrom(instanceInfo, now);
      if (instance.app !== applicationName(app) || instance.instanceId !== id) return { statusCode: 400 };
      return { statusCode: registry.register(instance, now, "peer") === "registered" ? 204 : 503 };
    }
    case "Cancel":
      return orUnknown(registry.cancel(app, id, now, "peer"));
    case "StatusUpdate":
      return status ? orUnknown(registry.setStatus(app, id, status, now, change)) : { statusCode: 400 };
    case "DeleteStatusOverride":
      return orUnknown(registry.clearStatus(app, id, status ?? "UNKNOWN", now, change));
  }
}

/** What the metrics tell besides purchases and replies: how much there is of everything that is bounded. */
import type { AccessLog } from "../edge/access-log.ts";
import type { ServiceMetrics } from "../edge/metrics.ts";
import type { EmbeddedLedger } from "../ledger/embedded/embedded-ledger.ts";
import type { GateKeeper } from "../services/gate-keeper/service.ts";
import type { PolicyController } from "../services/policy-controller/service.ts";
import type { SafeProtector } from "../services/safe-protector/service.ts";
import type { PortName } from "./ports.ts";

export interface Gauged {
  readonly gate: GateKeeper;
  readonly accessLog: AccessLog;
  readonly protector: SafeProtector;
  readonly policies: PolicyController;
  readonly ledger: EmbeddedLedger;
  readonly applications: () => number;
}

export function describeGauges(metrics: Readonly<Record<PortName, ServiceMetrics>>, of: Gauged): void {
  const { GateKeeper: gate, SafeProtector: protector, PolicyController: policies } = metrics;
  const { InventoryManager: inventory, ShoppingCart: cart, ServiceRegistry: registry } = metrics;
  gate.gauge("doorbuster_purchases_in_flight", "Purchases that wait for their answer.", () => of.gate.purchasesInFlight);
  gate.counter("doorbuster_access_log_records_total", "Access-log records written.", () => of.accessLog.recordsWritten);
  gate.counter(
    "doorbuster_access_log_dropped_total",
    "Access-log records dropped because the disk could not follow.",
    () => of.accessLog.recordsDropped,
  );
  protector.gauge("doorbuster_blacklist_entries", "Blacklist entries in force or not yet swept.", () => of.protector.decisions);
  policies.gauge("doorbuster_policies", "SKUs with a policy.", () => of.policies.policies);
  inventory.gauge("doorbuster_skus", "SKUs in the store.", () => of.ledger.counts.skus);
  cart.gauge("doorbuster_users", "Users with a hold, an unpaid order or an order record.", () => of.ledger.counts.users);
  cart.gauge("doorbuster_ended_rows", "Rows of ended holds that the sweeper has not removed yet.", () => of.ledger.counts.endedRows);
  registry.gauge("doorbuster_registry_applications", "Applications with a live lease.", of.applications);
}

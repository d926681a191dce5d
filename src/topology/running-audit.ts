/** The running audit of this process's stores, in a thread of its own. */
import { auditRoutes } from "../audit/api.ts";
import { ContinuousAudit } from "../audit/continuous-audit.ts";
import type { AuditReport } from "../audit/report.ts";
import type { Route } from "../core/endpoint.ts";
import type { Clock } from "../core/time.ts";
import { AskedThread } from "../edge/asked-thread.ts";
import { timers } from "../edge/timers.ts";
import { AUDIT_TICK_MS } from "../limits/ledger.ts";
import type { AuditedStores } from "./audit-thread.ts";

export interface RunningAudit {
  readonly routes: Route[];
  close(): void;
}

export function runningAudit(stores: AuditedStores, clock: Clock): RunningAudit {
  const thread = new AskedThread<AuditReport>(new URL("./audit-thread.ts", import.meta.url), stores);
  const audit = new ContinuousAudit({ examine: () => thread.ask(), rest: () => thread.close(), clock });
  const stopTicking = timers.every(AUDIT_TICK_MS, () => audit.tick());
  return {
    routes: auditRoutes(audit),
    close: () => {
      stopTicking();
      thread.close();
    },
  };
}

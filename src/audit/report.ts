/** What an audit has found, and how the command tells it. */

/** The most breaches that are shown of one check. */
export const BREACHES_SHOWN_MAX = 10;

export interface CheckedPromise {
  /** The invariant, as a sentence. */
  readonly promise: string;
  /** How much was looked at; `null`: it is no number of things. */
  readonly looked: number | null;
  /** What breaks it, up to `BREACHES_SHOWN_MAX`, each as a line. */
  readonly breaches: readonly string[];
  readonly hasMore: boolean;
}

export interface AuditReport {
  readonly checks: readonly CheckedPromise[];
  /** What was not compared, and why. */
  readonly notes: readonly string[];
}

/** @param breaches all, or some more than are shown */
export const checked = (promise: string, looked: number | null, breaches: readonly unknown[]): CheckedPromise => ({
  ...{ promise, looked, hasMore: breaches.length > BREACHES_SHOWN_MAX },
  breaches: breaches.slice(0, BREACHES_SHOWN_MAX).map((breach) => (typeof breach === "string" ? breach : JSON.stringify(breach))),
});

export const isBroken = ({ breaches }: CheckedPromise): boolean => breaches.length > 0;

/** @returns the exit code: 0 when every invariant holds, 1 when one is broken */
export function tell({ checks, notes }: AuditReport, write: (line: string) => void): number {
  for (const check of checks) {
    const looked = check.looked === null ? "" : ` (${check.looked} looked at)`;
    write(`${isBroken(check) ? "BROKEN" : "ok    "} ${check.promise}${looked}`);
    for (const breach of check.breaches) write(`         ${breach}`);
    if (check.hasMore) write("         ... and more");
  }
  for (const note of notes) write(`note   ${note}`);
  const broken = checks.filter(isBroken).length;
  write(broken === 0 ? `audit: all ${checks.length} checks passed` : `audit: ${broken} of ${checks.length} checks FAILED`);
  return broken === 0 ? 0 : 1;
}

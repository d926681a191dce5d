/** The figures of the moment, and the light that says whether the promise holds. */
import type { ComponentChildren } from "preact";
import type { Invariant, TrafficNow } from "../../answers.ts";
import { useFormats, useTell } from "../../surroundings.tsx";

interface FiguresProps {
  readonly traffic: TrafficNow | null;
  readonly invariant: Invariant | null;
  readonly at: number;
}

export function Figures({ traffic, invariant, at }: FiguresProps) {
  const tell = useTell();
  const formats = useFormats();
  const second = traffic?.windows.find(({ seconds }) => seconds === 1);
  const minute = traffic?.windows.find(({ seconds }) => seconds === 60);
  const failedShare = minute && minute.requests > 0 ? minute.failed / minute.requests : 0;
  const span = tell("now.inLast", { span: formats.span(60_000) });
  return (
    <section class="tiles" aria-label={tell("now.figures")}>
      <InvariantLight invariant={invariant} at={at} />
      <Tile name={tell("now.requests")} value={second && formats.short(second.requests)}>
        {second && tell("now.ofWhich", { count: formats.count(second.purchases) })}
      </Tile>
      <Tile name={tell("now.held")} value={second && formats.short(second.held)} />
      <Tile name={tell("now.failedShare")} value={minute && formats.share(failedShare)} isBad={failedShare > 0}>
        {minute && span}
      </Tile>
      <Tile name={tell("now.latency")} value={minute && formats.micros(minute.latencyUs.p99)}>
        {minute && tell("now.latencyRest", { p50: formats.micros(minute.latencyUs.p50), p95: formats.micros(minute.latencyUs.p95) })}
      </Tile>
      <Tile name={tell("now.people")} value={minute && formats.short(minute.distinct.users)}>
        {minute && `${tell("now.peopleHint", { addresses: formats.short(minute.distinct.addresses) })}, ${span}`}
      </Tile>
    </section>
  );
}

interface TileProps {
  readonly name: string;
  readonly value: string | undefined;
  readonly isBad?: boolean;
  readonly children?: ComponentChildren;
}

function Tile({ name, value, isBad = false, children }: TileProps) {
  return (
    <div class={`tile card${isBad ? " bad" : ""}`}>
      <p class="tile-name">{name}</p>
      <p class="tile-value">{value ?? "–"}</p>
      <p class="tile-note">{children}</p>
    </div>
  );
}

const STATE_TEXTS = {
  holding: "now.invariantHolding",
  broken: "now.invariantBroken",
  unknown: "now.invariantUnknown",
} as const;

function InvariantLight({ invariant, at }: Pick<FiguresProps, "invariant" | "at">) {
  const tell = useTell();
  const state = invariant?.state ?? "unknown";
  const broken = invariant?.checks.filter(({ breaches }) => breaches.length > 0) ?? [];
  const isChecking = invariant !== null && invariant.checkedAt === null;
  return (
    <div class={`tile card light ${state}`} role={state === "broken" ? "alert" : undefined}>
      <p class="tile-name">{tell("now.invariant")}</p>
      <p class="tile-value">
        <span class="lamp" aria-hidden="true" />
        {isChecking ? tell("now.invariantChecking") : tell(STATE_TEXTS[state])}
      </p>
      <p class="tile-note">
        {invariant?.checkedAt != null &&
          tell("now.invariantAge", {
            seconds: Math.max(0, Math.round((at - invariant.checkedAt) / 1_000)),
            checks: invariant.checks.length,
          })}
        {invariant === null && tell("frame.unavailable")}
      </p>
      {broken.length > 0 && (
        <details open>
          <summary>{tell("now.invariantWhat")}</summary>
          <ul class="findings">
            {broken.map(({ promise, breaches }) => (
              <li key={promise}>
                <b>{promise}</b>
                {breaches.map((breach) => (
                  <code key={breach}>{breach}</code>
                ))}
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

/** What was found: each request, and how a purchase went through the steps, with the time of each. */
import { useFormats, useTell } from "../../surroundings.tsx";
import { wordOf } from "../../texts/texts.ts";

export interface FoundEvent {
  readonly at: number;
  readonly traceId: string | null;
  readonly clientIP: string;
  readonly userID: string | null;
  readonly goodsSKU: string | null;
  readonly goodsQuantity: number;
  readonly steps: readonly { readonly step: string; readonly outcome: string; readonly us: number }[];
  readonly reason: string | null;
  readonly totalUs: number;
  readonly instance: string;
  readonly request: string | null;
  readonly status: number | null;
}

export function EventList({ events, isOpen }: { readonly events: readonly FoundEvent[]; readonly isOpen: boolean }) {
  return (
    <ol class="changes found">
      {events.map((event, index) => (
        <li key={event.traceId ?? `${event.at} ${index}`}>
          <FoundRequest event={event} isOpen={isOpen} />
        </li>
      ))}
    </ol>
  );
}

function FoundRequest({ event, isOpen }: { readonly event: FoundEvent; readonly isOpen: boolean }) {
  const tell = useTell();
  const formats = useFormats();
  const { reason, request } = event;
  const isGood = reason === null;
  const word = wordOf(tell, "reason", reason ?? (request === null ? "held" : "fine"));
  return (
    <details open={isOpen}>
      <summary>
        <time dateTime={new Date(event.at).toISOString()}>{formats.dateTime(event.at)}</time>
        <b>{event.userID ?? event.clientIP}</b>
        <span>{request ?? `${event.goodsSKU ?? ""} × ${event.goodsQuantity}`}</span>
        <span class={`pill ${isGood ? "good" : "bad"}`}>{word}</span>
        <span class="quiet">{formats.micros(event.totalUs)}</span>
      </summary>
      {event.steps.length > 0 && <Way event={event} />}
      <dl class="fields-list">
        {fieldsOf(event).map(([key, value]) => (
          <div key={key}>
            <dt>{tell(key)}</dt>
            <dd class="code">{value}</dd>
          </div>
        ))}
      </dl>
      <p class="links">
        {event.userID !== null && <a href={`#/trace?userID=${encodeURIComponent(event.userID)}`}>{event.userID}</a>}
        <a href={`#/trace?clientIP=${encodeURIComponent(event.clientIP)}`}>{event.clientIP}</a>
      </p>
    </details>
  );
}

const fieldsOf = (event: FoundEvent) =>
  [
    ["trace.traceId", event.traceId ?? "–"],
    ["trace.userID", event.userID ?? "–"],
    ["trace.address", event.clientIP],
    ["trace.goodsSKU", event.goodsSKU ?? "–"],
    ["trace.quantity", String(event.goodsQuantity)],
    ["trace.gate", event.instance],
  ] as const;

const STEPS = ["throttle", "protect", "policy", "inventory", "cart"] as const;

/** Each step as a bar as long as it took, one after the other; what is left at the end is what the purchase waited for besides. */
function Way({ event }: { readonly event: FoundEvent }) {
  const tell = useTell();
  const formats = useFormats();
  const whole = Math.max(1, event.totalUs);
  const spent = event.steps.reduce((sum, { us }) => sum + us, 0);
  let begun = 0;
  const bars = STEPS.map((step) => {
    const taken = event.steps.find((each) => each.step === step) ?? null;
    const from = begun;
    begun += taken?.us ?? 0;
    return { step, taken, from };
  });
  const share = (us: number): string => `${Math.min(100, (100 * us) / whole)}%`;
  return (
    <section class="way" aria-label={tell("trace.path")}>
      <ol>
        {bars.map(({ step, taken, from }) => (
          <li key={step} class={taken === null ? "not-reached" : taken.outcome === "allowed" ? "passed" : "stopped"}>
            <b>{wordOf(tell, "step", step)}</b>
            <span class="way-bar" aria-hidden="true">
              {taken !== null && <span style={{ marginInlineStart: share(from), inlineSize: share(taken.us) }} />}
            </span>
            <span>
              {taken === null
                ? tell("trace.notReached")
                : taken.outcome === "allowed"
                  ? tell("trace.passed")
                  : wordOf(tell, "reason", taken.outcome)}
            </span>
            <span class="number">{taken === null ? "" : formats.micros(taken.us)}</span>
          </li>
        ))}
        <li class="rest">
          <b>{tell("trace.rest")}</b>
          <span class="way-bar" aria-hidden="true">
            <span style={{ marginInlineStart: share(spent), inlineSize: share(Math.max(0, whole - spent)) }} />
          </span>
          <span />
          <span class="number">{formats.micros(Math.max(0, event.totalUs - spent))}</span>
        </li>
      </ol>
    </section>
  );
}

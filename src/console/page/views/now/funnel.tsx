/** The five steps of a purchase: how many came to each, and why each sent people away. */
import type { TrafficNow, TrafficWindow } from "../../answers.ts";
import { Card } from "../../parts/card.tsx";
import { Choice } from "../../parts/choice.tsx";
import { useFormats, useTell } from "../../surroundings.tsx";
import { wordOf } from "../../texts/texts.ts";

interface FunnelProps {
  readonly traffic: TrafficNow | null;
  readonly seconds: number;
  readonly onChoose: (seconds: number) => void;
}

export function Funnel({ traffic, seconds, onChoose }: FunnelProps) {
  const tell = useTell();
  const formats = useFormats();
  if (traffic === null)
    return (
      <Card title={tell("now.funnel")}>
        <p class="quiet">{tell("frame.unavailable")}</p>
      </Card>
    );
  const options = traffic.windows.map((window) => ({ value: window.seconds, label: formats.span(window.seconds * 1_000) }));
  const window = traffic.windows.find((each) => each.seconds === seconds) ?? traffic.windows[0];
  const choice = <Choice legend={tell("now.funnelWindow")} options={options} value={seconds} onChoose={onChoose} />;
  return (
    <Card title={tell("now.funnel")} beside={choice} class="wide">
      {window === undefined || window.requests === 0 ? <p class="quiet">{tell("now.funnelNobody")}</p> : <Steps window={window} />}
      {traffic.eventsDropped > 0 && <p class="notice">{tell("now.funnelSampled", { dropped: formats.count(traffic.eventsDropped) })}</p>}
    </Card>
  );
}

export function Steps({ window }: { readonly window: Pick<TrafficWindow, "funnel" | "held" | "other"> }) {
  const tell = useTell();
  const formats = useFormats();
  const most = Math.max(1, ...window.funnel.map(({ entered }) => entered));
  const other = reasonsOf(window.other);
  return (
    <>
      <ol class="funnel">
        {window.funnel.map(({ step, entered, refused }) => {
          const reasons = reasonsOf(refused);
          const refusedCount = reasons.reduce((sum, [, count]) => sum + count, 0);
          return (
            <li key={step}>
              <h3>{wordOf(tell, "step", step)}</h3>
              <div class="funnel-bar" aria-hidden="true">
                <span class="passed" style={{ inlineSize: `${(100 * (entered - refusedCount)) / most}%` }} />
                <span class="refused" style={{ inlineSize: `${(100 * refusedCount) / most}%` }} />
              </div>
              <p class="funnel-count">{tell("now.funnelEntered", { count: formats.short(entered) })}</p>
              <ul class="reasons">
                {reasons.map(([reason, count]) => (
                  <li key={reason}>
                    <span>{wordOf(tell, "reason", reason)}</span> <b>{formats.short(count)}</b>
                  </li>
                ))}
              </ul>
            </li>
          );
        })}
        <li class="funnel-end">
          <h3>{tell("now.funnelHeld")}</h3>
          <p class="funnel-held">{formats.short(window.held)}</p>
        </li>
      </ol>
      {other.length > 0 && (
        <p class="other">
          {tell("now.funnelOther")}:{" "}
          {other.map(([reason, count]) => (
            <span class="pill" key={reason}>
              {wordOf(tell, "reason", reason)} <b>{formats.short(count)}</b>
            </span>
          ))}
        </p>
      )}
    </>
  );
}

const reasonsOf = (counts: Readonly<Record<string, number>>): [string, number][] =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .toSorted(([, one], [, other]) => other - one);

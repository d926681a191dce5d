/** Who asks most: the heaviest addresses, networks and accounts of a window, each with what can be done about it. */
import { useState } from "preact/hooks";
import type { Heavy } from "../../answers.ts";
import { Card } from "../../parts/card.tsx";
import { Choice } from "../../parts/choice.tsx";
import { useFormats, useLive, useTell } from "../../surroundings.tsx";
import { DecideButtons, type Scope } from "./decide-buttons.tsx";

const GROUPS = [
  ["addresses", "address"],
  ["networks", "network"],
  ["accounts", "account"],
] as const satisfies readonly (readonly [group: string, scope: Scope])[];

type Group = (typeof GROUPS)[number][0];
const SHOWN = 10;

/** So many it has asked at least: what is counted in little room may be counted too high. */
const leastOf = ({ requests, errorMax }: Heavy): number => requests - errorMax;

export function Offenders({ onDecided }: { readonly onDecided: () => void }) {
  const tell = useTell();
  const formats = useFormats();
  const traffic = useLive().message?.traffic ?? null;
  const [group, setGroup] = useState<Group>("addresses");
  const [seconds, setSeconds] = useState(60);
  const window = traffic?.windows.find((each) => each.seconds === seconds) ?? null;
  const heavy = (window?.heaviest[group] ?? []).filter((one) => leastOf(one) > 0).toSorted((one, other) => leastOf(other) - leastOf(one));
  const scope = GROUPS.find(([name]) => name === group)?.[1] ?? "address";
  const most = Math.max(1, ...heavy.map(leastOf));
  const beside = (
    <div class="row-actions">
      <Choice
        legend={tell("protection.group")}
        options={GROUPS.map(([value]) => ({ value, label: tell(`protection.${value}`) }))}
        value={group}
        onChoose={setGroup}
      />
      <Choice
        legend={tell("now.funnelWindow")}
        options={(traffic?.windows ?? []).map((each) => ({ value: each.seconds, label: formats.span(each.seconds * 1_000) }))}
        value={seconds}
        onChoose={setSeconds}
      />
    </div>
  );
  return (
    <Card title={tell("protection.offenders")} beside={beside}>
      {traffic === null && <p class="quiet">{tell("frame.unavailable")}</p>}
      {traffic !== null && heavy.length === 0 && <p class="empty">{tell("protection.nobody")}</p>}
      <ul class="heavy">
        {heavy.slice(0, SHOWN).map((one) => (
          <li key={one.value}>
            <span class="code">{one.value}</span>
            <span class="heavy-bar" aria-hidden="true">
              <span style={{ inlineSize: `${(100 * leastOf(one)) / most}%` }} />
            </span>
            <span class="heavy-count">
              <b>{formats.count(leastOf(one))}</b>
              {one.errorMax > 0 && <small class="quiet"> {tell("protection.upTo", { count: formats.count(one.requests) })}</small>}
            </span>
            <DecideButtons {...{ scope, value: one.value, standing: null, onDecided }} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** What the scenarios see, and what those that only observe would have done. */
import { Card } from "../../parts/card.tsx";
import { useFormats, useLive, useTell } from "../../surroundings.tsx";
import { wordOf } from "../../texts/texts.ts";

export function Scenarios() {
  const tell = useTell();
  const formats = useFormats();
  const traffic = useLive().message?.traffic ?? null;
  if (traffic === null) return null;
  return (
    <div class="pair">
      <Card title={tell("protection.scenarios")}>
        {traffic.scenarios.length === 0 && <p class="empty">{tell("protection.noScenarios")}</p>}
        {traffic.scenarios.length > 0 && (
          <table class="stacking">
            <thead>
              <tr>
                <th scope="col">{tell("protection.scenario")}</th>
                <th scope="col">{tell("protection.group")}</th>
                <th scope="col">{tell("protection.action")}</th>
                <th scope="col" class="number">
                  {tell("protection.offencesInHour")}
                </th>
              </tr>
            </thead>
            <tbody>
              {traffic.scenarios.map(({ name, group, action, offencesInHour }) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td data-name={tell("protection.group")}>{wordOf(tell, "scope", group)}</td>
                  <td data-name={tell("protection.action")}>{wordOf(tell, "action", action)}</td>
                  <td data-name={tell("protection.offencesInHour")} class="number">
                    {formats.count(offencesInHour)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Card>
      <Card title={tell("protection.observed")}>
        <p class="quiet">{tell("protection.observedLead")}</p>
        {traffic.observed.length === 0 && <p class="empty">{tell("protection.noneObserved")}</p>}
        {traffic.observed.length > 0 && (
          <table class="stacking">
            <thead>
              <tr>
                <th scope="col">{tell("protection.whom")}</th>
                <th scope="col" class="number">
                  {tell("protection.seen")}
                </th>
                <th scope="col" class="number">
                  {tell("protection.bought")}
                </th>
              </tr>
            </thead>
            <tbody>
              {traffic.observed.map(({ scope, value, seen, bought }) => (
                <tr key={`${scope} ${value}`}>
                  <th scope="row">
                    <span class="code">{value}</span> <small class="quiet">{wordOf(tell, "scope", scope)}</small>
                  </th>
                  <td data-name={tell("protection.seen")} class="number">
                    {formats.count(seen)}
                  </td>
                  <td data-name={tell("protection.bought")} class="number">
                    {formats.count(bought)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Card>
    </div>
  );
}

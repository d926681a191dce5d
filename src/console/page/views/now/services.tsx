/** Who is there, and how fresh each lease is. */
import type { InstanceView } from "../../answers.ts";
import { Card } from "../../parts/card.tsx";
import { useFormats, useTell } from "../../surroundings.tsx";
import type { TextKey } from "../../texts/texts.ts";

export function ServiceList({ services }: { readonly services: readonly InstanceView[] }) {
  const tell = useTell();
  const formats = useFormats();
  return (
    <Card title={tell("now.services")} class="wide">
      <table class="stacking">
        <thead>
          <tr>
            <th scope="col">{tell("now.service")}</th>
            <th scope="col">{tell("now.state")}</th>
            <th scope="col">{tell("now.lease")}</th>
            <th scope="col">{tell("now.uptime")}</th>
            <th scope="col">{tell("now.instance")}</th>
          </tr>
        </thead>
        <tbody>
          {services.map((instance) => {
            const [state, text] = stateOf(instance);
            return (
              <tr key={`${instance.service} ${instance.instance}`}>
                <th scope="row">{instance.service}</th>
                <td data-name={tell("now.state")}>
                  <span class={`state ${state}`}>{tell(text)}</span>
                </td>
                <td data-name={tell("now.lease")}>
                  {instance.leaseAgeMs === null
                    ? tell("now.leaseNone")
                    : tell("now.leaseAgo", { seconds: (instance.leaseAgeMs / 1_000).toFixed(1) })}
                </td>
                <td data-name={tell("now.uptime")}>
                  {instance.uptimeSeconds === null ? "–" : formats.span(instance.uptimeSeconds * 1_000)}
                </td>
                <td data-name={tell("now.instance")} class="code">
                  {instance.instance}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Card>
  );
}

function stateOf({ status, isUp, isSilent, leaseAgeMs, leaseMs }: InstanceView): readonly [state: "up" | "down" | "late", text: TextKey] {
  if (isUp === false || (status !== null && status !== "UP")) return ["down", "now.stateDown"];
  if (leaseAgeMs !== null && leaseMs !== null && leaseAgeMs > leaseMs) return ["late", "now.stateLapsed"];
  return isSilent ? ["late", "now.stateSilent"] : ["up", "now.stateUp"];
}

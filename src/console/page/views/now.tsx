/** The page "Now": the door, the stock, the invariants and the services, this second. */
import { useState } from "preact/hooks";
import { useLive, useTell } from "../surroundings.tsx";
import { Figures } from "./now/figures.tsx";
import { Funnel } from "./now/funnel.tsx";
import { ServiceList } from "./now/services.tsx";
import { Stock } from "./now/stock.tsx";
import { TrafficCharts } from "./now/traffic-charts.tsx";

export function Now() {
  const tell = useTell();
  const { message, points } = useLive();
  const [seconds, setSeconds] = useState(10);
  return (
    <>
      <div class="page-head">
        <h1>{tell("now.title")}</h1>
        <p class="quiet">{tell("now.lead")}</p>
      </div>
      {message === null ? (
        <p class="notice">{tell("frame.waiting")}</p>
      ) : (
        <>
          <Figures traffic={message.traffic} invariant={message.invariant} at={message.at} />
          <Funnel traffic={message.traffic} seconds={seconds} onChoose={setSeconds} />
          <Stock stock={message.stock} at={message.at} />
          <TrafficCharts points={points} />
          <ServiceList services={message.services} />
        </>
      )}
    </>
  );
}

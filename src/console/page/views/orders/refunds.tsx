/** Money that has to go back: what waits, what was given up, what is done; and what an operator can do about it. */
import { useState } from "preact/hooks";
import { Card } from "../../parts/card.tsx";
import { ChangeButton } from "../../parts/change.tsx";
import { Choice } from "../../parts/choice.tsx";
import { useFormats, useRead, useTell } from "../../surroundings.tsx";

interface RefundAnswer {
  readonly id: number;
  readonly provider: string;
  readonly paymentID: string;
  readonly amount: number;
  readonly currency: string;
  readonly orderID: string;
  readonly state: RefundState;
  readonly attempts: number;
  readonly nextAttemptAt: number | null;
  readonly lastError: string | null;
  readonly since: number;
}
const STATES = ["due", "given-up", "done"] as const;
type RefundState = (typeof STATES)[number];

const READ_AGAIN_MS = 5_000;
const SHOWN = 200;

export function Refunds() {
  const tell = useTell();
  const formats = useFormats();
  const [state, setState] = useState<RefundState>("due");
  const refunds = useRead<readonly RefundAnswer[]>(`shopping-cart/refunds?state=${state}&limit=${SHOWN}`, READ_AGAIN_MS);
  const again = (): void => void refunds.again();
  const choice = (
    <Choice
      legend={tell("orders.refundState")}
      options={STATES.map((value) => ({ value, label: tell(`refundState.${value}`) }))}
      value={state}
      onChoose={setState}
    />
  );
  return (
    <Card title={tell("orders.refunds")} beside={choice}>
      <p class="quiet">{tell("orders.refundsLead")}</p>
      {refunds.refusal !== null && <p class="notice">{tell("frame.failed", { why: refunds.refusal.detail })}</p>}
      {refunds.value?.length === 0 && <p class="empty">{tell("orders.noRefunds")}</p>}
      {refunds.value !== null && refunds.value.length > 0 && (
        <table class="stacking">
          <thead>
            <tr>
              <th scope="col">{tell("orders.order")}</th>
              <th scope="col" class="number">
                {tell("orders.amount")}
              </th>
              <th scope="col">{tell("orders.provider")}</th>
              <th scope="col">{tell("orders.attempts")}</th>
              <th scope="col">{tell("goods.actions")}</th>
            </tr>
          </thead>
          <tbody>
            {refunds.value.map((refund) => {
              const { id, orderID: order } = refund;
              const amount = `${formats.money(refund.amount)} ${refund.currency.toUpperCase()}`;
              return (
                <tr key={id}>
                  <th scope="row">
                    <a class="code" href={`#/orders?of=${encodeURIComponent(order)}`}>
                      {order}
                    </a>
                    <p class="quiet">{tell("orders.since", { time: formats.dateTime(refund.since) })}</p>
                  </th>
                  <td class="number" data-name={tell("orders.amount")}>
                    {amount}
                  </td>
                  <td data-name={tell("orders.provider")}>
                    <div>
                      {refund.provider} <span class="code quiet">{refund.paymentID}</span>
                    </div>
                  </td>
                  <td data-name={tell("orders.attempts")}>
                    <div>
                      {refund.attempts}{" "}
                      {refund.state !== "done" && (
                        <span class="quiet">
                          {refund.nextAttemptAt === null
                            ? tell("orders.byHand")
                            : tell("orders.next", { time: formats.time(refund.nextAttemptAt) })}
                        </span>
                      )}
                      {refund.lastError !== null && <p class="quiet">{refund.lastError}</p>}
                    </div>
                  </td>
                  <td data-name={tell("goods.actions")}>
                    {refund.state !== "done" && (
                      <div class="row-actions">
                        <ChangeButton
                          {...{ label: tell("orders.retry"), of: order, method: "POST", onDone: again, question: null }}
                          path={`shopping-cart/refunds/${id}/try-again`}
                          done={tell("orders.retried", { order })}
                        />
                        <ChangeButton
                          {...{ label: tell("orders.markDone"), of: order, method: "POST", onDone: again }}
                          path={`shopping-cart/refunds/${id}/done`}
                          done={tell("orders.markedDone", { order })}
                          question={tell("orders.markDoneAsk", { order, amount })}
                        />
                      </div>
                    )}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </Card>
  );
}

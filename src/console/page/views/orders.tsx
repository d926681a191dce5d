/** The page "Orders": all orders and what became of one, money that has to go back, and where the goods are. */
import { Card } from "../parts/card.tsx";
import { useFormats, useLive, useTell } from "../surroundings.tsx";
import { OrderSearch } from "./orders/order-search.tsx";
import { Refunds } from "./orders/refunds.tsx";

export function Orders({ place }: { readonly place: string }) {
  const tell = useTell();
  const query = new URLSearchParams(place.replace(/^\?/, ""));
  return (
    <>
      <div class="page-head">
        <h1>{tell("orders.title")}</h1>
        <p class="quiet">{tell("orders.lead")}</p>
      </div>
      <OrderSearch asked={query.get("of") ?? ""} shown={query.get("show")} />
      <Refunds />
      <Standing />
    </>
  );
}

const PARTS = [
  ["held", "now.inCarts"],
  ["paymentPending", "now.pending"],
  ["sold", "now.sold"],
] as const;

function Standing() {
  const tell = useTell();
  const formats = useFormats();
  const stock = useLive().message?.stock ?? null;
  return (
    <Card title={tell("orders.now")}>
      {stock === null ? (
        <p class="quiet">{tell("frame.unavailable")}</p>
      ) : (
        <table class="stacking">
          <thead>
            <tr>
              <th scope="col">{tell("sales.sku")}</th>
              {PARTS.map(([part, text]) => (
                <th scope="col" class="number" key={part}>
                  {tell(text)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {stock.goods.map((goods) => (
              <tr key={goods.goodsSKU}>
                <th scope="row">{goods.goodsSKU}</th>
                {PARTS.map(([part, text]) => (
                  <td class="number" data-name={tell(text)} key={part}>
                    {formats.count(goods[part])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}

/** What became of the stock of each SKU: where it is now, how it went there, and when nothing will be left. */
import { useEffect, useMemo, useState } from "preact/hooks";
import type { StockPoint, StockView } from "../../answers.ts";
import { Card } from "../../parts/card.tsx";
import { Chart, type Series } from "../../parts/chart.tsx";
import { useAsk, useFormats, useTell } from "../../surroundings.tsx";

interface StockProps {
  readonly stock: { readonly goods: readonly StockView[]; readonly more: boolean } | null;
  readonly at: number;
}

export function Stock({ stock, at }: StockProps) {
  const tell = useTell();
  // What somebody has taken of stands first.
  const shown = (stock?.goods ?? []).toSorted((one, other) => Number(isTouched(other)) - Number(isTouched(one))).slice(0, SHOWN);
  return (
    <section aria-label={tell("now.stock")} class="stocks">
      {stock === null || stock.goods.length === 0 ? (
        <Card title={tell("now.stock")}>
          <p class="quiet">{tell(stock === null ? "frame.unavailable" : "now.stockNone")}</p>
        </Card>
      ) : (
        shown.map((goods) => <StockCard key={goods.goodsSKU} goods={goods} at={at} />)
      )}
      {stock !== null && (stock.more || shown.length < stock.goods.length) && <p class="quiet">{tell("now.stockMore")}</p>}
    </section>
  );
}

const SHOWN = 24;
const isTouched = ({ held, paymentPending, sold }: StockView): boolean => held + paymentPending + sold > 0;

const PARTS = [
  ["sold", "stock-sold", "now.sold"],
  ["paymentPending", "stock-pending", "now.pending"],
  ["held", "stock-held", "now.inCarts"],
  ["available", "stock-available", "now.available"],
] as const;

function StockCard({ goods, at }: { readonly goods: StockView; readonly at: number }) {
  const tell = useTell();
  const formats = useFormats();
  const points = useCurve(goods, at);
  const times = useMemo(() => points.map((point) => point.at), [points]);
  const series = useMemo(
    (): Series[] => PARTS.map(([part, colour, text]) => ({ label: tell(text), colour, values: points.map((point) => point[part]) })),
    [points, tell],
  );
  const title = tell("now.chartStock", { sku: goods.goodsSKU });
  const summary = `${title}: ${PARTS.map(([part, , text]) => `${tell(text)} ${formats.count(goods[part])}`).join(", ")}`;
  return (
    <Card title={goods.goodsSKU} beside={<SellOut sellOut={goods.sellOut} at={at} />}>
      <p class="stock-left">
        <b>{formats.count(goods.available)}</b> {tell("now.available")}{" "}
        <span class="quiet">{tell("now.ofStocked", { stocked: formats.count(goods.stocked) })}</span>
      </p>
      {goods.hasCurve ? (
        <Chart {...{ title, summary, kind: "stack", times, series, format: formats.short }} height={150} />
      ) : (
        <p class="quiet">{summary}</p>
      )}
    </Card>
  );
}

function SellOut({ sellOut, at }: Pick<StockView, "sellOut"> & { readonly at: number }) {
  const tell = useTell();
  const formats = useFormats();
  if (sellOut === null) return <p class="pill">{tell("now.steady")}</p>;
  const time = formats.time(sellOut.at);
  if (!sellOut.isProjected) return <p class="pill strong">{tell("now.soldOutSince", { time })}</p>;
  return <p class="pill warm">{tell("now.soldOutAt", { time, span: formats.span(sellOut.at - at) })}</p>;
}

/** The whole curve once, and from then on what is told each second. */
function useCurve(goods: StockView, at: number): readonly StockPoint[] {
  const ask = useAsk();
  const [points, setPoints] = useState<readonly StockPoint[]>([]);
  const { goodsSKU, hasCurve } = goods;
  useEffect(() => {
    if (!hasCurve) return;
    void ask<{ points: readonly StockPoint[] }>("GET", `curve/${encodeURIComponent(goodsSKU)}`).then((asked) => {
      if (asked.kind === "answered") setPoints((known) => joined(asked.value.points, known));
    });
  }, [ask, goodsSKU, hasCurve]);
  useEffect(() => {
    const { available, held, paymentPending, sold } = goods;
    setPoints((known) => joined(known, [{ at, available, held, paymentPending, sold }]));
  }, [at]);
  return points;
}

const POINTS_MAX = 7_200;

/** Equal points in a row are the first and the last of them. */
function joined(earlier: readonly StockPoint[], later: readonly StockPoint[]): readonly StockPoint[] {
  const all = [...earlier];
  for (const point of later) {
    const [last, beforeLast] = [all.at(-1), all.at(-2)];
    if (last !== undefined && point.at <= last.at) continue;
    if (last && beforeLast && isSame(last, point) && isSame(beforeLast, point)) all.pop();
    all.push(point);
  }
  return all.slice(-POINTS_MAX);
}

const isSame = (one: StockPoint, other: StockPoint): boolean => PARTS.every(([part]) => one[part] === other[part]);

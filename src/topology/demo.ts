/** What `--demo` puts into the store, so that a newcomer can buy something at once, and see a sale begin a minute later. */
import type { SaleId, Sku } from "../core/ids.ts";
import type { DurationMs, UnixMs } from "../core/time.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Sale } from "../sales/sale.ts";
import type { SaleBook } from "../sales/sale-book.ts";
import type { PolicyController } from "../services/policy-controller/service.ts";

export interface DemoParts {
  readonly ledger: Pick<Ledger, "stock" | "goods" | "listGoods">;
  readonly policies: Pick<PolicyController, "put">;
  readonly sales: Pick<SaleBook, "all" | "create">;
}

const DEMO = "demo";
const OPEN_GOODS = "SKU0001" as Sku;
const SALE_GOODS = "DROP0001" as Sku;
const SALE_UNITS = 100;
const STARTS_AFTER_MS: DurationMs = 60_000;
const LASTS_MS: DurationMs = 3_600_000;
/** Short enough to watch goods come back. */
const FROZEN_FOR_MS: DurationMs = 3 * 60_000;

/**
 * Fills an empty store. One that the demo has filled before gets another sale when its last one is over; one with other goods stays as it is.
 *
 * @returns the demo's sale that is on or to come; `null` when there is none, because its id or its goods are used for something else
 */
export async function stockDemo({ ledger, policies, sales }: DemoParts, now: UnixMs): Promise<Sale | null> {
  const isEmpty = (await ledger.listGoods(null, 1, now)).length === 0;
  const last = lastDemoSale(sales);
  const isOpen = last !== null && now < last.endsAt;
  const sale = isOpen ? last : isEmpty || last ? await planSale(sales, last ? numberOf(last.id) + 1 : 1, now) : null;
  if (isEmpty) {
    await policies.put(OPEN_GOODS, { userLevel: 1, quantityLimit: 1 }, "add");
    await policies.put(OPEN_GOODS, { userLevel: 5, quantityLimit: 5 }, "add");
  }
  // What an earlier sale left frozen stays with those who have it.
  const [before] = await ledger.goods([SALE_GOODS], now);
  const saleGoods = { sku: SALE_GOODS, onHand: SALE_UNITS + (before?.frozen ?? 0), priceCents: 9_990 };
  // The goods come last and in one commit: a start that dies before it finds an empty store and does all this again.
  const goods = [
    ...(isEmpty ? [{ sku: OPEN_GOODS, onHand: 500, priceCents: 9_990 }] : []),
    ...(sale && (isEmpty || !isOpen) ? [saleGoods] : []),
  ];
  await ledger.stock(
    goods.map((one) => ({ verb: "stock", mode: "put", ...one })),
    now,
  );
  return sale;
}

async function planSale(sales: DemoParts["sales"], number: number, now: UnixMs): Promise<Sale | null> {
  const startsAt = now + STARTS_AFTER_MS;
  const reply = await sales.create((number === 1 ? DEMO : `${DEMO}-${number}`) as SaleId, {
    name: "Demo drop",
    startsAt,
    endsAt: startsAt + LASTS_MS,
    items: [{ sku: SALE_GOODS, salePriceCents: 4_990, quantityLimit: 1 }],
    frozenForMs: FROZEN_FOR_MS,
    paymentWindowMs: FROZEN_FOR_MS,
  });
  return reply.kind === "saved" ? reply.sale : null;
}

function lastDemoSale(sales: DemoParts["sales"]): Sale | null {
  const ours = [...sales.all()].filter(({ id }) => numberOf(id) > 0);
  return ours.sort((a, b) => numberOf(b.id) - numberOf(a.id))[0] ?? null;
}

/** 1 for `demo`, 2 for `demo-2`; 0 for a sale that is none of the demo's. */
function numberOf(id: SaleId): number {
  if (id === DEMO) return 1;
  return Number(/^demo-([1-9]\d{0,8})$/.exec(id)?.[1] ?? 0);
}

/** What the routes of sales do: each asks the book, and says in words what the book refuses. */
import { type HttpReply, json, on, type Route } from "../core/endpoint.ts";
import type { SaleId } from "../core/ids.ts";
import { listReply } from "../core/paging.ts";
import { problem } from "../core/problem.ts";
import type { Clock } from "../core/time.ts";
import { PAGE_ROWS_DEFAULT, SALES_MAX } from "../limits.ts";
import { salesApi as api, type SalePlanBody } from "./api.ts";
import type { Sale } from "./sale.ts";
import type { SaleBook, SaleRefusal, SaleReply } from "./sale-book.ts";
import { planOf, saleBody, wrongFields } from "./sale-json.ts";

export function routes(book: SaleBook, clock: Clock): Route[] {
  const show = (sale: Sale) => saleBody(sale, clock.now());
  const told = (id: SaleId, reply: SaleReply): HttpReply => (reply.kind === "saved" ? json(show(reply.sale)) : refusalReply(id, reply));
  const add = async (body: SalePlanBody): Promise<HttpReply> => {
    const plan = planOf(body);
    if ("refusal" in plan) return plan.refusal;
    const reply = await book.create(body.id ?? null, plan);
    if (reply.kind === "refused") return refusalReply(body.id ?? NEW_SALE, reply);
    return { ...json(show(reply.sale), 201), headers: { location: `/sales/${encodeURIComponent(reply.sale.id)}` } };
  };
  const update = async (id: SaleId, body: SalePlanBody): Promise<HttpReply> => {
    if (body.id !== undefined && body.id !== id)
      return wrongFields([{ pointer: "#/id", detail: "must be the id in the address, or be left out" }]);
    const plan = planOf(body);
    return "refusal" in plan ? plan.refusal : told(id, await book.replace(id, plan));
  };
  return [
    on(api.addSale, ({ body }) => add(body)),
    on(api.findAllSales, ({ query }) =>
      listReply<Sale, SaleId>({
        read: (after, limit) => book.list(after, limit),
        cursorOf: ({ id }) => id,
        after: query.after ?? null,
        limit: query.limit ?? PAGE_ROWS_DEFAULT,
        show,
        nextPage: (after) => `/sales?after=${encodeURIComponent(after)}&limit=${query.limit ?? PAGE_ROWS_DEFAULT}`,
      }),
    ),
    on(api.getSale, ({ params }) => {
      const sale = book.sale(params.id);
      return sale ? json(show(sale)) : unknown(params.id);
    }),
    on(api.updateSale, ({ params, body }) => update(params.id, body)),
    on(api.removeSale, async ({ params }) => {
      const outcome = await book.remove(params.id);
      if (outcome === "is-live") return refusalReply(params.id, { reason: "is-live" });
      return json({ id: params.id, status: "removed" });
    }),
    on(api.pauseSale, async ({ params }) => told(params.id, await book.setPaused(params.id, true))),
    on(api.resumeSale, async ({ params }) => told(params.id, await book.setPaused(params.id, false))),
  ];
}

/** How a sale is named that has no id yet. */
const NEW_SALE = "the new sale";

const unknown = (id: SaleId): HttpReply => problem(404, `there is no sale ${id}; add it with POST /sales`);

/** 409 throughout: the request is well-formed, and at another time, or beside other sales, it would be carried out. */
function refusalReply(id: string, refusal: SaleRefusal): HttpReply {
  switch (refusal.reason) {
    case "unknown-sale":
      return unknown(id as SaleId);
    case "id-taken":
      return problem(409, `there is a sale ${id} already; change it with PUT /sales/{id}, or give another id`);
    case "no-room":
      return problem(409, `no room for one more sale (${SALES_MAX}); delete one that has ended`);
    case "is-live":
      return problem(
        409,
        `${id} has begun and has not ended, paused or not; end it first by giving it an earlier endsAt (PUT /sales/{id}), then delete it`,
      );
    case "has-ended":
      return problem(409, `${id} has ended, and nothing of it changes any more; make a new sale`);
    case "over-at-once":
      return problem(409, `${id} would be over at once: endsAt must be later than now`, {
        errors: [{ pointer: "#/endsAt", detail: "must be later than now" }],
      });
    case "has-begun":
      return problem(409, `${id} has begun: its startsAt stays`, {
        errors: [{ pointer: "#/startsAt", detail: "must stay what it is, because the sale has begun" }],
      });
    case "item-promised":
      return problem(409, `${id} has begun: ${refusal.sku} stays in it at its price; pause the sale, or end it and make a new one`, {
        fields: { goodsSKU: refusal.sku },
      });
    case "overlap":
      return problem(409, `${refusal.sku} is in the sale ${refusal.saleId} during that time; choose another time, or leave it out`, {
        fields: { saleID: refusal.saleId, goodsSKU: refusal.sku },
      });
  }
}

/** The shopper's door over HTTP: what it says when it says no, in the shopper's language. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { SaleDesk } from "../../../test/sale-desk.ts";
import { Failure } from "../../core/failure.ts";
import type { SessionId, Sku, UserId } from "../../core/ids.ts";
import { LANGUAGES, type Language } from "../../core/language.ts";
import { Throttle } from "../../core/throttle.ts";
import { HttpServer } from "../../edge/http-server.ts";
import { ClientAddresses } from "../../identity/client-address.ts";
import { TrustedIdentity } from "../../identity/trusted.ts";
import { EmbeddedLedger } from "../../ledger/embedded/embedded-ledger.ts";
import { MemoryJournal } from "../../ledger/embedded/memory-journal.ts";
import { ORDER_ITEMS_MAX } from "../../limits.ts";
import { Cashier } from "../../orders/cashier.ts";
import { KeyedRequests } from "../../orders/keyed-requests.ts";
import { OrderDesk } from "../../orders/order-desk.ts";
import type { PaymentProvider } from "../../payment/provider.ts";
import { SaleBoard } from "../../sales/board.ts";
import { ShopperDoor, type ShopperDoorParts, shopperRoutes } from "./shopper-door.ts";

const WINDOW_MS = 60_000;
const sales = new SaleDesk();
const ledger = new EmbeddedLedger(new MemoryJournal());
/** The bank is away: no payment can be started. */
const bank: PaymentProvider = {
  ...{ name: "bank", canRefund: false, readNotification: () => ({ kind: "other" }), refund: async () => undefined },
  start: () => Promise.reject(new Failure("provider-failed", "the bank is away", true)),
};
let server: HttpServer;

beforeAll(() => {
  const { clock } = sales;
  const money = {
    providers: new Map([["bank", bank]]),
    currency: "eur",
    limitOf: () => 0,
    isGoingBack: () => false,
    requestRefund: async () => undefined,
  };
  const parts: ShopperDoorParts = {
    identity: new TrustedIdentity(new ClientAddresses({ trusted: [], header: "x-forwarded-for" })),
    board: new SaleBoard({ book: sales.book, ledger, clock, availability: "exact" }),
    ledger,
    checkout: {
      desk: new OrderDesk({ ledger, boughtUnder: () => null, paymentWindowMs: WINDOW_MS, clock }),
      cashier: new Cashier({ ledger, ...money, clock }),
    },
    keyed: new KeyedRequests({ replies: ledger, claims: null, keysInFlight: new Set(), newId: orderIds(), clock }),
    clock,
    throttle: new Throttle({ ratePerSecond: null, burst: 1 }, clock),
  };
  server = new HttpServer({
    ...{ host: "127.0.0.1", port: 0, routes: shopperRoutes(new ShopperDoor(parts), parts), adminKey: null, onReply: () => undefined },
    onBug: (error) => expect(error).toBeUndefined(),
  });
});
afterAll(() => server.abort());

function orderIds(): () => string {
  let count = 0;
  return () => {
    count += 1;
    return `order-${count}`;
  };
}

async function hold(userId: string, sku: string): Promise<void> {
  await ledger.stock([{ verb: "stock", mode: "put", sku: sku as Sku, onHand: 10, priceCents: 100 }], sales.now);
  const window = { opensAt: 0, closesAt: 0, frozenForMs: 10 * WINDOW_MS };
  const whose = { userId: userId as UserId, quantity: 1, limit: 0, sessionId: "s" as SessionId, key: null };
  await ledger.hold([{ verb: "hold", sku: sku as Sku, ...whose, ...window }], sales.now);
}

interface Told {
  readonly status: number;
  readonly detail: string;
  readonly reason?: string;
  readonly cause?: string;
  readonly order?: { readonly orderID: string; readonly state: string };
}

async function ask(method: string, path: string, language: Language, body?: object): Promise<Told> {
  const headers = { "accept-language": language, "content-type": "application/json" };
  const reply = await fetch(`http://127.0.0.1:${server.port}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  return (await reply.json()) as Told;
}

/** The refusals of a shopper's way through the door, by what each is about. */
async function refusals(language: Language): Promise<Readonly<Record<string, Told>>> {
  const userID = `${language}-shopper`;
  const post = (path: string, more: object = {}): Promise<Told> => ask("POST", path, language, { userID, ...more });
  const emptyCart = await post("/orders");
  const noHold = await post("/orders", { goodsSKUs: ["SKU7"] });
  await hold(userID, "SKU7");
  const notStarted = await post("/orders");
  const id = notStarted.order?.orderID ?? "";
  const notStartedAgain = await post(`/orders/${id}/payment`);
  const unknownOrder = await ask("GET", `/orders/nowhere?userID=${userID}`, language);
  const unknownSale = await ask("GET", "/sales/nowhere", language);
  await post(`/orders/${id}/cancel`);
  const cancelled = await post(`/orders/${id}/payment`);
  await hold(userID, "SKU7");
  const late = (await post("/orders")).order?.orderID ?? "";
  sales.now += WINDOW_MS;
  const expired = await post(`/orders/${late}/payment`);
  for (let index = 0; index <= ORDER_ITEMS_MAX; index += 1) await hold(userID, `many-${index}`);
  const tooMany = await post("/orders");
  return { emptyCart, noHold, notStarted, notStartedAgain, unknownOrder, unknownSale, cancelled, expired, tooMany };
}

test.each(LANGUAGES)("what went wrong and what to do next is said in %s", async (language) => {
  const told = await refusals(language);
  const shown = Object.entries(told).map(([about, { status, reason }]) => [about, status, reason]);
  expect(shown as unknown).toEqual([
    ["emptyCart", 409, "empty-cart"],
    ["noHold", 409, "no-hold"],
    ["notStarted", 503, "payment-not-started"],
    ["notStartedAgain", 503, "payment-not-started"],
    ["unknownOrder", 404, undefined],
    ["unknownSale", 404, undefined],
    ["cancelled", 409, "order-ended"],
    ["expired", 409, "order-ended"],
    ["tooMany", 409, "too-many-items"],
  ]);
  for (const [about, { detail }] of Object.entries(told)) {
    const hasChinese = /\p{Script=Han}/u.test(detail);
    expect({ about, hasChinese, hasPeriod: /[.。]$/.test(detail) }).toEqual({ about, hasChinese: language === "zh", hasPeriod: true });
  }
  // What only an operator can use is beside the message, not in it.
  const { notStarted } = told;
  expect(notStarted).toMatchObject({ cause: "the bank is away", order: { state: "payment-pending" } });
  expect(notStarted?.detail).not.toContain("bank");
});

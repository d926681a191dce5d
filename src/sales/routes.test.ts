/** The routes of sales, served by the real HTTP server over a real store, with a clock that the test moves by hand. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { expectProblem } from "../../test/contract/problem.ts";
import { END, idOf, NOON, SaleDesk, START } from "../../test/sale-desk.ts";
import { deleteJson, getJson, type JsonReply, postJson, putJson, send } from "../../test/system.ts";
import { HttpServer } from "../edge/http-server.ts";
import { SALE_ITEMS_MAX, SALE_NAME_CHARS_MAX } from "../limits.ts";
import { routes } from "./routes.ts";

let desk: SaleDesk;
let server: HttpServer;
let sales: string;
const bugs: unknown[] = [];
beforeEach(() => {
  desk = new SaleDesk();
  server = new HttpServer({
    ...{ host: "127.0.0.1", port: 0, adminKey: "key", onReply: () => undefined },
    routes: routes(desk.book, desk.clock),
    onBug: (error) => bugs.push(error),
  });
  sales = `http://127.0.0.1:${server.port}/sales`;
});
afterEach(() => server.abort());

const key = { authorization: "Bearer key" };
const add = (body: unknown): Promise<JsonReply> => postJson(sales, body, key);
const replace = (id: string, body: unknown): Promise<JsonReply> => putJson(`${sales}/${id}`, body, key);
const pause = (id: string): Promise<JsonReply> => send("POST", `${sales}/${id}/pause`, undefined, key);
const resume = (id: string): Promise<JsonReply> => send("POST", `${sales}/${id}/resume`, undefined, key);
const remove = (id: string): Promise<JsonReply> => deleteJson(`${sales}/${id}`, key);

const startsAt = new Date(START).toISOString();
const endsAt = new Date(END).toISOString();
const drop = { id: "drop", name: "Drop", startsAt, endsAt, items: [{ goodsSKU: "SKU1", salePrice: 99.9, quantityLimit: 2 }] };

describe("POST /sales", () => {
  test("makes a sale: 201, where it is, and all of it", async () => {
    const sale = { ...drop, startsAt: "2026-11-22T20:01:00+08:00", frozenForSeconds: 600, paymentWindowSeconds: 300 };
    const { status, headers, body } = await add(sale);
    expect({ status, location: headers.get("location") }).toEqual({ status: 201, location: "/sales/drop" });
    expect(body).toEqual({ ...sale, startsAt, status: "scheduled", isPaused: false });
    expect((await getJson(`${sales}/drop`)).body).toEqual(body);
  });

  test("gives an id to a sale that has none, and leaves out what was not said", async () => {
    const { name, items } = drop;
    const { headers, body } = await add({ name, startsAt, endsAt, items: [{ goodsSKU: "SKU1", salePrice: 5 }] });
    expect(body).toEqual({
      id: "made-1",
      name,
      startsAt,
      endsAt,
      status: "scheduled",
      isPaused: false,
      items: [{ goodsSKU: "SKU1", salePrice: 5 }],
    });
    expect([headers.get("location"), items.length]).toEqual(["/sales/made-1", 1]);
  });

  test("names an id that needs it percent-encoded", async () => {
    const { headers } = await add({ ...drop, id: "双 11/2026?" });
    expect((await getJson(`${sales.replace("/sales", "")}${headers.get("location")}`)).body).toMatchObject({ id: "双 11/2026?" });
  });

  test("wants times with an offset, and names the field that has none", async () => {
    for (const time of ["2026-11-22T12:01:00", "2026-11-22", "tomorrow", "", 1_795_348_860_000, null, "2026-02-30T00:00:00Z"]) {
      expectProblem(await add({ ...drop, startsAt: time }), 400, ["#/startsAt"]);
      expectProblem(await add({ ...drop, endsAt: time }), 400, ["#/endsAt"]);
    }
    expectProblem(await add({ ...drop, startsAt: "x", endsAt: "y" }), 400, ["#/startsAt", "#/endsAt"]);
  });

  test("wants an end after the start, and each SKU once; and tells of both", async () => {
    expectProblem(await add({ ...drop, endsAt: startsAt }), 400, ["#/endsAt"]);
    const items = ["a", "b", "a", "a"].map((goodsSKU) => ({ goodsSKU, salePrice: 1 }));
    expectProblem(await add({ ...drop, items }), 400, ["#/items/2/goodsSKU", "#/items/3/goodsSKU"]);
    expectProblem(await add({ ...drop, items, endsAt: startsAt }), 400, ["#/endsAt", "#/items/2/goodsSKU", "#/items/3/goodsSKU"]);
  });

  test("names every other bad field", async () => {
    const wrong: readonly (readonly [string, object])[] = [
      ["#/id", { id: "" }],
      ["#/id", { id: 7 }],
      ["#/name", { name: "" }],
      ["#/name", { name: "x".repeat(SALE_NAME_CHARS_MAX + 1) }],
      ["#/name", { name: "a\nb" }],
      ["#/name", { name: undefined }],
      ["#/items", { items: [] }],
      ["#/items", { items: "SKU1" }],
      ["#/items", { items: Array.from({ length: SALE_ITEMS_MAX + 1 }, (_, index) => ({ goodsSKU: `${index}`, salePrice: 1 })) }],
      ["#/items/0", { items: [null] }],
      ["#/items/0/goodsSKU", { items: [{ goodsSKU: "", salePrice: 1 }] }],
      ["#/items/0/salePrice", { items: [{ goodsSKU: "a" }] }],
      ["#/items/1/salePrice", { items: [...drop.items, { goodsSKU: "a", salePrice: 1.001 }] }],
      ["#/items/0/salePrice", { items: [{ goodsSKU: "a", salePrice: -1 }] }],
      ["#/items/0/quantityLimit", { items: [{ goodsSKU: "a", salePrice: 1, quantityLimit: 0 }] }],
      ["#/items/0/quantityLimit", { items: [{ goodsSKU: "a", salePrice: 1, quantityLimit: 1.5 }] }],
      ["#/frozenForSeconds", { frozenForSeconds: 0 }],
      ["#/frozenForSeconds", { frozenForSeconds: 86_401 }],
      ["#/paymentWindowSeconds", { paymentWindowSeconds: 3_601 }],
      ["#/paymentWindowSeconds", { paymentWindowSeconds: "60" }],
    ];
    for (const [pointer, field] of wrong) expectProblem(await add({ ...drop, ...field }), 400, [pointer]);
    expect([desk.book.size, bugs]).toEqual([0, []]);
  });

  test("is 409 for an id that is taken, for a sale that would be over at once, and for one that overlaps another, which it names", async () => {
    await add(drop);
    expectProblem(await add(drop), 409);
    expectProblem(
      await add({ ...drop, id: "past", startsAt: new Date(NOON - 5).toISOString(), endsAt: new Date(NOON).toISOString() }),
      409,
      ["#/endsAt"],
    );
    const overlap = await add({
      ...drop,
      id: "second",
      startsAt: new Date(END - 1).toISOString(),
      endsAt: new Date(END + 9).toISOString(),
    });
    expectProblem(overlap, 409);
    expect(overlap.body).toMatchObject({ saleID: "drop", goodsSKU: "SKU1", detail: expect.stringContaining("SKU1 is in the sale drop") });
    expect((await add({ ...drop, id: "second", startsAt: endsAt, endsAt: new Date(END + 9).toISOString() })).status).toBe(201);
  });
});

describe("GET", () => {
  test("of a sale tells its status at that moment", async () => {
    await add(drop);
    const statusAt = async (now: number) => {
      desk.now = now;
      return ((await getJson(`${sales}/drop`)).body as { status: string }).status;
    };
    const statuses: string[] = [];
    for (const now of [START - 1, START, END - 1, END]) statuses.push(await statusAt(now));
    expect(statuses).toEqual(["scheduled", "live", "live", "ended"]);
  });

  test("of all sales comes in pages, and names the next", async () => {
    for (const id of ["c", "a", "b"]) await add({ ...drop, id, items: [{ goodsSKU: id, salePrice: 1 }] });
    const first = await getJson(`${sales}?limit=2`);
    expect([(first.body as { id: string }[]).map(({ id }) => id), first.headers.get("link")]).toEqual([
      ["a", "b"],
      '</sales?after=b&limit=2>; rel="next"',
    ]);
    const rest = await getJson(`${sales}?after=b&limit=2`);
    expect([(rest.body as { id: string }[]).map(({ id }) => id), rest.headers.get("link")]).toEqual([["c"], null]);
    for (const limit of ["0", "10001", "x"]) expectProblem(await getJson(`${sales}?limit=${limit}`), 400, ["#/query/limit"]);
  });

  test("of a sale that is not there is 404", async () => expectProblem(await getJson(`${sales}/none`), 404));
});

describe("PUT /sales/{id}", () => {
  test("replaces a scheduled sale: what is not said any more is gone", async () => {
    await add({ ...drop, frozenForSeconds: 60 });
    const items = [{ goodsSKU: "SKU2", salePrice: 1 }];
    const { id, ...rest } = { ...drop, name: "Another", startsAt: new Date(START + 5).toISOString(), items };
    const { status, body } = await replace("drop", rest);
    expect({ status, body }).toEqual({ status: 200, body: { id, ...rest, status: "scheduled", isPaused: false } });
    expect((await getJson(`${sales}/drop`)).body).toEqual(body);
  });

  test("refuses what would rewrite the past of a sale that has begun: 409, and nothing of it changes", async () => {
    await add(drop);
    desk.now = START;
    const before = (await getJson(`${sales}/drop`)).body;
    expectProblem(await replace("drop", { ...drop, startsAt: new Date(START + 1).toISOString() }), 409, ["#/startsAt"]);
    expectProblem(await replace("drop", { ...drop, endsAt: new Date(START).toISOString(), startsAt: new Date(NOON).toISOString() }), 409, [
      "#/endsAt",
    ]);
    const repriced = await replace("drop", { ...drop, items: [{ goodsSKU: "SKU1", salePrice: 100 }] });
    expectProblem(repriced, 409);
    expect(repriced.body).toMatchObject({ goodsSKU: "SKU1" });
    expectProblem(await replace("drop", { ...drop, items: [{ goodsSKU: "SKU2", salePrice: 1 }] }), 409);
    expect((await getJson(`${sales}/drop`)).body).toEqual(before);
    desk.now = END;
    expectProblem(await replace("drop", { ...drop, endsAt: new Date(END + 9).toISOString() }), 409);
  });

  test("ends a live sale early, by an end that is a moment ahead", async () => {
    await add(drop);
    desk.now = START + 10;
    expect((await replace("drop", { ...drop, endsAt: new Date(START + 11).toISOString() })).status).toBe(200);
    desk.now = START + 11;
    expect((await getJson(`${sales}/drop`)).body).toMatchObject({ status: "ended" });
  });

  test("is 404 for a sale that is not there, and 400 for a body that has another id", async () => {
    expectProblem(await replace("drop", drop), 404);
    await add(drop);
    expectProblem(await replace("drop", { ...drop, id: "other" }), 400, ["#/id"]);
    expectProblem(await replace("drop", { ...drop, endsAt: startsAt }), 400, ["#/endsAt"]);
  });
});

describe("pause, resume and DELETE", () => {
  test("stop a sale and let it go on by one call each", async () => {
    await add(drop);
    expect((await pause("drop")).body).toMatchObject({ status: "scheduled", isPaused: true });
    desk.now = START;
    expect((await getJson(`${sales}/drop`)).body).toMatchObject({ status: "paused", isPaused: true });
    expect((await resume("drop")).body).toMatchObject({ status: "live", isPaused: false });
    expect((await pause("drop")).body).toMatchObject({ status: "paused" });
    desk.now = END;
    expectProblem(await resume("drop"), 409);
    expectProblem(await pause("none"), 404);
  });

  test("a live or paused sale is not deleted: 409; a scheduled or ended one is, and deleting twice is no mistake", async () => {
    await add(drop);
    desk.now = START;
    expectProblem(await remove("drop"), 409);
    await pause("drop");
    expectProblem(await remove("drop"), 409);
    desk.now = END;
    for (let times = 0; times < 2; times += 1) {
      const { status, body } = await remove("drop");
      expect({ status, body }).toEqual({ status: 200, body: { id: "drop", status: "removed" } });
    }
    expectProblem(await getJson(`${sales}/drop`), 404);
    desk.now = NOON;
    await add(drop);
    expect((await remove("drop")).status).toBe(200);
  });
});

test("every call that changes a sale needs the admin key; reading needs none", async () => {
  await add(drop);
  const before = (await getJson(`${sales}/drop`)).body;
  const calls = [
    ["POST", sales, { ...drop, id: "other" }],
    ["PUT", `${sales}/drop`, { ...drop, name: "x" }],
    ["DELETE", `${sales}/drop`, undefined],
    ["POST", `${sales}/drop/pause`, undefined],
    ["POST", `${sales}/drop/resume`, undefined],
  ] as const;
  for (const [method, url, body] of calls) expectProblem(await send(method, url, body), 401);
  expect((await getJson(sales)).body).toEqual([before]);
  expect(desk.book.sale(idOf("drop"))?.isPaused).toBe(false);
});

/** The public board: what it shows, how old it may be, and what a crowd that refreshes it costs the ledger. */
import { describe, expect, test } from "bun:test";
import { END, idOf, item, NOON, SaleDesk, START, saved, skuOf } from "../../test/sale-desk.ts";
import type { HttpReply } from "../core/endpoint.ts";
import { Failure } from "../core/failure.ts";
import type { SessionId, Sku, UserId } from "../core/ids.ts";
import type { UnixMs } from "../core/time.ts";
import { EmbeddedLedger } from "../ledger/embedded/embedded-ledger.ts";
import { MemoryJournal } from "../ledger/embedded/memory-journal.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { BOARD_AGE_MS_MAX, BOARD_ENDED_SHOWN_MS, BOARD_SALES_MAX } from "../limits.ts";
import { type AvailabilityShown, SaleBoard } from "./board.ts";

interface Shown {
  readonly serverNow: number;
  readonly status: string;
  readonly items: readonly { readonly goodsSKU: string; readonly availability: number | string }[];
}

class Square extends SaleDesk {
  readonly ledger = new EmbeddedLedger(new MemoryJournal());
  /** How many times the ledger was asked. */
  looks = 0;
  readonly board: SaleBoard;

  constructor(availability: AvailabilityShown = "exact", goods?: Ledger["goods"]) {
    super();
    const look: Ledger["goods"] = goods ?? ((skus, now) => this.ledger.goods(skus, now));
    const counted: Ledger["goods"] = (skus, now) => {
      this.looks += 1;
      return look(skus, now);
    };
    const { clock } = this;
    // The desk's book is another one after a restart; the board of a test has one life.
    this.board = new SaleBoard({ book: this.book, ledger: { goods: counted }, clock, availability });
  }

  async stock(sku: string, onHand: number): Promise<void> {
    await this.ledger.stock([{ verb: "stock", mode: "put", sku: skuOf(sku), onHand, priceCents: 1 }], this.now);
  }

  async one(id: string, ifNoneMatch: string | null = null): Promise<HttpReply> {
    const reply = await this.board.one(id, ifNoneMatch);
    if (reply === null) throw new Error(`the board has no sale ${id}`);
    return reply;
  }

  async shown(id: string): Promise<Shown> {
    return bodyOf<Shown>(await this.one(id));
  }

  async list(): Promise<readonly Shown[]> {
    return bodyOf<{ sales: readonly Shown[] }>(await this.board.all(null)).sales;
  }
}

const bodyOf = <T>(reply: HttpReply): T => JSON.parse(reply.body as string) as T;
const etagOf = ({ headers: { etag = "" } = {} }: HttpReply): string => etag;

describe("the board", () => {
  test("shows a sale as it is announced, with the server's time and what is left of each item", async () => {
    const square = new Square();
    await square.stock("SKU1", 300);
    await square.open("S1", { items: [item("SKU1", 9_990, 2), item("SKU2", 50)], frozenForMs: 600_000, paymentWindowMs: 60_000 });
    expect(bodyOf(await square.one("S1"))).toEqual({
      ...{ serverNow: NOON, id: "S1", name: "Singles' Day", status: "scheduled", frozenForSeconds: 600, paymentWindowSeconds: 60 },
      ...{ startsAt: "2026-11-22T12:01:00.000Z", endsAt: "2026-11-22T12:02:00.000Z" },
      items: [
        { goodsSKU: "SKU1", salePrice: 99.9, quantityLimit: 2, availability: 300 },
        // Goods that nobody has stocked yet: there are none.
        { goodsSKU: "SKU2", salePrice: 0.5, availability: 0 },
      ],
    });
    const { serverNow, ...sale } = await square.shown("S1");
    expect(bodyOf(await square.board.all(null))).toEqual({ serverNow, sales: [sale] });
  });

  test("knows nothing of an id that is no sale", async () => {
    const square = new Square();
    expect([await square.board.one("S1", null), await square.board.one("", null), square.looks]).toEqual([null, null, 0]);
    expect(await square.list()).toEqual([]);
  });

  test("says many, few or none where it is told to be rough: few are a tenth of what was stocked, or ten", async () => {
    const square = new Square("rough");
    await square.open("S1");
    const rows = [
      [1_000, 0, "many"],
      [1_000, 899, "many"],
      [1_000, 900, "few"],
      [1_000, 999, "few"],
      [1_000, 1_000, "none"],
      [20, 9, "many"],
      [20, 10, "few"],
      [3, 0, "few"],
    ] as const;
    for (const [index, [stocked, taken, availability]] of rows.entries()) {
      const sku = `rough-${index}`;
      await square.stock(sku, stocked);
      if (taken > 0) await hold(square, sku, taken);
      await square.open(sku, { items: [item(sku)] });
      expect({ stocked, taken, shown: (await square.shown(sku)).items[0]?.availability as unknown }).toEqual({
        stocked,
        taken,
        shown: availability,
      });
    }
    expect((await square.shown("S1")).items[0]?.availability).toBe("none");
  });
});

async function hold(square: Square, sku: string, quantity: number, frozenForMs = 1_000_000): Promise<void> {
  const always = { opensAt: 0, closesAt: 0 };
  const command = { sku: sku as Sku, userId: "A" as UserId, quantity, limit: 0, frozenForMs, sessionId: "s" as SessionId, key: null };
  await square.ledger.hold([{ verb: "hold", ...command, ...always }], square.now);
}

describe("a snapshot", () => {
  test("serves everybody for so many milliseconds, and the ledger is asked once for all of them", async () => {
    const square = new Square();
    await square.stock("SKU1", 300);
    await square.open("S1");
    await square.one("S1");
    await square.board.all(null);
    await hold(square, "SKU1", 1);
    for (let times = 0; times < 10_000; times += 1) {
      square.now = NOON + (times % BOARD_AGE_MS_MAX);
      await square.one("S1");
      await square.board.all(null);
    }
    expect([square.looks, (await square.shown("S1")).items[0]?.availability]).toEqual([2, 300]);
    square.now = NOON + BOARD_AGE_MS_MAX;
    expect([(await square.shown("S1")).items[0]?.availability, (await square.list())[0]?.items[0]?.availability]).toEqual([299, 299]);
    expect(square.looks).toBe(4);
  });

  test("is made again at the millisecond of a start or an end, however young it is", async () => {
    const square = new Square();
    await square.open("S1");
    const statuses: string[] = [];
    for (const now of [START - 1, START, END - 1, END]) {
      square.now = now;
      statuses.push((await square.shown("S1")).status);
    }
    expect(statuses).toEqual(["scheduled", "live", "live", "ended"]);
  });

  test("is made again when its sale is changed, paused or resumed", async () => {
    const square = new Square();
    await square.open("S1");
    square.now = START;
    await square.one("S1");
    saved(await square.book.setPaused(idOf("S1"), true));
    expect((await square.shown("S1")).status).toBe("paused");
    saved(await square.book.setPaused(idOf("S1"), false));
    expect((await square.shown("S1")).status).toBe("live");
  });

  test("of a removed sale is gone with it", async () => {
    const square = new Square();
    await square.open("S1");
    await square.one("S1");
    await square.book.remove(idOf("S1"));
    expect(await square.board.one("S1", null)).toBeNull();
  });

  test("is made again when the clock was set back", async () => {
    const square = new Square();
    await square.stock("SKU1", 300);
    await square.open("S1");
    await square.one("S1");
    await hold(square, "SKU1", 1);
    square.now = NOON - 60_000;
    expect((await square.shown("S1")).items[0]?.availability).toBe(299);
  });

  test("counts a hold past its deadline as free", async () => {
    const square = new Square();
    await square.stock("SKU1", 10);
    await square.open("S1");
    await hold(square, "SKU1", 4, 1_000);
    expect((await square.shown("S1")).items[0]?.availability).toBe(6);
    square.now += 1_000;
    expect((await square.shown("S1")).items[0]?.availability).toBe(10);
  });

  test("is made once for all who ask while a ledger behind a network takes its time", async () => {
    const answers: (() => void)[] = [];
    const slow = (skus: readonly Sku[], now: UnixMs) =>
      new Promise<Awaited<ReturnType<Ledger["goods"]>>>((resolve) => answers.push(() => resolve(square.ledger.goods(skus, now))));
    const square: Square = new Square("exact", slow);
    await square.stock("SKU1", 7);
    await square.open("S1");
    const asked = Array.from({ length: 100 }, () => square.shown("S1"));
    expect(answers.length).toBe(1);
    for (const answer of answers) answer();
    expect(new Set((await Promise.all(asked)).map(({ items }) => items[0]?.availability))).toEqual(new Set([7]));
  });

  test("that could not be made is asked for again by the next who come", async () => {
    let isDown = true;
    const square: Square = new Square("exact", async (skus, now) => {
      if (isDown) throw new Failure("store-stopped", "the ledger is away", true);
      return square.ledger.goods(skus, now);
    });
    await square.open("S1");
    await expect(square.one("S1")).rejects.toThrow("the ledger is away");
    isDown = false;
    expect((await square.shown("S1")).status).toBe("scheduled");
  });
});

describe("an entity tag", () => {
  test("is weak, stays while nothing but the time has changed, and is another one when something has", async () => {
    const square = new Square();
    await square.stock("SKU1", 300);
    await square.open("S1");
    const first = await square.one("S1");
    expect(etagOf(first)).toMatch(/^W\/"[^"]+"$/);
    square.now += BOARD_AGE_MS_MAX;
    const second = await square.one("S1");
    expect([etagOf(second), bodyOf<Shown>(second).serverNow]).toEqual([etagOf(first), NOON + BOARD_AGE_MS_MAX]);
    await hold(square, "SKU1", 1);
    square.now += BOARD_AGE_MS_MAX;
    expect(etagOf(await square.one("S1"))).not.toBe(etagOf(first));
  });

  test("that the browser has already is answered 304 without a body, in any form that RFC 9110 allows", async () => {
    const square = new Square();
    await square.open("S1");
    const etag = etagOf(await square.one("S1"));
    for (const header of [etag, etag.slice(2), `"x", ${etag}`, `${etag},W/"y"`, "*"]) {
      const reply = await square.one("S1", header);
      expect({ header, status: reply.status, body: reply.body, etag: etagOf(reply) }).toEqual({ header, status: 304, body: "", etag });
    }
    for (const header of [null, "", 'W/"x"', etag.slice(3, -1)]) expect((await square.one("S1", header)).status).toBe(200);
    const list = etagOf(await square.board.all(null));
    expect([(await square.board.all(list)).status, (await square.board.all(etag)).status]).toEqual([304, 200]);
  });
});

describe("the server's time", () => {
  const headersOf = ({ headers }: HttpReply) => headers;

  test("is never a browser's old copy: nothing of the board is stored, and a 304 says the time of its moment", async () => {
    const square = new Square();
    await square.open("S1");
    const etag = etagOf(await square.one("S1"));
    expect(headersOf(await square.one("S1"))).toEqual({ etag, "cache-control": "no-store" });
    for (const now of [NOON, NOON + 1, NOON + BOARD_AGE_MS_MAX]) {
      square.now = now;
      expect(headersOf(await square.one("S1", etag))).toEqual({ etag, "cache-control": "no-store", "server-now": String(now) });
    }
  });

  test("costs a crowd no headers of its own: a snapshot's are one object, those of a 304 one in each millisecond", async () => {
    const square = new Square();
    await square.open("S1");
    const first = await square.one("S1");
    const unchanged = await square.one("S1", "*");
    expect(headersOf(await square.one("S1", "*"))).toBe(headersOf(unchanged));
    square.now += 1;
    expect(headersOf(await square.one("S1"))).toBe(headersOf(first));
  });
});

describe("the list", () => {
  test("shows what is on by its end, then what is to come by its start, then what ended lately, the last first", async () => {
    const square = new Square();
    const windows = {
      "on-late": [0, 900],
      "on-soon": [0, 500],
      next: [300, 400],
      later: [350, 360],
      "ended-first": [0, 10],
      "ended-last": [0, 20],
    };
    for (const [id, [from, to]] of Object.entries(windows) as [string, [number, number]][])
      await square.open(id, { startsAt: NOON + from, endsAt: NOON + to, items: [item(id)] });
    square.now = NOON + 100;
    const ids = (await square.list()).map((sale) => (sale as unknown as { id: string }).id);
    expect(ids).toEqual(["on-soon", "on-late", "next", "later", "ended-last", "ended-first"]);
    square.now = NOON + 10 + BOARD_ENDED_SHOWN_MS;
    expect((await square.list()).map(({ status }) => status)).toEqual(["ended", "ended", "ended", "ended", "ended"]);
  });

  test("shows so many sales and no more; the others are found under their own addresses", async () => {
    const square = new Square();
    for (let index = 0; index <= BOARD_SALES_MAX; index += 1)
      await square.open(`S${index}`, { startsAt: START + index, items: [item(`SKU${index}`)] });
    expect((await square.list()).length).toBe(BOARD_SALES_MAX);
    expect((await square.shown(`S${BOARD_SALES_MAX}`)).status).toBe("scheduled");
  });
});

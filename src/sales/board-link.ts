/**
 * The public board over a link: a gate of its own keeps copies of the snapshots, and asks for a new one when a copy's time is over. However
 * many shoppers refresh, and however many gates there are, the ledger sees some looks a second.
 */
import Type from "typebox";
import type { Answer } from "../core/answer.ts";
import type { HttpReply } from "../core/endpoint.ts";
import { Failure } from "../core/failure.ts";
import { SaleIdSchema } from "../core/ids.ts";
import type { Clock, DurationMs, UnixMs } from "../core/time.ts";
import { LINK_DEADLINE_MS } from "../limits/links.ts";
import { BOARD_COPIES_MAX } from "../limits.ts";
import { linkMethod, linkRoute } from "../links/method.ts";
import type { SaleBoard } from "./board.ts";
import { type Made, Page } from "./board-page.ts";

interface Asked {
  /** `null`: the list of sales. */
  readonly id: string | null;
}
/** `null`: there is no such sale. */
type Told = { readonly text: string; readonly goodForMs: DurationMs } | null;

export const readBoard = linkMethod<Asked, Told>({
  name: "board",
  summary: "the public snapshots of these sales, or of their list.",
  item: Type.Object({ id: Type.Union([SaleIdSchema, Type.Null()]) }),
  wire: ({ id }) => ({ id }),
  isRepeatable: true,
  deadlineMs: LINK_DEADLINE_MS,
});

export const boardLinkRoutes = (board: SaleBoard, clock: Clock) => [
  linkRoute(readBoard, (asked) =>
    Promise.all(
      asked.map(async ({ id }): Promise<Told> => {
        const snapshot = await board.snapshot(id);
        return snapshot && { text: snapshot.text, goodForMs: snapshot.goodUntil - clock.now() };
      }),
    ),
  ),
];

class NoSuchSale extends Error {}

export class BoardCopy {
  readonly #read: (asked: readonly Asked[]) => Promise<readonly Told[]>;
  readonly #clock: Clock;
  readonly #list = new Page((now) => this.#make(null, now));
  readonly #pages = new Map<string, Page>();

  constructor(read: (asked: readonly Asked[]) => Promise<readonly Told[]>, clock: Clock) {
    this.#read = read;
    this.#clock = clock;
  }

  all(ifNoneMatch: string | null): Answer<HttpReply> {
    return this.#list.reply(ifNoneMatch, this.#clock.now());
  }

  one(id: string, ifNoneMatch: string | null): Answer<HttpReply | null> {
    const page = this.#pages.get(id) ?? this.#newPage(id);
    const reply = page.reply(ifNoneMatch, this.#clock.now());
    if (!(reply instanceof Promise)) return reply;
    return reply.catch((error: unknown) => {
      if (!(error instanceof NoSuchSale)) throw error;
      this.#pages.delete(id);
      return null;
    });
  }

  #newPage(id: string): Page {
    // Ids that nobody sells under are forgotten as soon as that is known; with this many at once all copies are made anew.
    if (this.#pages.size >= BOARD_COPIES_MAX) this.#pages.clear();
    const page = new Page((now) => this.#make(id, now));
    this.#pages.set(id, page);
    return page;
  }

  async #make(id: string | null, now: UnixMs): Promise<Made> {
    const [told] = await this.#read([{ id }]);
    if (told === undefined) throw new Failure("unreachable", "the board gave no answer", true);
    if (told === null) throw new NoSuchSale();
    // From when it was asked for: the way here is part of its age.
    return { text: told.text, goodUntil: now + told.goodForMs };
  }
}

/**
 * The event store is in the thread of the analysis, and operators ask the process around it. Questions and answers cross as messages, told apart by
 * a number. A question whose thread dies meanwhile gets no answer: it is given up when any would have come.
 */
import type { DurationMs, UnixMs } from "../core/time.ts";
import { REPORT_MS_MAX, SEARCH_MS_MAX, SEARCHES_WAITING_MAX } from "../limits/event-store.ts";
import { type DropReport, type EventPage, type EventQuery, type EventStore, SearchRefused } from "./event-store.ts";

/** What is to be kept, and where; told to the thread with its greeting. */
export interface KeepSettings {
  readonly folder: string;
  readonly keptMs: DurationMs;
  readonly keptBytes: number;
  /** Where events are sent besides; `null`: nowhere. */
  readonly sinkUrl: string | null;
}

export type StoreQuestion =
  | { readonly ask: number; readonly search: EventQuery }
  | { readonly ask: number; readonly report: { readonly from: UnixMs; readonly until: UnixMs } };

export type StoreAnswer =
  | { readonly answer: number; readonly is: EventPage | DropReport }
  | { readonly answer: number; readonly refused: { readonly why: SearchRefused["why"]; readonly detail: string } };

/** Told every second. */
export interface StoreFigures {
  readonly eventsKept: number;
  readonly eventsLost: number;
  readonly bytes: number;
  readonly sinkSent: number;
  readonly sinkLost: number;
}
export type FromStore = StoreAnswer | { readonly figures: StoreFigures } | { readonly trouble: string };

export const isStoreQuestion = (told: unknown): told is StoreQuestion => typeof told === "object" && told !== null && "ask" in told;
export const isFromStore = (tells: unknown): tells is FromStore =>
  typeof tells === "object" && tells !== null && ("answer" in tells || "figures" in tells || "trouble" in tells);

/** In the thread. Never rejects. @param onTrouble hears of an error that nobody has thought of: who has asked learns only that there is no answer */
export async function answerOf(
  store: Pick<EventStore, "search" | "report">,
  question: StoreQuestion,
  onTrouble: (message: string) => void,
): Promise<StoreAnswer> {
  const answer = question.ask;
  try {
    const is = "search" in question ? store.search(question.search) : store.report(question.report.from, question.report.until);
    return { answer, is: await is };
  } catch (error) {
    if (error instanceof SearchRefused) return { answer, refused: { why: error.why, detail: error.detail } };
    onTrouble(`a search of the traffic has failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return { answer, refused: { why: "unavailable", detail: "The event store did not answer." } };
  }
}

/** Longer than the store ever takes, whatever it has before this. */
const ANSWER_MS_MAX: DurationMs = SEARCH_MS_MAX + REPORT_MS_MAX;

export interface StoreAskerParts {
  readonly tell: (question: StoreQuestion) => void;
  readonly after: (delay: DurationMs, run: () => void) => void;
}

/** In the process. */
export class StoreAsker implements Pick<EventStore, "search" | "report"> {
  readonly #parts: StoreAskerParts;
  readonly #asked = new Map<number, PromiseWithResolvers<EventPage | DropReport>>();
  #questions = 0;

  constructor(parts: StoreAskerParts) {
    this.#parts = parts;
  }

  search(query: EventQuery): Promise<EventPage> {
    return this.#ask((ask) => ({ ask, search: query })) as Promise<EventPage>;
  }

  report(from: UnixMs, until: UnixMs): Promise<DropReport> {
    return this.#ask((ask) => ({ ask, report: { from, until } })) as Promise<DropReport>;
  }

  answer(answer: StoreAnswer): void {
    const asked = this.#asked.get(answer.answer);
    this.#asked.delete(answer.answer);
    if ("is" in answer) asked?.resolve(answer.is);
    else asked?.reject(new SearchRefused(answer.refused.why, answer.refused.detail));
  }

  /** Nobody answers any more what was asked so far. */
  giveUp(): void {
    const detail = "The event store has ended before it answered; try again in a few seconds.";
    for (const answer of [...this.#asked.keys()]) this.answer({ answer, refused: { why: "unavailable", detail } });
  }

  #ask(question: (number: number) => StoreQuestion): Promise<EventPage | DropReport> {
    // The store has such a bound, too; this one holds while nobody answers.
    if (this.#asked.size > SEARCHES_WAITING_MAX)
      return Promise.reject(new SearchRefused("too-many", "Too many searches are under way; try again in a few seconds."));
    this.#questions += 1;
    const number = this.#questions;
    const asked = Promise.withResolvers<EventPage | DropReport>();
    this.#asked.set(number, asked);
    this.#parts.tell(question(number));
    this.#parts.after(ANSWER_MS_MAX, () =>
      this.answer({ answer: number, refused: { why: "unavailable", detail: "The event store did not answer; try again." } }),
    );
    return asked.promise;
  }
}

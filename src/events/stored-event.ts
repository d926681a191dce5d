/** An event out of the outbox. Its JSON is passed on as it was written; it is read only by whoever asks what is in it. */
import { areHoldsTogether, holdsApart } from "../ledger/holds-together.ts";
import { EVENT_TYPES, type EventType } from "./event.ts";
import { holdTexts } from "./event-text.ts";

interface Data {
  readonly goodsSKU?: string;
  readonly goodsSKUs?: readonly string[];
  readonly orderID?: string;
  readonly order?: { readonly items: readonly { readonly goodsSKU: string }[] };
}

/** One string for each type: a piece of an event's text would keep all of its row in memory for as long as somebody keeps the type. */
const TYPES = new Map<string, EventType>(EVENT_TYPES.map((type) => [type, type]));
const TYPE_AT = '{"type":"'.length;

export class StoredEvent {
  readonly id: number;
  /** Without the id. */
  readonly #text: string;
  #data: Data | null = null;

  constructor(id: number, text: string) {
    this.id = id;
    this.#text = text;
  }

  /** The event as the outside gets it. */
  get text(): string {
    return `{"id":"${this.id}",${this.#text.slice(1)}`;
  }

  get type(): EventType {
    const type = this.#text.slice(TYPE_AT, this.#text.indexOf('"', TYPE_AT));
    return TYPES.get(type) ?? (type as EventType);
  }

  get skus(): readonly string[] {
    const { goodsSKU, goodsSKUs, order } = this.#read();
    if (goodsSKU !== undefined) return [goodsSKU];
    return goodsSKUs ?? order?.items.map((item) => item.goodsSKU) ?? [];
  }

  /** Events that share one of these names are told in order: its SKUs, or its order where it names no SKU. */
  get orderedBy(): readonly string[] {
    const { skus } = this;
    return skus.length > 0 ? skus : [this.#read().orderID ?? ""];
  }

  #read(): Data {
    this.#data ??= (JSON.parse(this.#text) as { readonly data: Data }).data;
    return this.#data;
  }
}

/** The events of a row of the outbox from `fromId` on, up to `limit`. @param entries one event in a line, or holds together in one */
export function eventsInRow(firstId: number, entries: string, fromId: number, limit: number): StoredEvent[] {
  const skipped = Math.max(0, fromId - firstId);
  const texts = areHoldsTogether(entries) ? holdTexts(holdsApart(entries)) : entries.split("\n");
  return texts.slice(skipped, skipped + limit).map((text, index) => new StoredEvent(firstId + skipped + index, text));
}

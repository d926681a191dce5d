/**
 * The events of one page of records, in columns that are used again for the next page: for an everyday purchase nothing is allocated. Its texts are where
 * they were read, in the page's bytes. What all who left a turn of the gate together have in common is their batch. Whatever is no everyday purchase
 * stands beside the columns, as an object (`rest`).
 */
import type { UnixMs } from "../core/time.ts";
import { PAGE_EVENTS_MAX } from "../limits/traffic.ts";
import type { EventStep, TrafficEvent } from "./event.ts";
import { hexText } from "./trace-words.ts";

export interface Batch {
  readonly instance: string;
  readonly steps: readonly EventStep[];
  readonly reason: string | null;
  /** See `kinds.ts`. */
  readonly kind: number;
}

/** Where the texts of a column begin and end: two numbers for each row. */
type Places = Uint32Array;

export class ReadEvents {
  bytes: Uint8Array = new Uint8Array(0);
  count = 0;
  readonly at = new Float64Array(PAGE_EVENTS_MAX);
  /** Four words of 32 bits for each row, the highest first. */
  readonly trace = new Uint32Array(4 * PAGE_EVENTS_MAX);
  readonly address: Places = new Uint32Array(2 * PAGE_EVENTS_MAX);
  readonly user: Places = new Uint32Array(2 * PAGE_EVENTS_MAX);
  readonly sku: Places = new Uint32Array(2 * PAGE_EVENTS_MAX);
  readonly quantity = new Float64Array(PAGE_EVENTS_MAX);
  readonly totalUs = new Float64Array(PAGE_EVENTS_MAX);
  /** Where each row's batch stands in `batches`. */
  readonly batch = new Uint16Array(PAGE_EVENTS_MAX);
  readonly batches: Batch[] = [];
  rest: TrafficEvent[] = [];
  readonly #decoder = new TextDecoder();

  static of(events: readonly TrafficEvent[]): ReadEvents {
    const page = new ReadEvents();
    page.rest = [...events];
    return page;
  }

  get isFull(): boolean {
    return this.count === PAGE_EVENTS_MAX;
  }
  /** With the rest. */
  get events(): number {
    return this.count + this.rest.length;
  }

  /** @param bytes whole records, which stay as they are for as long as somebody looks at this page */
  begin(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.count = 0;
    this.batches.length = 0;
    this.rest = [];
  }

  batchOf(row: number): Batch {
    return this.batches[this.batch[row] as number] as Batch;
  }

  textAt(places: Places, row: number): string {
    return this.#decoder.decode(this.bytes.subarray(places[2 * row], places[2 * row + 1]));
  }

  /** All of them as objects, for who looks at few pages. */
  *objects(): Iterable<TrafficEvent> {
    for (let row = 0; row < this.count; row += 1) yield this.#objectAt(row);
    yield* this.rest;
  }

  #objectAt(row: number): TrafficEvent {
    const { instance, steps, reason } = this.batchOf(row);
    return {
      at: this.at[row] as UnixMs,
      instance,
      traceId: hexText(this.trace, 4 * row),
      clientIp: this.textAt(this.address, row),
      userId: this.textAt(this.user, row),
      sku: this.textAt(this.sku, row),
      quantity: this.quantity[row] as number,
      steps,
      reason,
      totalUs: this.totalUs[row] as number,
      request: null,
      status: null,
    };
  }
}

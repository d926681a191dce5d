/** Somebody who brings records somewhere, with pages of its own to add records to: as a gate has them. */
import { type RecordCarrier, RecordPages } from "../src/edge/record-pages.ts";

export type Recorder<C> = C & { add(line: string): void };

/** Its `close` hands over first what was added. */
export function recorderOf<C extends RecordCarrier & { close(): Promise<void> }>(carrier: C): Recorder<C> {
  const pages = new RecordPages();
  pages.carriedBy(carrier);
  const close = carrier.close.bind(carrier);
  return Object.assign(carrier, {
    add: (line: string) => pages.add(line),
    close: (): Promise<void> => {
      pages.close();
      return close();
    },
  });
}

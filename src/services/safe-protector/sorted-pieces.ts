/**
 * A long list in order, a piece at a time, without sorting all of it at once, which would stop everybody else for a second: it is divided by the
 * first units in which its texts differ, as many of them as give a few hundred thousand parts, and the short parts that follow upon one another are
 * sorted together (bucket sort, and again for the parts that are still too long).
 */

/** Texts looked at between two pauses. */
const TEXTS_PER_LOOK = 5_000;
const PARTS_MAX = 2 ** 19;
const UNITS_MAX = 8;
const UNIT_VALUES = 2 ** 16;

/** @param pause waits for everybody else to have a turn. Pieces have up to `limit` texts, and are in order themselves */
export async function* sortedPieces(
  texts: readonly string[],
  limit: number,
  pause: () => Promise<void>,
): AsyncGenerator<readonly string[]> {
  if (texts.length <= limit) {
    if (texts.length > 0) yield texts.toSorted();
    return;
  }
  const shared = await sharedPrefix(texts, pause);
  const { order, ends } = await parted(texts, await partsBy(texts, shared, pause), pause);
  const textsIn = (from: number, to: number): string[] => Array.from(order.subarray(from, to), (index) => texts[index] as string);
  let from = 0;
  for (let part = 0, start = 0; part < ends.length; part += 1) {
    const end = ends[part] as number;
    if (end - from > limit) {
      // The parts before this one are a piece.
      if (start > from) yield textsIn(from, start).toSorted();
      from = start;
    }
    if (end - start > limit) {
      const long = textsIn(start, end);
      // Texts that are all the same cannot be divided.
      if (long.every((text) => text === long[0])) yield* slices(long, limit);
      else yield* sortedPieces(long, limit, pause);
      from = end;
    }
    start = end;
  }
  if (from < order.length) yield textsIn(from, order.length).toSorted();
}

/** How many units all texts begin with. */
async function sharedPrefix(texts: readonly string[], pause: () => Promise<void>): Promise<number> {
  const first = texts[0] as string;
  let shared = first.length;
  for (let index = 0; index < texts.length && shared > 0; index += 1) {
    const text = texts[index] as string;
    let same = 0;
    while (same < shared && text.charCodeAt(same) === first.charCodeAt(same)) same += 1;
    shared = same;
    if (index % TEXTS_PER_LOOK === TEXTS_PER_LOOK - 1) await pause();
  }
  return shared;
}

interface Parts {
  readonly count: number;
  /** Grows with the order of the texts. */
  readonly of: (text: string) => number;
}

/** Parts by the first units behind those that are shared: as many units as do not give too many parts, and one at least. */
async function partsBy(texts: readonly string[], shared: number, pause: () => Promise<void>): Promise<Parts> {
  const ranks = new Uint32Array(UNIT_VALUES);
  for (let index = 0; index < texts.length; index += 1) {
    const text = texts[index] as string;
    const end = Math.min(text.length, shared + UNITS_MAX);
    for (let at = shared; at < end; at += 1) ranks[text.charCodeAt(at)] = 1;
    if (index % TEXTS_PER_LOOK === TEXTS_PER_LOOK - 1) await pause();
  }
  // A text that ends here comes before all that go on: it has rank 0.
  let base = 1;
  for (let unit = 0; unit < UNIT_VALUES; unit += 1) {
    if (ranks[unit] === 0) continue;
    ranks[unit] = base;
    base += 1;
  }
  const units = Math.max(1, Math.min(UNITS_MAX, Math.floor(Math.log(PARTS_MAX) / Math.log(base))));
  const of = (text: string): number => {
    let part = 0;
    for (let at = shared; at < shared + units; at += 1)
      part = part * base + (at < text.length ? (ranks[text.charCodeAt(at)] as number) : 0);
    return part;
  };
  return { count: base ** units, of };
}

/** The indexes of all texts, part by part, and where each part ends. */
async function parted(texts: readonly string[], { count, of }: Parts, pause: () => Promise<void>) {
  const partOf = new Uint32Array(texts.length);
  const starts = new Uint32Array(count + 1);
  for (let index = 0; index < texts.length; index += 1) {
    const part = of(texts[index] as string);
    partOf[index] = part;
    starts[part + 1] = (starts[part + 1] as number) + 1;
    if (index % TEXTS_PER_LOOK === TEXTS_PER_LOOK - 1) await pause();
  }
  for (let part = 1; part <= count; part += 1) starts[part] = (starts[part] as number) + (starts[part - 1] as number);
  const order = new Uint32Array(texts.length);
  for (let index = 0; index < texts.length; index += 1) {
    const part = partOf[index] as number;
    const place = starts[part] as number;
    order[place] = index;
    // In the end each start has come to the end of its part.
    starts[part] = place + 1;
    if (index % TEXTS_PER_LOOK === TEXTS_PER_LOOK - 1) await pause();
  }
  return { order, ends: starts.subarray(0, count) };
}

function* slices(texts: readonly string[], limit: number): Generator<readonly string[]> {
  for (let from = 0; from < texts.length; from += limit) yield texts.slice(from, from + limit);
}

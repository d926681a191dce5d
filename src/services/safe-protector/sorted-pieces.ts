/**
 * A long list in order, a piece at a time, without sorting all of it at once, which would stop everybody else for a second: it is divided by the
 * first characters in which its texts differ until a part is short, and the short parts are sorted (radix sort, most significant first).
 */

/** Texts looked at between two pauses. */
const TEXTS_PER_LOOK = 20_000;

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
  const parts = new Map<number, string[]>();
  for (const [index, text] of texts.entries()) {
    // A text that ends here comes before all that go on.
    const unit = shared < text.length ? text.charCodeAt(shared) : -1;
    const part = parts.get(unit);
    if (part) part.push(text);
    else parts.set(unit, [text]);
    if (index % TEXTS_PER_LOOK === TEXTS_PER_LOOK - 1) await pause();
  }
  const units = [...parts.keys()].toSorted((a, b) => a - b);
  let small: string[] = [];
  for (const unit of units) {
    const part = parts.get(unit) as string[];
    if (small.length + part.length <= limit) {
      small = small.concat(part);
      continue;
    }
    yield* sortedPieces(small, limit, pause);
    small = [];
    // Texts that are all the same cannot be divided.
    if (unit === -1) yield* slices(part, limit);
    else if (part.length <= limit) small = part;
    else yield* sortedPieces(part, limit, pause);
  }
  yield* sortedPieces(small, limit, pause);
}

/** How many characters all texts begin with. */
async function sharedPrefix(texts: readonly string[], pause: () => Promise<void>): Promise<number> {
  const first = texts[0] as string;
  let shared = first.length;
  for (const [index, text] of texts.entries()) {
    let same = 0;
    while (same < shared && text.charCodeAt(same) === first.charCodeAt(same)) same += 1;
    shared = same;
    if (index % TEXTS_PER_LOOK === TEXTS_PER_LOOK - 1) await pause();
  }
  return shared;
}

function* slices(texts: readonly string[], limit: number): Generator<readonly string[]> {
  for (let from = 0; from < texts.length; from += limit) yield texts.slice(from, from + limit);
}

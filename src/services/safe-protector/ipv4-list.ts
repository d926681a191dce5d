/**
 * A long list of IPv4 addresses as a column of numbers that sort as their texts do. Between two octets stands a dot and behind the last one nothing,
 * and both come before all digits, so an address comes where the places of its octets, in the order of texts, put it: 1, 10, 100, 101 ...
 */

const OCTETS = Array.from({ length: 256 }, (_, octet) => String(octet)).toSorted();
const PLACES = Uint8Array.from({ length: 256 }, (_, octet) => OCTETS.indexOf(String(octet)));
const DIGIT_BITS = 16;
const DIGITS = 2 ** DIGIT_BITS;
const LENGTH_FIRST = 1_024;
/** Numbers looked at between two pauses. */
const NUMBERS_PER_LOOK = 20_000;

export class Ipv4List {
  #numbers = new Uint32Array(LENGTH_FIRST);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** @param bits of the address, as `ipv4Bits` gives them */
  add(bits: number): void {
    if (this.#length === this.#numbers.length) {
      const grown = new Uint32Array(this.#length * 2);
      grown.set(this.#numbers);
      this.#numbers = grown;
    }
    const place = (octet: number): number => PLACES[octet & 255] as number;
    this.#numbers[this.#length] = (place(bits >>> 24) << 24) | (place(bits >>> 16) << 16) | (place(bits >>> 8) << 8) | place(bits);
    this.#length += 1;
  }

  /** The texts from `from` on, up to `limit` of them. */
  texts(from: number, limit: number): string[] {
    const some = this.#numbers.subarray(from, Math.min(from + limit, this.#length));
    const texts: string[] = [];
    for (const number of some)
      texts.push(`${OCTETS[number >>> 24]}.${OCTETS[(number >>> 16) & 255]}.${OCTETS[(number >>> 8) & 255]}.${OCTETS[number & 255]}`);
    return texts;
  }

  /** Puts them in the order of their texts. @param pause waits for everybody else to have a turn */
  async sort(pause: () => Promise<void>): Promise<void> {
    // By the last half first, and then by the first half, each keeping the order of those that are alike (radix sort).
    for (const shift of [0, DIGIT_BITS]) this.#numbers = await sortedBy(this.#numbers.subarray(0, this.#length), shift, pause);
  }
}

async function sortedBy(numbers: Uint32Array, shift: number, pause: () => Promise<void>): Promise<Uint32Array<ArrayBuffer>> {
  const starts = new Uint32Array(DIGITS + 1);
  const sorted = new Uint32Array(numbers.length);
  for (let from = 0; from < numbers.length; from += NUMBERS_PER_LOOK) {
    const to = Math.min(from + NUMBERS_PER_LOOK, numbers.length);
    for (let index = from; index < to; index += 1) {
      const next = (((numbers[index] as number) >>> shift) & (DIGITS - 1)) + 1;
      starts[next] = (starts[next] as number) + 1;
    }
    await pause();
  }
  for (let digit = 1; digit <= DIGITS; digit += 1) starts[digit] = (starts[digit] as number) + (starts[digit - 1] as number);
  for (let from = 0; from < numbers.length; from += NUMBERS_PER_LOOK) {
    const to = Math.min(from + NUMBERS_PER_LOOK, numbers.length);
    for (let index = from; index < to; index += 1) {
      const number = numbers[index] as number;
      const digit = (number >>> shift) & (DIGITS - 1);
      const place = starts[digit] as number;
      sorted[place] = number;
      starts[digit] = place + 1;
    }
    await pause();
  }
  return sorted;
}

/**
 * Whether any network is near an address at all, told by how many of them have the same first bits. Nearly nobody is near one, and then the
 * networks need not be searched, prefix length by prefix length.
 */
const PLACES = 65_536;

export class Neighbourhoods {
  readonly #bits: number;
  /** Empty until there is a network. */
  #counts = new Uint32Array(0);
  /** Networks with fewer bits than tell a neighbourhood: everybody is near them. */
  #wide = 0;

  /** @param bits how many of an address tell its neighbourhood */
  constructor(bits: number) {
    this.#bits = bits;
  }

  /** @param neighbourhood what the first bits come to; different ones may come to the same */
  count(neighbourhood: number, prefixBits: number, change: 1 | -1): void {
    if (prefixBits < this.#bits) this.#wide += change;
    else {
      if (this.#counts.length === 0) this.#counts = new Uint32Array(PLACES);
      const place = neighbourhood & (PLACES - 1);
      this.#counts[place] = (this.#counts[place] as number) + change;
    }
  }

  has(neighbourhood: number): boolean {
    return this.#wide > 0 || (this.#counts[neighbourhood & (PLACES - 1)] ?? 0) > 0;
  }
}

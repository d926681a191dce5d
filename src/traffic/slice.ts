/**
 * The events of a fraction of a second, sorted by who made them. Everything that lasts longer is fed with whole slices: what came often in one
 * is looked up once, and between processes a slice is what is told (`digest.ts`). Inside a slice nothing is estimated; when it is full it ends.
 */
import { ipv4Bits, parseCidrRange } from "../core/ip-address.ts";
import type { UnixMs } from "../core/time.ts";
import { EVIDENCE_TRACES_MAX, LATENCY_US_MAX, SLICE_EVENTS_MAX, SLICE_KEYS_MAX } from "../limits/traffic.ts";
import type { EventStep, TrafficEvent } from "./event.ts";
import { KeyCounts, withRoomFor } from "./key-counts.ts";
import { KIND, KIND_COUNT, kindOf } from "./kinds.ts";
import type { ReadEvents } from "./read-events.ts";
import { type Group, Summary } from "./summary.ts";
import { hexText, hexWords, isNoTrace } from "./trace-words.ts";

/** Who came with whom: the key's number in its group, and the hash of the other. */
export interface Marks {
  readonly keys: Uint32Array;
  readonly hashes: Uint32Array;
  readonly length: number;
}

export interface Slice {
  /** Of the events' own clock: their second, and the latest of them. */
  readonly second: number;
  readonly at: UnixMs;
  readonly summary: Summary;
  readonly groups: Readonly<Record<Group, KeyCounts>>;
  /** Accounts by address and by network, addresses by account. */
  readonly marks: Readonly<Record<Group, Marks>>;
  /** Whether those who came only once have been left out already. */
  readonly isSifted: boolean;
  /** Some trace ids of a key. */
  tracesOf(group: Group, index: number): readonly string[];
}

const PAIRS_AT_FIRST = 64;

interface Pairs {
  addresses: Uint32Array<ArrayBuffer>;
  accounts: Uint32Array<ArrayBuffer>;
  /** Four words each. */
  traces: Uint32Array<ArrayBuffer>;
  length: number;
}

export class SliceBuilder {
  readonly #seed: number;
  readonly #summary = new Summary();
  readonly #groups = {
    address: new KeyCounts(),
    network: new KeyCounts(),
    account: new KeyCounts(),
  };
  readonly #skus = new KeyCounts();
  /** By the address's number. */
  #networks = new Uint32Array(PAIRS_AT_FIRST);
  readonly #pairs: Pairs = {
    addresses: new Uint32Array(PAIRS_AT_FIRST),
    accounts: new Uint32Array(PAIRS_AT_FIRST),
    traces: new Uint32Array(4 * PAIRS_AT_FIRST),
    length: 0,
  };
  /** Counts by microseconds. */
  readonly #latencies = new Map<number, number>();
  readonly #trace = new Uint32Array(4);
  #events = 0;
  #second = 0;
  #at: UnixMs = 0;
  /** Purchases in a row that share their steps, not counted yet. */
  #alike: { readonly steps: readonly EventStep[]; readonly reason: string | null; count: number } = { steps: [], reason: null, count: 0 };

  /** @param seed see `hashBytes` */
  constructor(seed: number) {
    this.#seed = seed;
  }

  get isEmpty(): boolean {
    return this.#events === 0;
  }

  /** Whether an event may still be added that happened in this second. */
  hasRoomFor(second: number): boolean {
    if (this.#events === 0) return true;
    const { address, account } = this.#groups;
    return (
      second === this.#second &&
      this.#events < SLICE_EVENTS_MAX &&
      address.size < SLICE_KEYS_MAX &&
      account.size < SLICE_KEYS_MAX &&
      this.#skus.size < SLICE_KEYS_MAX
    );
  }

  /** A purchase in the columns of a page. */
  addRow(page: ReadEvents, row: number): void {
    const { bytes, address, user, sku } = page;
    const { kind, steps, reason } = page.batchOf(row);
    this.#began(page.at[row] as UnixMs);
    const of = this.#address(bytes, address[2 * row] as number, address[2 * row + 1] as number, kind);
    this.#account(bytes, user[2 * row] as number, user[2 * row + 1] as number, of, kind, page.trace, 4 * row);
    this.#skus.add(bytes, sku[2 * row] as number, sku[2 * row + 1] as number, kind, this.#seed);
    this.#purchase(kind, steps, reason, page.totalUs[row] as number);
  }

  add(event: TrafficEvent): void {
    const kind = kindOf(event);
    const { at, clientIp, userId, sku, steps, reason, totalUs } = event;
    this.#began(at);
    const address = Buffer.from(clientIp);
    const of = this.#address(address, 0, address.length, kind);
    if (userId !== null) {
      const user = Buffer.from(userId);
      hexWords(event.traceId, this.#trace, 0);
      this.#account(user, 0, user.length, of, kind, this.#trace, 0);
    }
    if (event.request !== null) {
      this.#summary.addRequest(event);
      return;
    }
    if (sku !== null) {
      const goods = Buffer.from(sku);
      this.#skus.add(goods, 0, goods.length, kind, this.#seed);
    }
    this.#purchase(kind, steps, reason, totalUs);
  }

  /** The slice as it is. The builder is not used again. */
  build(): Slice {
    this.#countAlike();
    for (const [us, count] of this.#latencies) this.#summary.addLatency(us, count);
    const { address, network, account } = this.#groups;
    const { heavy } = this.#summary;
    for (const [group, counts] of [
      ["address", address],
      ["network", network],
      ["account", account],
      ["sku", this.#skus],
    ] as const)
      heavy[group].fill((index) => counts.textOf(index), counts.totals(), counts.of(KIND.held));
    const { addresses, accounts, length } = this.#pairs;
    const networks = new Uint32Array(length);
    const accountHashes = new Uint32Array(length);
    const addressHashes = new Uint32Array(length);
    for (let pair = 0; pair < length; pair += 1) {
      const [addressIndex, accountIndex] = [addresses[pair] as number, accounts[pair] as number];
      networks[pair] = this.#networks[addressIndex] as number;
      accountHashes[pair] = account.hashes[accountIndex] as number;
      addressHashes[pair] = address.hashes[addressIndex] as number;
    }
    return {
      second: this.#second,
      at: this.#at,
      summary: this.#summary,
      groups: this.#groups,
      marks: {
        address: { keys: addresses, hashes: accountHashes, length },
        network: { keys: networks, hashes: accountHashes, length },
        account: { keys: accounts, hashes: addressHashes, length },
      },
      isSifted: false,
      tracesOf: (group, index) => this.#tracesOf({ address: addresses, network: networks, account: accounts }[group], index),
    };
  }

  #began(at: UnixMs): void {
    this.#events += 1;
    this.#second = Math.floor(at / 1_000);
    if (at > this.#at) this.#at = at;
  }

  #purchase(kind: number, steps: readonly EventStep[], reason: string | null, totalUs: number): void {
    if (kind === KIND.held) this.#summary.held += 1;
    this.#addLatency(totalUs);
    if (steps !== this.#alike.steps || reason !== this.#alike.reason) {
      this.#countAlike();
      this.#alike = { steps, reason, count: 0 };
    }
    this.#alike.count += 1;
  }

  #address(bytes: Uint8Array, from: number, to: number, kind: number): number {
    const { address, network } = this.#groups;
    const found = address.add(bytes, from, to, kind, this.#seed);
    if (found >= 0) {
      network.count(this.#networks[found] as number, kind, 1);
      return found;
    }
    const index = -1 - found;
    this.#summary.addresses.add(address.hashes[index] as number);
    const whole = Buffer.from(networkOf(address.textOf(index)));
    const number = network.add(whole, 0, whole.length, kind, this.#seed);
    this.#networks = withRoomFor(this.#networks, index + 1);
    this.#networks[index] = number < 0 ? -1 - number : number;
    return index;
  }

  #account(bytes: Uint8Array, from: number, to: number, address: number, kind: number, trace: Uint32Array, traceAt: number): void {
    const found = this.#groups.account.add(bytes, from, to, kind, this.#seed);
    const index = found < 0 ? -1 - found : found;
    if (found < 0) this.#summary.users.add(this.#groups.account.hashes[index] as number);
    // Whom a decision has stopped already, nobody else answers for.
    if (kind === KIND.blocked) return;
    const pairs = this.#pairs;
    const pair = pairs.length;
    pairs.addresses = withRoomFor(pairs.addresses, pair + 1);
    pairs.accounts = withRoomFor(pairs.accounts, pair + 1);
    pairs.traces = withRoomFor(pairs.traces, 4 * (pair + 1));
    pairs.addresses[pair] = address;
    pairs.accounts[pair] = index;
    for (let word = 0; word < 4; word += 1) pairs.traces[4 * pair + word] = trace[traceAt + word] as number;
    pairs.length = pair + 1;
  }

  /** In eight significant bits, off by less than 0.4 %: the histogram takes half a microsecond for each value, and a slice has few of these. */
  #addLatency(totalUs: number): void {
    const us = totalUs < LATENCY_US_MAX ? totalUs : LATENCY_US_MAX;
    const shift = Math.max(0, 32 - Math.clz32(us) - 8);
    const rounded = ((us >>> shift) << shift) + ((1 << shift) >> 1);
    this.#latencies.set(rounded, (this.#latencies.get(rounded) ?? 0) + 1);
  }

  #countAlike(): void {
    const { steps, reason, count } = this.#alike;
    if (count > 0) this.#summary.addPurchases(steps, reason, count);
  }

  #tracesOf(keys: Uint32Array, index: number): string[] {
    const { traces, length } = this.#pairs;
    const found: string[] = [];
    for (let pair = 0; pair < length && found.length < EVIDENCE_TRACES_MAX; pair += 1)
      if (keys[pair] === index && !isNoTrace(traces, 4 * pair)) found.push(hexText(traces, 4 * pair));
    return found;
  }
}

/** Whether these counts are more than one event, or one that is rare: somebody to follow from now on.
 *  @param from where the key's counts begin */
export function comesAgain(counts: Uint32Array, from: number): boolean {
  if ((counts[from + KIND.released] as number) > 0) return true;
  let sum = 0;
  for (let at = from; at < from + KIND_COUNT; at += 1) sum += counts[at] as number;
  return sum > 1;
}

/** The network that an address is looked at as a part of, as a CIDR range: /24 of IPv4, /64 of IPv6. An address that is none is its own. */
export function networkOf(clientIp: string): string {
  if (ipv4Bits(clientIp) !== null) return `${clientIp.slice(0, clientIp.lastIndexOf("."))}.0/24`;
  return parseCidrRange(`${clientIp}/64`)?.text ?? clientIp;
}

/**
 * A slice as it is told to other analyses of the same traffic, so that all of them see all of it: who attacks over many gates is still one attacker.
 * Sums and sketches are whole. Of addresses, networks and accounts only those are told who came more than once lately, and of those the ones who
 * did most: what is told of a key is never more than it did.
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { decodeFromCompressedBase64, encodeIntoCompressedBase64, type Histogram } from "hdr-histogram-js";
import { STEPS } from "../core/reason.ts";
import { DIGEST_KEYS_MAX } from "../limits/traffic.ts";
import { CELLS_EACH } from "./cells-each.ts";
import { DistinctCount } from "./distinct-count.ts";
import type { Door } from "./door.ts";
import type { HeavyKeysText } from "./heavy-keys.ts";
import { KeyCounts, withRoomFor } from "./key-counts.ts";
import { KIND_COUNT } from "./kinds.ts";
import { comesAgain, type Slice } from "./slice.ts";
import { GROUPS, type Group, Summary } from "./summary.ts";

type CountsByName = Readonly<Record<string, number>>;
/** Key, counts by kind, cells of those who came along, trace ids. */
type KeyText = readonly [key: string, counts: readonly number[], cells: readonly number[], traceIds: readonly string[]];

interface DigestText {
  readonly second: number;
  readonly at: number;
  readonly totals: readonly [requests: number, purchases: number, held: number, failed: number];
  readonly steps: readonly (readonly [entered: number, refused: CountsByName])[];
  readonly refused: CountsByName;
  readonly other: CountsByName;
  readonly latency: string;
  readonly users: string;
  readonly addresses: string;
  readonly heavy: Readonly<Record<Group | "sku", HeavyKeysText>>;
  readonly groups: Readonly<Record<Group, readonly KeyText[]>>;
}

export type Doors = Readonly<Record<Group, Door>>;

export function encodeDigest(slice: Slice, doors: Doors): Buffer {
  const { second, at, summary } = slice;
  const { requests, purchases, held, failed, steps, refused, other, latency, users, addresses, heavy } = summary;
  const text: DigestText = {
    second,
    at,
    totals: [requests, purchases, held, failed],
    steps: STEPS.map((step) => [steps[step].entered, steps[step].refused.asObject()]),
    refused: refused.asObject(),
    other: other.asObject(),
    latency: encodeIntoCompressedBase64(latency),
    users: Buffer.from(users.registers).toString("base64"),
    addresses: Buffer.from(addresses.registers).toString("base64"),
    heavy: { address: heavy.address.asText(), network: heavy.network.asText(), account: heavy.account.asText(), sku: heavy.sku.asText() },
    groups: {
      address: keysOf("address", slice, doors),
      network: keysOf("network", slice, doors),
      account: keysOf("account", slice, doors),
    },
  };
  return deflateRawSync(JSON.stringify(text));
}

export function decodeDigest(bytes: Uint8Array): Slice {
  // Only analyses of this system write here, with the key of its Redis: what they wrote is what they meant.
  const text = JSON.parse(inflateRawSync(bytes).toString()) as DigestText;
  const groups = { address: new KeyCounts(), network: new KeyCounts(), account: new KeyCounts() };
  const traces: Record<Group, (readonly string[])[]> = { address: [], network: [], account: [] };
  const marks = { address: noMarks(), network: noMarks(), account: noMarks() };
  for (const group of GROUPS)
    for (const [key, counts, cells, traceIds] of text.groups[group]) {
      const bytes = Buffer.from(key);
      const index = groups[group].put(bytes, 0, bytes.length, 0);
      counts.forEach((count, kind) => void groups[group].count(index, kind, count));
      for (const cell of cells) addMark(marks[group], index, cell);
      traces[group].push(traceIds);
    }
  const { second, at } = text;
  return { second, at, summary: summaryOf(text), groups, marks, isSifted: true, tracesOf: (group, index) => traces[group][index] ?? [] };
}

function summaryOf({ totals, steps, refused, other, latency, users, addresses, heavy }: DigestText): Summary {
  const summary = new Summary();
  [summary.requests, summary.purchases, summary.held, summary.failed] = totals;
  STEPS.forEach((step, index) => {
    const [entered, reasons] = steps[index] ?? [0, {}];
    summary.steps[step].entered = entered;
    for (const [reason, count] of Object.entries(reasons)) summary.steps[step].refused.add(reason, count);
  });
  for (const [reason, count] of Object.entries(refused)) summary.refused.add(reason, count);
  for (const [reason, count] of Object.entries(other)) summary.other.add(reason, count);
  summary.latency.add(decodeFromCompressedBase64(latency) as Histogram);
  summary.users.merge(new DistinctCount(Buffer.from(users, "base64")));
  summary.addresses.merge(new DistinctCount(Buffer.from(addresses, "base64")));
  for (const group of [...GROUPS, "sku"] as const) summary.heavy[group].fromText(heavy[group]);
  return summary;
}

function keysOf(group: Group, slice: Slice, doors: Doors): KeyText[] {
  const keys = slice.groups[group];
  const { counts, hashes } = keys;
  const totals = keys.totals();
  const told = Array.from({ length: keys.size }, (_, index) => index)
    .filter((index) => doors[group].lets(hashes[index] as number, slice.second) || comesAgain(counts, index * KIND_COUNT))
    .sort((a, b) => (totals[b] as number) - (totals[a] as number))
    .slice(0, DIGEST_KEYS_MAX);
  const cells = new Map<number, Set<number>>(told.map((index) => [index, new Set()]));
  const marks = slice.marks[group];
  for (let mark = 0; mark < marks.length; mark += 1)
    cells.get(marks.keys[mark] as number)?.add((marks.hashes[mark] as number) & (CELLS_EACH[group] - 1));
  return told.map((index) => [
    keys.textOf(index),
    [...counts.subarray(index * KIND_COUNT, (index + 1) * KIND_COUNT)],
    [...(cells.get(index) ?? [])],
    // To find them costs a walk over the slice: only those who do much will need them.
    (totals[index] as number) > 1 ? slice.tracesOf(group, index) : [],
  ]);
}

interface GrowingMarks {
  keys: Uint32Array<ArrayBuffer>;
  hashes: Uint32Array<ArrayBuffer>;
  length: number;
}
const noMarks = (): GrowingMarks => ({ keys: new Uint32Array(64), hashes: new Uint32Array(64), length: 0 });
function addMark(marks: GrowingMarks, index: number, cell: number): void {
  marks.keys = withRoomFor(marks.keys, marks.length + 1);
  marks.hashes = withRoomFor(marks.hashes, marks.length + 1);
  marks.keys[marks.length] = index;
  marks.hashes[marks.length] = cell;
  marks.length += 1;
}

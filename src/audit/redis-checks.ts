/**
 * One partition of the ledger in Redis against itself: the lines, the sums of deadlines and the figures of the goods say the same three times. Lines and
 * sums are added up SKU by SKU while they are read in pages; goods that have changed from before to after are not compared.
 */
import type { Sku } from "../core/ids.ts";
import type { StoredGoods, StoredLedger } from "../ledger/redis/stored-ledger.ts";
import type { Findings } from "./findings.ts";

/** What the lines, or the sums, of one SKU come to. */
interface Tally {
  quantity: number;
  /** Each unit counted by its deadline, modulo a prime: of two that agree in this and in quantity, the deadlines agree but for one in a million. */
  byDeadline: number;
  earliest: number;
}
const PRIME = 1_000_003;
const emptyTally = (): Tally => ({ quantity: 0, byDeadline: 0, earliest: 0 });

function add(tally: Tally, quantity: number, until: number): void {
  tally.quantity += quantity;
  tally.byDeadline = (tally.byDeadline + (quantity % PRIME) * (until % PRIME)) % PRIME;
  if (tally.earliest === 0 || until < tally.earliest) tally.earliest = until;
}

interface Shelf {
  readonly goods: StoredGoods;
  readonly lines: Tally;
  readonly sums: Tally;
  /** In the parts of unpaid orders, as the lines have them. */
  unpaid: number;
}

export async function checkPartition(stored: StoredLedger, partition: number, findings: Findings): Promise<void> {
  const before = await stored.extent(partition);
  const shelves = new Map<Sku, Shelf>();
  for await (const page of stored.goods(partition))
    for (const [sku, goods] of page) shelves.set(sku, { goods, lines: emptyTally(), sums: emptyTally(), unpaid: 0 });
  for await (const page of stored.sums(partition))
    for (const { sku, until, quantity } of page) {
      const shelf = shelves.get(sku);
      if (shelf && quantity > 0 && until > shelf.goods.clock) add(shelf.sums, quantity, until);
      else findings.breach("deadlines", `${sku}\n${until}`, { sku, until, freed: quantity, clock: shelf?.goods.clock ?? null });
    }
  let records = 0;
  for await (const page of stored.lines(partition))
    for (const line of page) {
      const { sku, userId, held, heldUntil, parts, userLevel } = line;
      if (userLevel >= 0) records += 1;
      const shelf = shelves.get(sku);
      findings.look("holds", 1);
      if (held < 0 || (held > 0 && (!shelf || heldUntil <= 0)))
        findings.breach("holds", `${sku}\n${userId}`, { sku, userId, held, heldUntil });
      if (!shelf) continue;
      if (held > 0 && heldUntil > shelf.goods.clock) add(shelf.lines, held, heldUntil);
      for (const { quantity, until } of parts) {
        if (until <= shelf.goods.clock) continue;
        add(shelf.lines, quantity, until);
        shelf.unpaid += quantity;
      }
    }
  await compare(stored, partition, shelves, findings);
  const after = await stored.extent(partition);
  findings.look("listed", before.goods + before.sums + before.records);
  const isStill = JSON.stringify({ ...before, serverTime: 0 }) === JSON.stringify({ ...after, serverTime: 0 });
  const isListed = after.goods === after.names && after.sums === after.deadlines && (!isStill || records === after.records);
  const { goods, names, sums, deadlines, records: listed } = after;
  if (!isListed) findings.breach("listed", String(partition), { partition, goods, names, sums, deadlines, records, listed });
}

async function compare(stored: StoredLedger, partition: number, shelves: ReadonlyMap<Sku, Shelf>, findings: Findings): Promise<void> {
  for await (const page of stored.goods(partition))
    for (const [sku, goods] of page) {
      const shelf = shelves.get(sku);
      const { onHand, frozen, sold, clock, earliest } = goods;
      findings.look("oversold", 1);
      if (onHand < 0 || frozen < 0 || frozen > onHand || sold < 0) findings.breach("oversold", sku, { sku, onHand, frozen, sold });
      if (shelf === undefined || JSON.stringify(goods) !== JSON.stringify(shelf.goods)) {
        findings.moved += 1;
        continue;
      }
      const { lines, sums, unpaid } = shelf;
      findings.look("frozen", 1);
      findings.look("deadlines", 1);
      if (lines.quantity !== frozen) findings.breach("frozen", sku, { sku, frozen, inLines: lines.quantity, clock });
      if (unpaid !== goods.pending) findings.breach("frozen", sku, { sku, unpaid: goods.pending, inParts: unpaid, clock });
      const isSame = sums.quantity === lines.quantity && sums.byDeadline === lines.byDeadline && sums.earliest === lines.earliest;
      if (!isSame || earliest !== sums.earliest || sums.quantity !== frozen)
        findings.breach("deadlines", sku, { sku, frozen, freed: sums.quantity, inLines: lines.quantity, earliest, first: sums.earliest });
    }
}

/**
 * Fills a store with live holds through the embedded ledger itself, and tells what they cost in memory: the process with all the holds minus
 * the same process with none. Every user has one hold, of one of `SKUS` goods in turn.
 *
 * Usage: `bun bench/fill-store.ts DATA_DIR HOLDS SKUS`. The folder holds a store that the system has made.
 * Prints one line of JSON: `{"bytesPerHold": resident set, "heapBytesPerHold": objects, "seconds": ...}`.
 */
import { heapStats } from "bun:jsc";
import type { Sku, UserId } from "../src/core/ids.ts";
import { traceIds } from "../src/core/trace-id.ts";
import { GroupCommit } from "../src/edge/group-commit.ts";
import { openSqliteFile } from "../src/edge/sqlite-file.ts";
import { EmbeddedLedger } from "../src/ledger/embedded/embedded-ledger.ts";
import { SqliteJournal } from "../src/ledger/embedded/sqlite-journal.ts";
import { FROZEN_FOR_MS_MAX, STOCK_QUANTITY_MAX } from "../src/limits.ts";

const COMMANDS_PER_TURN = 2_000;
/** Freed pages go back to the operating system some time after they are freed. */
const SETTLE_ROUNDS_MAX = 20;
const SETTLE_MS = 250;

export const skuAt = (index: number): Sku => `S${String(index).padStart(6, "0")}` as Sku;

export interface OpenLedger {
  readonly ledger: EmbeddedLedger;
  close(): void;
}

export function openLedger(dataDir: string, schema = ""): OpenLedger {
  const file = openSqliteFile(dataDir, schema);
  const commits = new GroupCommit(file.db, (failure) => {
    throw failure;
  });
  const ledger = new EmbeddedLedger(new SqliteJournal(file.db, commits));
  return {
    ledger,
    close() {
      commits.close();
      file.close();
    },
  };
}

/** Goods S000001 and on, plenty of each. */
export async function stockGoods(ledger: EmbeddedLedger, skus: number, now: number): Promise<void> {
  for (let from = 1; from <= skus; from += COMMANDS_PER_TURN) {
    const count = Math.min(COMMANDS_PER_TURN, skus - from + 1);
    await ledger.stock(
      Array.from({ length: count }, (_, i) => ({
        verb: "stock",
        mode: "put",
        sku: skuAt(from + i),
        onHand: STOCK_QUANTITY_MAX / 1_000,
        priceCents: 9_990,
      })),
      now,
    );
  }
}

/** Users UID0000000001 and on, one hold each. Ids come out of JSON as they do in a request, so that they cost the same memory. */
export async function holdGoods(ledger: EmbeddedLedger, holds: number, skus: number, frozenForMs: number, now: number): Promise<void> {
  const nextSessionId = traceIds("0123456789abcdef0123456789abcdef");
  for (let from = 1; from <= holds; from += COMMANDS_PER_TURN) {
    const count = Math.min(COMMANDS_PER_TURN, holds - from + 1);
    const asked = Array.from({ length: count }, (_, i) => ({
      userId: `UID${String(from + i).padStart(10, "0")}`,
      sku: skuAt(1 + ((from + i) % skus)),
    }));
    const commands = (JSON.parse(JSON.stringify(asked)) as { userId: UserId; sku: Sku }[]).map(({ userId, sku }) => {
      const asked = { sku, userId, quantity: 1, limit: 5, opensAt: 0, closesAt: 0, frozenForMs };
      return { verb: "hold", ...asked, sessionId: nextSessionId(), key: null } as const;
    });
    const replies = await ledger.hold(commands, now);
    const refused = replies.find((reply) => reply.kind !== "held");
    if (refused) throw new Error(`a hold was refused while filling the store: ${JSON.stringify(refused)}`);
  }
}

interface Memory {
  readonly residentBytes: number;
  readonly heapBytes: number;
}

/** What is left when garbage is collected and the resident set has stopped shrinking. */
async function settledMemory(): Promise<Memory> {
  let residentBytes = Number.POSITIVE_INFINITY;
  for (let round = 0; round < SETTLE_ROUNDS_MAX; round += 1) {
    Bun.gc(true);
    await Bun.sleep(SETTLE_MS);
    const now = process.memoryUsage.rss();
    if (round > 2 && now > residentBytes * 0.995) break;
    residentBytes = Math.min(residentBytes, now);
  }
  const { heapSize, extraMemorySize } = heapStats();
  return { residentBytes, heapBytes: heapSize + extraMemorySize };
}

if (import.meta.main) {
  const [dataDir, ...numbers] = process.argv.slice(2) as [string, ...string[]];
  const [holds, skus] = numbers.map(Number) as [number, number];
  const startedAt = performance.now();
  const { ledger, close } = openLedger(dataDir);
  await stockGoods(ledger, skus, Date.now());
  const before = await settledMemory();
  await holdGoods(ledger, holds, skus, FROZEN_FOR_MS_MAX, Date.now());
  const after = await settledMemory();
  close();
  console.log(
    JSON.stringify({
      bytesPerHold: (after.residentBytes - before.residentBytes) / holds,
      heapBytesPerHold: (after.heapBytes - before.heapBytes) / holds,
      seconds: (performance.now() - startedAt) / 1_000,
    }),
  );
}

/**
 * 100,000 holds whose deadline is the same millisecond: the longest time that anything keeps the event loop from turning while they end. Real
 * store on disk, given clock. A purchase of the goods comes first, because every verb ends what is due before it looks; then the
 * sweeper runs until nothing is left. Once with all holds on one SKU (one heap, one purchase pays for all) and once over many (one tick
 * of the sweeper pays for all).
 *
 * Usage: `bun bench/due-at-once.ts DATA_DIR SKUS`. The folder holds an empty store that the system has made.
 * Prints one line of JSON: `{"pauseMs": ..., "quietPauseMs": the same with nothing to do, "sweeps": ...}`.
 */
import type { UserId } from "../src/core/ids.ts";
import { traceIds } from "../src/core/trace-id.ts";
import { holdGoods, openLedger, skuAt, stockGoods } from "./fill-store.ts";

const HOLDS = 100_000;
const FROZEN_FOR_MS = 60_000;
const QUIET_MS = 300;

/** The longest time between two turns of the event loop while `work` goes on. */
async function longestPauseMs(work: () => Promise<void>): Promise<number> {
  let longest = 0;
  let isOver = false;
  let last = performance.now();
  const turn = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  // One more turn, so that the last piece of work is counted too.
  await new Promise((resolve) => setImmediate(resolve));
  isOver = true;
  return longest;
}

if (import.meta.main) {
  const [dataDir, skusText] = process.argv.slice(2) as [string, string];
  const skus = Number(skusText);
  const start = Date.now();
  const { ledger, close } = openLedger(dataDir);
  await stockGoods(ledger, skus, start);
  await holdGoods(ledger, HOLDS, skus, FROZEN_FOR_MS, start);
  const due = start + FROZEN_FOR_MS;
  const quietPauseMs = await longestPauseMs(() => Bun.sleep(QUIET_MS));
  let sweeps = 0;
  const pauseMs = await longestPauseMs(async () => {
    const sessionId = traceIds("fedcba9876543210fedcba9876543210")();
    const [reply] = await ledger.hold(
      [
        {
          verb: "hold",
          sku: skuAt(1),
          userId: "UID-late" as UserId,
          quantity: 1,
          limit: 1,
          opensAt: 0,
          closesAt: 0,
          frozenForMs: FROZEN_FOR_MS,
          sessionId,
          key: null,
        },
      ],
      due,
    );
    if (reply?.kind !== "held") throw new Error("the purchase after the deadline was refused");
    do sweeps += 1;
    while (await ledger.sweep(due));
  });
  const left = Array.from({ length: skus }, (_, i) => ledger.goods([skuAt(i + 1)], due)[0]?.frozen ?? 0).reduce(
    (sum, frozen) => sum + frozen,
    0,
  );
  if (left !== 1) throw new Error(`${left} are still frozen, and only one should be`);
  close();
  console.log(JSON.stringify({ pauseMs, quietPauseMs, sweeps }));
}

/**
 * `doorbuster stampede`: sends a crowd against a running system and then asks the services whether every promise was kept.
 *
 * Exit codes: 0 when they were, 1 when goods were oversold, lost or frozen twice or an answer broke the contract, 3 when that could not be found
 * out. (2 is for arguments, see `options.ts`.)
 */
import type { DurationMs, MonotonicUs } from "../core/time.ts";
import { poissonArrivals, seededRandom } from "./arrivals.ts";
import { ATTACK_MS_MIN, Bots, EARLY_MS, type KindReport } from "./bots.ts";
import { BLACKLISTED_USERS, BuyerMaker } from "./buyer.ts";
import { Crowd } from "./crowd.ts";
import type { LoadClient, StampedeIo } from "./io.ts";
import type { StampedeSettings } from "./options.ts";
import { isBroken, progressLines, type Run, resultPage } from "./report.ts";
import { CannotTest, reach, Shop } from "./shop.ts";
import { Tally } from "./tally.ts";
import { verify } from "./verify.ts";

/** Arrivals that may wait for a free connection. One more is not sent, and the page says so. */
const WAITING_MAX = 100_000;
const TERMINAL_PERIOD_MS = 500;
const PLAIN_PERIOD_MS = 3_000;
const COLUMNS_USUAL = 80;
/** Back over the two lines of progress, and clear them. */
const REWRITE = "\x1b[2F\x1b[0J";

export async function runStampede(settings: StampedeSettings, io: StampedeIo): Promise<number> {
  try {
    const run = await stampede(settings, io);
    io.write(resultPage(run));
    return isBroken(run) ? 1 : 0;
  } catch (error) {
    if (!(error instanceof CannotTest)) throw error;
    io.complain(error.message);
    return 3;
  }
}

async function stampede(settings: StampedeSettings, io: StampedeIo): Promise<Run> {
  const client = await reach("the gate", settings.gate, io, settings.connections, WAITING_MAX);
  const shop = await Shop.open(settings, io).catch((error: unknown) => {
    client.close();
    throw error;
  });
  try {
    return await runAt(shop, client, settings, io);
  } finally {
    client.close();
    shop.close();
  }
}

async function runAt(shop: Shop, client: LoadClient, settings: StampedeSettings, io: StampedeIo): Promise<Run> {
  const before = await shop.goods();
  const random = seededRandom(settings.seed);
  // Named after the moment, so that no two runs share buyers or keys, whatever their seed.
  const maker = new BuyerMaker(settings, `stampede-${io.clock.now().toString(36)}`, random);
  const badUsers = settings.badShare > 0 ? Array.from({ length: BLACKLISTED_USERS }, (_, index) => maker.blacklistedUser(index)) : [];
  const canBlacklist = badUsers.length > 0 && (await shop.blacklist(badUsers, true));

  const tally = new Tally();
  const crowd = new Crowd(settings, maker, canBlacklist, { client, clock: io.clock, timers: io.timers, random }, tally);
  const attack = settings.bots === 0 ? null : await openAttack(settings, maker.runId, io);
  await attack?.beginEarly();
  const startedUs = io.clock.monotonicUs();
  const stopShowing = showProgress(tally, settings.buyers, io);
  attack?.begin();
  await crowd.run(poissonArrivals(settings.ratePerSecond, seededRandom(settings.seed + 1))).finally(stopShowing);
  const elapsedMs = (io.clock.monotonicUs() - startedUs) / 1_000;
  const bots = attack === null ? [] : await attack.end(ATTACK_MS_MIN - elapsedMs);

  if (canBlacklist) await shop.blacklist(badUsers, false);
  const after = await shop.goods();
  const carts = await shop.carts([...tally.winners.map((winner) => winner.userId), ...tally.undecided]);
  const wasToldSoldOut = tally.funnel.has("sold-out");
  const { winners, undecided } = tally;
  const findings = verify({
    before,
    after,
    winners,
    undecided,
    carts,
    wasToldSoldOut,
    quantity: settings.quantity,
    isShared: settings.isShared,
  });
  return { settings, tally, elapsedMs, canBlacklist, before, after, findings, bots };
}

interface OpenAttack {
  /** Answers when it is time for the crowd. */
  beginEarly(): Promise<void>;
  begin(): void;
  /** @param leftMs for which they go on, if that is more than nothing */
  end(leftMs: DurationMs): Promise<readonly KindReport[]>;
}

/** Bots have connections of their own: people do not queue behind them before they are at the gate. */
async function openAttack(settings: StampedeSettings, runId: string, io: StampedeIo): Promise<OpenAttack> {
  const connections = Math.min(settings.bots, settings.connections);
  const client = await reach("the gate", settings.gate, io, connections, WAITING_MAX);
  const bots = new Bots(settings, runId, { client, clock: io.clock, timers: io.timers });
  const pass = (ms: DurationMs): Promise<void> => new Promise((resolve) => io.timers.after(ms, resolve));
  return {
    beginEarly: async () => {
      if (!bots.hasEarly) return;
      bots.begin(true);
      await pass(EARLY_MS);
    },
    begin: () => bots.begin(false),
    end: async (leftMs) => {
      if (leftMs > 0) await pass(leftMs);
      return bots.end().finally(() => client.close());
    },
  };
}

/** Two lines, rewritten on a terminal; elsewhere one line now and then. Answers with what ends it. */
function showProgress(tally: Tally, buyers: number, io: StampedeIo): () => void {
  let answeredBefore = 0;
  let isShown = false;
  let shownUs: MonotonicUs = io.clock.monotonicUs();
  const clear = (): void => {
    if (isShown && io.isTerminal) io.write(REWRITE);
    isShown = true;
  };
  const show = (): void => {
    const nowUs = io.clock.monotonicUs();
    const answersPerSecond = ((tally.answered - answeredBefore) * 1_000_000) / Math.max(1, nowUs - shownUs);
    answeredBefore = tally.answered;
    shownUs = nowUs;
    const lines = progressLines(tally, buyers, answersPerSecond);
    clear();
    // A line that wraps could not be rewritten. Some terminals do not tell their width.
    const width = (io.columns || COLUMNS_USUAL) - 1;
    io.write(io.isTerminal ? lines.map((line) => `${line.slice(0, width)}\n`).join("") : `${lines.join("  |  ")}\n`);
  };
  const stop = io.timers.every(io.isTerminal ? TERMINAL_PERIOD_MS : PLAIN_PERIOD_MS, show);
  return () => {
    stop();
    clear();
  };
}

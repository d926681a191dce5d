/**
 * Attackers beside the crowd, each of a kind. A bot sends, waits for the answer, and sends again at its own pace, from the first moment to the last,
 * whatever it is told: so it is seen when it is first kept away. What a bot claims to be stands in the body, where the gate believes it.
 */
import type { Clock, DurationMs, MonotonicUs } from "../core/time.ts";
import { readAnswer } from "./answer.ts";
import { BOT_KINDS, type BotKind } from "./bot-kinds.ts";
import type { Exchange, LoadClient, Timers } from "./io.ts";
import type { StampedeSettings } from "./options.ts";

/** How long before the crowd the bots that come early are there. */
export const EARLY_MS: DurationMs = 5_000;
/** Bots go on for this long, at least, however short the crowd. */
export const ATTACK_MS_MIN: DurationMs = 10_000;

export interface BotRequests {
  /** What a bot sends for the n-th time. */
  next(n: number): string;
  /** Gives back what it holds; `null`: this kind does not. */
  readonly release: string | null;
}

export type Attack = Pick<StampedeSettings, "gate" | "sku" | "quantity" | "userLevel" | "bots" | "botKinds" | "botRatePerSecond">;

/** The addresses of bots are of 250.0.0.0/8, which nobody has. People have others; see `buyer.ts`. */
const addressOf = (number: number): string => `250.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`;
/** Far apart, so that bots are no neighbours in one network by chance. */
const APART = 7_919;
const ADDRESSES = 0x1000000;

/** @param index of the bot among all */
export function botRequests(kind: BotKind, index: number, attack: Attack, runId: string): BotRequests {
  const host = new URL(attack.gate.origin).host;
  const account = `${runId}-bot-${kind}-${index}`;
  const home = addressOf(((index + 1) * APART) % ADDRESSES);
  const goods = `"userLevel":${attack.userLevel},"goodsSKU":${JSON.stringify(attack.sku)},"goodsQuantity":${attack.quantity}}`;
  const post = (body: string): string =>
    `POST /buy HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  const buy = (userId: string, clientIp: string): string =>
    post(`{"sessionID":"${runId}","clientIP":"${clientIp}","userID":"${userId}",${goods}`);
  const path = `/cart/${encodeURIComponent(attack.sku)}?userID=${encodeURIComponent(account)}`;
  const release = kind === "squat" ? `DELETE ${path} HTTP/1.1\r\nhost: ${host}\r\n\r\n` : null;
  const next = (n: number): string => {
    if (kind === "accounts") return buy(`${account}-${n}`, addressOf(APART - 1));
    if (kind === "rotating") return buy(account, addressOf(((index + 1) * APART * (n + 1)) % ADDRESSES));
    if (kind === "malformed") return post(`{"sessionID":"${runId}","clientIP":"${home}","userID":"${account}","goodsQuantity":"all"`);
    return buy(account, home);
  };
  return { next, release };
}

interface Bot {
  readonly kind: BotKind;
  readonly requests: BotRequests;
  startedUs: MonotonicUs;
  sent: number;
  held: number;
  released: number;
  /** Since its first request; `null`: it never was kept away. */
  keptAwayAfterMs: DurationMs | null;
  /** What it had sent by then. */
  keptAwayAfterRequests: number;
}

/** What the bots of a kind got. */
export interface KindReport {
  readonly kind: BotKind;
  readonly bots: number;
  readonly requests: number;
  /** Of those that were kept away, after which time, the quickest first. */
  readonly keptAwayAfterMs: readonly DurationMs[];
  readonly keptAwayAfterRequests: readonly number[];
  /** Units that they have in hand at the end, as far as they know, and how many they had bought. */
  readonly kept: number;
  readonly bought: number;
}

export interface BotWorld {
  readonly client: LoadClient;
  readonly clock: Clock;
  readonly timers: Timers;
}

export class Bots {
  readonly #bots: readonly Bot[];
  readonly #periodMs: DurationMs;
  readonly #quantity: number;
  readonly #world: BotWorld;
  #isOver = false;
  #underWay = 0;
  #resolve: () => void = () => undefined;

  constructor(attack: Attack, runId: string, world: BotWorld) {
    this.#world = world;
    this.#periodMs = 1_000 / attack.botRatePerSecond;
    this.#quantity = attack.quantity;
    this.#bots = Array.from({ length: attack.bots }, (_, index) => {
      const kind = attack.botKinds[index % attack.botKinds.length] as BotKind;
      const nothingYet = { startedUs: 0, sent: 0, held: 0, released: 0, keptAwayAfterMs: null, keptAwayAfterRequests: 0 };
      return { kind, requests: botRequests(kind, index, attack, runId), ...nothingYet };
    });
  }

  get hasEarly(): boolean {
    return this.#bots.some(({ kind }) => kind === "early");
  }

  /** Lets the early ones, or all others, begin; each at its own moment of the first period. */
  begin(areEarly: boolean): void {
    const chosen = this.#bots.filter(({ kind }) => (kind === "early") === areEarly);
    for (const [index, bot] of chosen.entries()) {
      this.#underWay += 1;
      this.#world.timers.after((this.#periodMs * index) / chosen.length, () => {
        bot.startedUs = this.#world.clock.monotonicUs();
        this.#send(bot);
      });
    }
  }

  /** Answers when the last answer is there. */
  end(): Promise<readonly KindReport[]> {
    this.#isOver = true;
    return new Promise((resolve) => {
      this.#resolve = () => resolve(this.report());
      if (this.#underWay === 0) this.#resolve();
    });
  }

  report(): readonly KindReport[] {
    return BOT_KINDS.flatMap((kind) => {
      const bots = this.#bots.filter((bot) => bot.kind === kind);
      if (bots.length === 0) return [];
      const sum = (of: (bot: Bot) => number): number => bots.reduce((total, bot) => total + of(bot), 0);
      const keptAway = bots.filter(({ keptAwayAfterMs }) => keptAwayAfterMs !== null);
      return {
        ...{ kind, bots: bots.length, requests: sum(({ sent }) => sent) },
        keptAwayAfterMs: keptAway.map(({ keptAwayAfterMs }) => keptAwayAfterMs as number).sort((a, b) => a - b),
        keptAwayAfterRequests: keptAway.map(({ keptAwayAfterRequests }) => keptAwayAfterRequests).sort((a, b) => a - b),
        kept: this.#quantity * sum(({ held, released }) => held - released),
        bought: this.#quantity * sum(({ held }) => held),
      };
    });
  }

  #send(bot: Bot): void {
    if (this.#isOver) {
      this.#done();
      return;
    }
    const sent = this.#world.client.send(bot.requests.next(bot.sent), (exchange) => this.#heard(bot, exchange));
    if (sent === "full") this.#sendLater(bot);
    else bot.sent += 1;
  }

  #heard(bot: Bot, exchange: Exchange): void {
    const answer = exchange.kind === "reply" ? readAnswer(exchange.status, exchange.body) : null;
    if (answer?.kind === "refused" && (answer.reason === "blacklisted" || answer.reason === "throttled") && bot.keptAwayAfterMs === null) {
      bot.keptAwayAfterMs = (this.#world.clock.monotonicUs() - bot.startedUs) / 1_000;
      bot.keptAwayAfterRequests = bot.sent;
    }
    if (answer?.kind === "held") bot.held += 1;
    const { release } = bot.requests;
    if (answer?.kind !== "held" || release === null) {
      this.#sendLater(bot);
      return;
    }
    const sent = this.#world.client.send(release, (gaveBack) => {
      if (gaveBack.kind === "reply" && gaveBack.status === 200) bot.released += 1;
      this.#sendLater(bot);
    });
    if (sent === "full") this.#sendLater(bot);
  }

  #sendLater(bot: Bot): void {
    if (this.#isOver) this.#done();
    else this.#world.timers.after(this.#periodMs, () => this.#send(bot));
  }

  #done(): void {
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#resolve();
  }
}

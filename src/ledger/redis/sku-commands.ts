/**
 * Commands about SKUs, decided by the scripts in the order in which they came: one call per partition and round. Nearly always one round is all. A
 * command that needs something first (its SKU swept, its user's SKUs counted, the end of an order that is under way) gets it, and comes again in
 * the next round with those that came after it about the same SKU.
 */
import { assert } from "../../core/assert.ts";
import { Failure, onlyFailure } from "../../core/failure.ts";
import type { Sku, UserId } from "../../core/ids.ts";
import type { RedisScripts } from "../../core/redis.ts";
import type { UnixMs } from "../../core/time.ts";
import { LEDGER_BATCH_COMMANDS_MAX, REPLY_KEPT_IN_REDIS_MS, UNDER_WAY_PAUSE_MS, UNDER_WAY_TRIES_MAX } from "../../limits/ledger.ts";
import { LINES_PER_USER_MAX, SKUS_MAX, SWEEP_ROWS_PER_TURN } from "../../limits.ts";
import type { HoldCommand, Reply, SkuCommand } from "../ledger.ts";
import type { KeptKeys, KeyedHold } from "./kept-keys.ts";
import type { Partitions } from "./partitions.ts";
import { DECIDE } from "./scripts.ts";
import type { After } from "./turns.ts";
import { type AlikeHolds, type Answered, type Field, fieldsOf, fieldsOfAlike, isLike, type Look, readReplies, replyOf } from "./wire.ts";

/** A command on its way, and what became of it. */
export interface Asked<C = SkuCommand> {
  readonly command: C;
  readonly now: UnixMs;
  result: Reply | Error | null;
}
interface Tried extends Asked {
  /** The reply that its key has brought it to already: only the SKU is looked at. */
  known: Reply | null;
  skusOfUser: number;
  tries: number;
}

/** What the ledger does for a command that needs something first. */
export interface Needs {
  look(looks: readonly Look[]): Promise<void>;
  sweep(sku: Sku, now: UnixMs): Promise<void>;
  /** Of how many SKUs the user has something. */
  count(userId: UserId, now: UnixMs): Promise<number>;
  readonly after: After;
}

const isKeyed = (command: SkuCommand): command is KeyedHold => command.verb === "hold" && command.key !== null;

export class SkuCommands {
  readonly #redis: RedisScripts;
  readonly #partitions: Partitions;
  readonly #keys: KeptKeys;
  readonly #needs: Needs;

  constructor(redis: RedisScripts, partitions: Partitions, keys: KeptKeys, needs: Needs) {
    this.#redis = redis;
    this.#partitions = partitions;
    this.#keys = keys;
    this.#needs = needs;
  }

  /** Decides them all; never rejects. */
  async run(asked: readonly Asked[]): Promise<void> {
    for (const segment of segmentsOf(asked)) await this.#runSegment(segment);
  }

  /** @param asked no key twice */
  async #runSegment(asked: readonly Asked[]): Promise<void> {
    const tried = asked.map((one): Tried => Object.assign(one, { known: null, skusOfUser: -1, tries: 0 }));
    const keyed = tried.filter(({ command }) => isKeyed(command));
    if (keyed.length > 0) await this.#claim(keyed);
    for (let open: readonly Tried[] = tried; open.length > 0; open = open.filter(({ result }) => result === null)) await this.#round(open);
    const free = keyed.filter(({ result }) => isNotKept(result)).map(({ command }) => (command as KeyedHold).key);
    // A claim that stays costs nobody anything but the use of the key for something else.
    if (free.length > 0) await this.#keys.unclaim(free).catch(onlyFailure);
  }

  async #claim(keyed: readonly Tried[]): Promise<void> {
    const replies = await this.#keys.claim(keyed.map(({ command }) => command as KeyedHold));
    for (const [n, one] of keyed.entries()) {
      const reply = replies[n] ?? null;
      if (reply instanceof Error) one.result = reply;
      else one.known = reply;
    }
  }

  async #round(open: readonly Tried[]): Promise<void> {
    const byPartition = Map.groupBy(open, ({ command }) => this.#partitions.of(command.sku));
    const looks: Look[] = [];
    const needs: Promise<void>[] = [];
    await Promise.all(
      [...byPartition].map(async ([partition, all]) => {
        const some = all.slice(0, LEDGER_BATCH_COMMANDS_MAX);
        try {
          const answered = await this.#decide(partition, some);
          looks.push(...answered.looks);
          assert(answered.reply.length === some.length, "every command gets an answer");
          for (const [n, one] of some.entries()) this.#hear(one, answered.reply[n] as Answered, needs);
        } catch (error) {
          for (const one of some) one.result = error as Error;
        }
      }),
    );
    await this.#needs.look(looks);
    await Promise.all(needs);
  }

  async #decide(partition: number, some: readonly Tried[]) {
    const keys = [...this.#partitions.keysOf(partition)];
    const fixed = keys.length;
    const commands: (readonly Field[] | ReturnType<typeof fieldsOfAlike>)[] = [];
    let alike: AlikeHolds | null = null;
    const endRun = (): void => {
      if (alike !== null) commands.push(fieldsOfAlike(alike));
      alike = null;
    };
    for (const { command, now, known, skusOfUser } of some) {
      if (command.verb === "hold" && command.key === null && known === null && skusOfUser < 0) {
        if (alike !== null && !isLike(alike, command, now)) endRun();
        alike ??= { of: command, now, userIds: new Set(), sessionIds: [] };
        alike.userIds.add(command.userId);
        alike.sessionIds.push(command.sessionId);
        continue;
      }
      endRun();
      if (known !== null) commands.push(fieldsOf({ verb: "expire", sku: command.sku }, now, 0, -1));
      else if (!isKeyed(command)) commands.push(fieldsOf(command, now, 0, skusOfUser));
      else {
        keys.push(this.#partitions.replyOf(command.sku, command.key.text));
        commands.push(fieldsOf(command, now, keys.length - fixed, skusOfUser));
      }
    }
    endRun();
    const { count } = this.#partitions;
    // A quarter of what a user's SKUs would come to in each partition: who has fewer here is not asked about the others.
    const bounds = [
      Math.max(1, Math.floor(LINES_PER_USER_MAX / count / 4)),
      LINES_PER_USER_MAX,
      Math.ceil(SKUS_MAX / count),
      REPLY_KEPT_IN_REDIS_MS,
      SWEEP_ROWS_PER_TURN,
    ];
    const args = [JSON.stringify(commands), ...bounds.map(String)];
    return readReplies(await this.#redis.run(DECIDE, keys, args));
  }

  #hear(one: Tried, answer: Answered, needs: Promise<void>[]): void {
    const { command, now } = one;
    const reply = replyOf(command, answer);
    if (reply !== null) {
      one.result = one.known ?? reply;
      return;
    }
    const need = async (get: () => Promise<void>): Promise<void> => {
      try {
        await get();
      } catch (error) {
        one.result = error as Error;
      }
    };
    switch (answer[0]) {
      case "count":
        needs.push(
          need(async () => {
            one.skusOfUser = await this.#needs.count((command as HoldCommand).userId, now);
          }),
        );
        return;
      case "unswept":
        if (this.#mayTryAgain(one)) needs.push(need(() => this.#needs.sweep(command.sku, now)));
        return;
      case "busy":
        if (this.#mayTryAgain(one)) needs.push(new Promise((resolve) => this.#needs.after(UNDER_WAY_PAUSE_MS, resolve)));
        return;
      default:
        assert(answer[0] === "later", "an answer is a reply or says what is missing");
    }
  }

  #mayTryAgain(one: Tried): boolean {
    one.tries += 1;
    const isOneMore = one.tries <= UNDER_WAY_TRIES_MAX;
    if (!isOneMore) one.result = new Failure("overloaded", "an order of the same goods is under way; try again", true);
    return isOneMore;
  }
}

/** Cuts where a key comes a second time: what it is told depends on the first. */
function segmentsOf(asked: readonly Asked[]): readonly (readonly Asked[])[] {
  const segments: Asked[][] = [[]];
  let keys = new Set<string>();
  for (const one of asked) {
    const key = isKeyed(one.command) ? one.command.key.text : null;
    if (key !== null && keys.has(key)) {
      segments.push([]);
      keys = new Set();
    }
    if (key !== null) keys.add(key);
    segments.at(-1)?.push(one);
  }
  return segments;
}

/** The claim of a hold that failed stays: it may have happened. */
const isNotKept = (result: Asked["result"]): boolean =>
  result !== null && !(result instanceof Error) && result.kind === "refused" && result.reason === "not-started";

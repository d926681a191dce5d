/**
 * The ledger of many processes: goods, holds and kept replies in Redis, orders in Postgres. Nothing that decides is in the memory of a process; any number
 * of them use the same data at the same time, and each may end at any moment.
 *
 * What concerns one SKU is decided in one script (`scripts/decide.lua`). An order, which may be of SKUs on several nodes, is decided here, over what
 * Redis and Postgres show, and carried out part by part; see `order-keeper.ts`.
 */
import { assert } from "../../core/assert.ts";
import { Failure } from "../../core/failure.ts";
import type { OrderId, Sku, UserId } from "../../core/ids.ts";
import type { RedisScripts } from "../../core/redis.ts";
import type { UnixMs } from "../../core/time.ts";
import { LEDGER_TURN_MS_MAX, ORDER_CALLS_AT_ONCE, UNDER_WAY_TRIES_MAX } from "../../limits/ledger.ts";
import { KEPT_BODY_CHARS_MAX, SWEEP_ROWS_PER_TURN, SWEEP_SKUS_PER_TICK, WRITES_WAITING_MAX } from "../../limits.ts";
import { EMPTY_LINE } from "../decision.ts";
import type {
  CancelCommand,
  CartLine,
  ChangeCommand,
  Command,
  ExpireCommand,
  ExpireReply,
  FoundOrders,
  Goods,
  HeldGoods,
  HoldCommand,
  HoldReply,
  KeptReply,
  Key,
  Ledger,
  Line,
  Order,
  OrderCommand,
  OrderRecord,
  OrderReply,
  OrderSearch,
  PayCommand,
  Payment,
  PlaceCommand,
  RecordCommand,
  RecordReply,
  ReleaseCommand,
  ReleaseReply,
  Reply,
  SkuCommand,
  StockCommand,
  StockReply,
} from "../ledger.ts";
import { AtOnce } from "./at-once.ts";
import { GlancedGoods } from "./glanced-goods.ts";
import { KeptKeys } from "./kept-keys.ts";
import type { OrderKeeper } from "./order-keeper.ts";
import type { Partitions } from "./partitions.ts";
import { SWEEP } from "./scripts.ts";
import type { OwnLine, Question, RedisShelves } from "./shelves.ts";
import { type Asked, SkuCommands } from "./sku-commands.ts";
import { type After, Turns } from "./turns.ts";
import { type PartOfOrder, readSwept, type Seen } from "./wire.ts";

export interface RedisLedgerParts {
  readonly redis: RedisScripts;
  readonly partitions: Partitions;
  readonly shelves: RedisShelves;
  readonly orders: OrderKeeper;
  readonly after: After;
  /** For a comparison with a store that decides everything one after the other: calls are then carried out strictly in the order in which they came.
   *  Otherwise commands about SKUs go in turns and wait for no order, and several calls about orders are under way at a time. */
  readonly isInOrder: boolean;
}

/** Everything that somebody has asked for in one call. */
interface Call {
  readonly asked: readonly Asked<Command>[];
  readonly hear: (replies: readonly Reply[]) => void;
  readonly fail: (error: Error) => void;
}

export class RedisLedger implements Ledger {
  readonly #redis: RedisScripts;
  readonly #partitions: Partitions;
  readonly #shelves: RedisShelves;
  readonly #orders: OrderKeeper;
  readonly #keys: KeptKeys;
  readonly #skuCommands: SkuCommands;
  readonly #turns: Turns<Call>;
  readonly #atOnce: AtOnce | null;
  readonly #glanced = new GlancedGoods();

  constructor({ redis, partitions, shelves, orders, after, isInOrder }: RedisLedgerParts) {
    this.#redis = redis;
    this.#partitions = partitions;
    this.#shelves = shelves;
    this.#orders = orders;
    this.#keys = new KeptKeys(redis, partitions);
    this.#skuCommands = new SkuCommands(redis, partitions, this.#keys, {
      look: (looks) => shelves.follow(looks),
      sweep: (sku, now) => this.#sweepAll(sku, now),
      count: async (userId, now) => (await shelves.linesOf(userId, now)).length,
      after,
    });
    const patienceMs = isInOrder ? Number.POSITIVE_INFINITY : LEDGER_TURN_MS_MAX;
    this.#turns = new Turns((calls) => this.#runTurn(calls), after, patienceMs, WRITES_WAITING_MAX);
    this.#atOnce = isInOrder ? null : new AtOnce(ORDER_CALLS_AT_ONCE, WRITES_WAITING_MAX);
  }

  async stock(commands: readonly StockCommand[], now: UnixMs): Promise<readonly StockReply[]> {
    const replies = await this.#ask<StockReply>(commands, now);
    for (const { sku } of commands) this.#glanced.forget(sku);
    return replies;
  }
  async hold(commands: readonly HoldCommand[], now: UnixMs): Promise<readonly HoldReply[]> {
    const replies = await this.#ask<HoldReply>(commands, now);
    for (const [n, reply] of replies.entries()) if (reply.kind === "refused") this.#glanced.forget((commands[n] as HoldCommand).sku);
    return replies;
  }
  change(commands: readonly ChangeCommand[], now: UnixMs): Promise<readonly HoldReply[]> {
    return this.#ask(commands, now);
  }
  release(commands: readonly ReleaseCommand[], now: UnixMs): Promise<readonly ReleaseReply[]> {
    return this.#ask(commands, now);
  }
  place(commands: readonly PlaceCommand[], now: UnixMs): Promise<readonly OrderReply[]> {
    return this.#ask(commands, now);
  }
  pay(commands: readonly PayCommand[], now: UnixMs): Promise<readonly OrderReply[]> {
    return this.#ask(commands, now);
  }
  cancel(commands: readonly CancelCommand[], now: UnixMs): Promise<readonly OrderReply[]> {
    return this.#ask(commands, now);
  }
  expire(commands: readonly ExpireCommand[], now: UnixMs): Promise<readonly ExpireReply[]> {
    return this.#ask(commands, now);
  }
  record(commands: readonly RecordCommand[], now: UnixMs): Promise<readonly RecordReply[]> {
    return this.#ask(commands, now);
  }

  recall(keys: readonly Key[]): Promise<readonly (KeptReply | null)[]> {
    return this.#keys.recall(keys);
  }

  async remember(replies: readonly KeptReply[]): Promise<readonly (KeptReply | null)[]> {
    for (const reply of replies) assert(reply.kind === "purchase" || reply.body.length <= KEPT_BODY_CHARS_MAX, "a kept body has its bound");
    return this.#keys.remember(replies);
  }

  async glanceAtGoods(
    wanted: readonly { readonly sku: Sku; readonly quantity: number }[],
    now: UnixMs,
  ): Promise<readonly (Goods | null)[]> {
    const seen = new Map<Sku, Goods | null>();
    const unknown = new Set<Sku>();
    for (const { sku, quantity } of wanted) {
      const goods = this.#glanced.withEnough(sku, quantity, now);
      if (goods) seen.set(sku, goods);
      else unknown.add(sku);
    }
    if (unknown.size > 0) {
      const skus = [...unknown];
      const found = await this.goods(skus, now);
      for (const [n, sku] of skus.entries()) {
        const goods = found[n] ?? null;
        seen.set(sku, goods);
        if (goods) this.#glanced.note(goods, now);
      }
    }
    return wanted.map(({ sku }) => seen.get(sku) ?? null);
  }

  /** The lines are elsewhere, and `hold` looks at them anyway. */
  glanceAtLines(of: readonly unknown[]): readonly Line[] {
    return of.map(() => EMPTY_LINE);
  }

  async goods(skus: readonly Sku[], now: UnixMs): Promise<readonly (Goods | null)[]> {
    const seen = await this.#look(
      skus.map((sku) => ({ sku })),
      now,
    );
    return seen.map(({ goods }) => goods);
  }

  async lines(of: readonly { readonly userId: UserId; readonly sku: Sku }[], now: UnixMs): Promise<readonly Line[]> {
    return (await this.#look(of, now)).map(({ line }) => line);
  }

  /** @throws Failure where there may be goods that Redis has lost and gets back: nobody is told that they are unknown */
  async #look(questions: readonly Question[], now: UnixMs): Promise<readonly Seen[]> {
    const seen = await this.#shelves.look(questions, now);
    if (seen.some(({ isDoubtful }) => isDoubtful)) throw new Failure("store-unavailable", "the goods are being restored; try again", true);
    return seen;
  }

  async held(userId: UserId, now: UnixMs): Promise<readonly HeldGoods[]> {
    return (await this.#holdsOf(userId, now)).map(({ sku, line }) => ({ sku, quantity: line.held, heldUntil: line.heldUntil }));
  }

  async cart(userId: UserId, now: UnixMs): Promise<readonly CartLine[]> {
    const holds = await this.#holdsOf(userId, now);
    return holds.map(({ sku, line, sessionId }) => ({ sku, userId, quantity: line.held, heldUntil: line.heldUntil, sessionId }));
  }

  order(orderId: OrderId, now: UnixMs): Promise<Order | null> {
    return this.#orders.find(orderId, now);
  }
  orderPaidWith(payment: Pick<Payment, "provider" | "paymentId">): Promise<OrderId | null> {
    return this.#orders.paidWith(payment);
  }
  ordersOf(userId: UserId, after: OrderId | null, limit: number, now: UnixMs): Promise<readonly Order[]> {
    return this.#orders.ofUser(userId, after, limit, now);
  }
  findOrders(search: OrderSearch, now: UnixMs): Promise<FoundOrders> {
    return this.#orders.search(search, now);
  }

  async listGoods(after: Sku | null, limit: number, now: UnixMs): Promise<readonly Goods[]> {
    const skus = (await this.#shelves.names("names", after, limit)) as readonly Sku[];
    return (await this.goods(skus, now)).flatMap((goods) => goods ?? []);
  }

  async countGoods(): Promise<number> {
    const counts = await Promise.all(this.#partitions.all.map((partition) => this.#shelves.countIn(partition)));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async listRecords(after: { readonly userId: UserId; readonly sku: Sku } | null, limit: number): Promise<readonly OrderRecord[]> {
    const names = await this.#shelves.names("records", after && `${after.userId}\n${after.sku}`, limit);
    const of = names.map((name) => {
      const [userId, sku] = name.split("\n");
      return { userId: userId as UserId, sku: sku as Sku };
    });
    const lines = await this.lines(of, 0);
    return of.flatMap(({ userId, sku }, n) => {
      const { userLevel, ordered } = lines[n] as Line;
      return userLevel === null ? [] : [{ userId, sku, userLevel, ordered }];
    });
  }

  /** One tick of the sweeper: ends what is due, tells of it, and removes what is left of it, a bounded amount. Resolves with whether there is more to
   *  do at once. Any number of processes may do it at the same time; no figure depends on it. */
  async sweep(now: UnixMs): Promise<boolean> {
    const isMore = await Promise.all(this.#partitions.all.map((partition) => this.#sweepSome(partition, "", now)));
    return isMore.some(Boolean);
  }

  async #sweepAll(sku: Sku, now: UnixMs): Promise<void> {
    let passes = 0;
    while (passes < UNDER_WAY_TRIES_MAX && (await this.#sweepSome(this.#partitions.of(sku), sku, now))) passes += 1;
  }

  async #sweepSome(partition: number, sku: Sku | "", now: UnixMs): Promise<boolean> {
    const args = [now, Math.ceil(SWEEP_SKUS_PER_TICK / this.#partitions.count), SWEEP_ROWS_PER_TURN, sku].map(String);
    const { reply, looks } = readSwept(await this.#redis.run(SWEEP, this.#partitions.keysOf(partition), args));
    await this.#shelves.follow(looks);
    const [ended, isMore] = reply;
    if (!Array.isArray(ended)) return isMore === 1;
    await this.#orders.expire(ended as readonly PartOfOrder[], now);
    return true;
  }

  async #holdsOf(userId: UserId, now: UnixMs): Promise<readonly OwnLine[]> {
    const lines = await this.#shelves.linesOf(userId, now);
    const oldestFirst = (a: OwnLine, b: OwnLine): number => a.heldSince - b.heldSince || (a.sku < b.sku ? -1 : 1);
    return lines.filter(({ line }) => line.held > 0).sort(oldestFirst);
  }

  #ask<R extends Reply>(commands: readonly Command[], now: UnixMs): Promise<readonly R[]> {
    if (commands.length === 0) return Promise.resolve([]);
    return new Promise<readonly R[]>((resolve, reject) => {
      const asked = commands.map((command): Asked<Command> => ({ command, now, result: null }));
      // A verb's decision gives that verb's replies.
      const call: Call = { asked, hear: (replies) => resolve(replies as readonly R[]), fail: reject };
      if (this.#atOnce && isOfOrder(asked[0] as Asked<Command>)) this.#atOnce.add(() => this.#runTurn([call]));
      else this.#turns.add([call]);
    });
  }

  async #runTurn(calls: readonly Call[]): Promise<void> {
    try {
      for (const run of runsOf(calls.flatMap(({ asked }) => asked))) {
        if (isAboutSkus(run)) await this.#skuCommands.run(run);
        else await this.#orders.run(run as readonly Asked<OrderCommand>[]);
      }
      for (const call of calls) answer(call);
    } catch (error) {
      for (const { fail } of calls) fail(error as Error);
    }
  }
}

const isOfOrder = ({ command }: Asked<Command>): boolean => "orderId" in command;
const isAboutSkus = (run: readonly Asked<Command>[]): run is readonly Asked<SkuCommand>[] => !run.some(isOfOrder);

/** Cuts where commands about SKUs turn into commands about orders, and back. */
function runsOf(asked: readonly Asked<Command>[]): readonly (readonly Asked<Command>[])[] {
  const runs: Asked<Command>[][] = [];
  for (const one of asked) {
    const last = runs.at(-1);
    if (last?.[0] && isOfOrder(last[0]) === isOfOrder(one)) last.push(one);
    else runs.push([one]);
  }
  return runs;
}

/** A call in which one command failed has failed; it is known what happened only where nothing did. */
function answer({ asked, hear, fail }: Call): void {
  const errors = asked.flatMap(({ result }) => (result instanceof Error ? [result] : []));
  const bug = errors.find((error) => !(error instanceof Failure));
  const [first] = errors;
  if (bug || first === undefined) {
    if (bug) fail(bug);
    else hear(asked.map(({ result }) => result as Reply));
    return;
  }
  const { code, message } = first as Failure;
  const isKnown = errors.length === asked.length && errors.every((error) => error instanceof Failure && error.outcomeKnown);
  fail(new Failure(code, message, isKnown, first));
}

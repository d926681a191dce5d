/**
 * What the ledger decides about one SKU, as a pure function: `decide(view, command, now) -> { reply, changes }`. No I/O, no clock, no randomness; a store
 * shows it the records that the command touches and writes back what it returns. Whatever is due must have been ended before
 * (`expire.ts`), so a line's `held` is always alive here.
 *
 * Refusals come in one fixed order, idempotency first: key, goods, the sale's window, hold, limit, stock. Orders are decided in
 * `decide-order.ts`.
 */
import { assert } from "../core/assert.ts";
import type { UnixMs } from "../core/time.ts";
import { LINES_PER_USER_MAX, SKUS_MAX } from "../limits.ts";
import {
  availableOf,
  type Decision,
  exceeds,
  goodsWith,
  isEmptyLine,
  ledgerTime,
  lineOrdered,
  lineWith,
  NO_CHANGES,
  type PlainReason,
  refuse,
  unchanged,
  type View,
} from "./decision.ts";
import type { ChangeCommand, Goods, HoldCommand, KeptPurchase, RecordCommand, Reply, SkuCommand, StockCommand } from "./ledger.ts";

export function decide(view: View, command: SkuCommand, now: UnixMs): Decision {
  const at = ledgerTime(view.goods, now);
  assert(view.line.held === 0 || view.line.heldUntil > at, "what is due was expired before the decision");
  switch (command.verb) {
    case "hold":
      return decideHold(view, command, at);
    case "change":
      return decideChange(view, command, at);
    case "release":
      return decideRelease(view, at);
    case "stock":
      return decideStock(view, command, at);
    case "record":
      return decideRecord(view, command);
    case "expire":
      return { reply: { kind: "expired" }, changes: NO_CHANGES };
  }
}

function decideHold(view: View, command: HoldCommand, at: UnixMs): Decision {
  const { goods, line, kept } = view;
  if (kept) {
    const isSame = kept.kind === "purchase" && kept.key.fingerprint === command.key?.fingerprint;
    return isSame ? unchanged({ kind: "repeated", reply: kept }) : refuse("key-reused");
  }
  if (!goods) return refuseHold(command, "unknown-goods");
  // Who came too early may come again with the same key, so this refusal is not kept.
  if (at < command.opensAt) return refuse("not-started");
  if (command.closesAt > 0 && at >= command.closesAt) return refuseHold(command, "ended");
  if (exceeds(command.limit, line, line.held + command.quantity)) return refuseHold(command, "limit-reached");
  if (isEmptyLine(line) && view.userLines >= LINES_PER_USER_MAX) return refuseHold(command, "limit-reached");
  if (availableOf(goods) < command.quantity) return refuseHold(command, "sold-out");

  const held = line.held + command.quantity;
  // Nothing extends a hold: what is added ends with what was there.
  const heldUntil = line.held > 0 ? line.heldUntil : at + command.frozenForMs;
  const changes = { goods: goodsWith(goods, goods.frozen + command.quantity, at), line: lineWith(line, held, heldUntil, line.pending) };
  const reply: Reply = { kind: "held", quantity: held, heldUntil };
  return { reply, changes: command.key ? { ...changes, kept: keptReply(command, null, held, heldUntil) } : changes };
}

function decideChange({ goods, line }: View, command: ChangeCommand, at: UnixMs): Decision {
  if (!goods) return refuse("unknown-goods");
  if (line.held === 0) return refuse("no-hold");
  const growth = command.quantity - line.held;
  // Giving back is always possible, even when the limit has been lowered since.
  if (growth > 0 && exceeds(command.limit, line, command.quantity)) return refuse("limit-reached");
  if (growth > availableOf(goods)) return refuse("sold-out");
  return {
    reply: { kind: "held", quantity: command.quantity, heldUntil: line.heldUntil },
    changes: {
      goods: goodsWith(goods, goods.frozen + growth, at),
      line: lineWith(line, command.quantity, line.heldUntil, line.pending),
    },
  };
}

function decideRelease({ goods, line }: View, at: UnixMs): Decision {
  if (!goods || line.held === 0) return refuse("no-hold");
  return {
    reply: { kind: "released", quantity: line.held },
    changes: { goods: goodsWith(goods, goods.frozen - line.held, at), line: lineWith(line, 0, 0, line.pending) },
  };
}

function decideStock({ goods, skus }: View, command: StockCommand, at: UnixMs): Decision {
  if (!goods && command.mode === "update") return refuse("unknown-goods");
  if (command.mode === "remove") {
    if (!goods) return unchanged({ kind: "removed" });
    if (goods.frozen > 0) return unchanged({ kind: "refused", reason: "frozen", onHandMin: goods.frozen });
    return { reply: { kind: "removed" }, changes: { goods: null } };
  }
  if (!goods && skus >= SKUS_MAX) return refuse("too-many-goods");
  const frozen = goods?.frozen ?? 0;
  const sold = goods?.sold ?? 0;
  if (command.onHand < frozen) return unchanged({ kind: "refused", reason: "frozen", onHandMin: frozen });
  const next: Goods = {
    sku: command.sku,
    onHand: command.onHand,
    frozen,
    pending: goods?.pending ?? 0,
    sold,
    stocked: sold + command.onHand,
    priceCents: command.priceCents,
    clock: at,
  };
  return { reply: { kind: "stocked", goods: next }, changes: { goods: next } };
}

function decideRecord({ line }: View, command: RecordCommand): Decision {
  if (command.mode === "remove") {
    if (line.userLevel === null && line.ordered === 0) return unchanged({ kind: "removed" });
    return { reply: { kind: "removed" }, changes: { line: lineOrdered(line, 0, null) } };
  }
  if (command.mode === "update" && line.userLevel === null) return refuse("no-record");
  const next = lineOrdered(line, command.ordered, command.userLevel);
  return { reply: { kind: "recorded", line: next }, changes: { line: next } };
}

/** A refused hold is remembered too: the same key gets the same refusal, even when goods have come back since. */
function refuseHold(command: HoldCommand, reason: PlainReason): Decision {
  const reply: Reply = { kind: "refused", reason };
  return command.key ? { reply, changes: { kept: keptReply(command, reason, command.quantity, 0) } } : { reply, changes: NO_CHANGES };
}

function keptReply(command: HoldCommand, reason: string | null, quantity: number, heldUntil: UnixMs): KeptPurchase {
  assert(command.key !== null, "only a purchase with a key has a reply to keep");
  const { key, sessionId, sku, frozenForMs } = command;
  return { kind: "purchase", key, sessionId, step: "cart", reason, sku, quantity, heldUntil, frozenForMs };
}

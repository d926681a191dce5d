/**
 * Is the suite good enough? Each mutant is the real decision with one deliberate mistake, of the kind that flash-sale systems have really made.
 * The written checks and the random histories must each catch every one of them, on their own. A mutant that gets through is a defect of
 * the suite.
 */
import { describe, expect, test } from "bun:test";
import { decide } from "./decide.ts";
import { type Decision, lineWith, type View } from "./decision.ts";
import { EmbeddedLedger } from "./embedded/embedded-ledger.ts";
import { MemoryJournal } from "./embedded/memory-journal.ts";
import type { Command, Goods, Line, Order } from "./ledger.ts";
import { CHECKS, runCheck } from "./ledger-suite.ts";
import { checkModel } from "./suite/model-check.ts";
import type { OpenLedger } from "./suite/shop.ts";

type Decide = typeof decide;

const SEED = 20_261_122;
const HISTORIES = 400;
const MUTANT_MS_MAX = 60_000;

/** A mistake in one verb: what it is shown is altered before the real decision, or what was decided is altered after it. */
const before =
  (verb: Command["verb"], alter: (view: View, command: Command) => View): Decide =>
  (view, command, now) =>
    decide(command.verb === verb ? alter(view, command) : view, command, now);
const after =
  (verb: Command["verb"], alter: (decision: Decision, view: View, command: Command, now: number) => Decision): Decide =>
  (view, command, now) => {
    const decision = decide(view, command, now);
    return command.verb === verb ? alter(decision, view, command, now) : decision;
  };

const withLine = (decision: Decision, alter: (line: Line) => Line): Decision =>
  decision.changes.line ? { ...decision, changes: { ...decision.changes, line: alter(decision.changes.line) } } : decision;
const withGoods = (decision: Decision, alter: (goods: Goods) => Goods): Decision =>
  decision.changes.goods ? { ...decision, changes: { ...decision.changes, goods: alter(decision.changes.goods) } } : decision;
const without = <K extends "line" | "goods" | "kept">(decision: Decision, name: K): Decision => {
  const { [name]: _forgotten, ...changes } = decision.changes;
  return { ...decision, changes };
};

/** Decides as if the user had other figures, and puts the true ones back into what was decided. */
const asIfLine =
  (verb: Command["verb"], pretended: (line: Line) => Partial<Line>): Decide =>
  (view, command, now) => {
    if (command.verb !== verb) return decide(view, command, now);
    const changed = pretended(view.line);
    const decision = decide({ ...view, line: { ...view.line, ...changed } }, command, now);
    const restored = Object.fromEntries(Object.keys(changed).map((name) => [name, view.line[name as keyof Line]]));
    return withLine(decision, (line) => ({ ...line, ...restored }));
  };

/** Decides as if there were more on hand, and puts the true figure back into what was decided. */
const asIfMore =
  (verb: Command["verb"], more: number): Decide =>
  (view, command, now) => {
    if (command.verb !== verb || !view.goods) return decide(view, command, now);
    const goods = { ...view.goods, onHand: view.goods.onHand + more, stocked: view.goods.stocked + more };
    const decision = decide({ ...view, goods }, command, now);
    return withGoods(decision, (decided) => ({ ...decided, onHand: decided.onHand - more, stocked: decided.stocked - more }));
  };

const limitless =
  (verb: "hold" | "change" | "pay"): Decide =>
  (view, command, now) =>
    decide(view, command.verb === verb ? { ...command, limit: 0 } : command, now);

const asIfOrder = (view: View, state: Order["state"]): View => (view.order ? { ...view, order: { ...view.order, state } } : view);

const mutants: Readonly<Record<string, Decide>> = {
  "sells one more than there is": asIfMore("hold", 1),
  "checks no stock when a hold grows": asIfMore("change", 1_000),
  "forgets to give the stock back at a release": after("release", (decision) => without(decision, "goods")),
  "forgets to end the hold at a release": after("release", (decision) => without(decision, "line")),
  "forgets the difference when a hold shrinks": after("change", (decision, view) =>
    withGoods(decision, (goods) => ({ ...goods, frozen: Math.max(goods.frozen, view.goods?.frozen ?? 0) })),
  ),
  "skips the key check": before("hold", (view) => ({ ...view, kept: null })),
  "takes any body for the same": before("hold", (view, command) =>
    view.kept && command.verb === "hold" && command.key ? { ...view, kept: { ...view.kept, key: command.key } } : view,
  ),
  "forgets the key of a refused purchase": after("hold", (decision) =>
    decision.reply.kind === "refused" ? without(decision, "kept") : decision,
  ),
  "forgets the key of a successful purchase": after("hold", (decision) =>
    decision.reply.kind === "held" ? without(decision, "kept") : decision,
  ),
  "looks at the stock before the limit": after("hold", (decision, view, command) => {
    const isShort = command.verb === "hold" && view.goods !== null && view.goods.onHand - view.goods.frozen < command.quantity;
    return decision.reply.kind === "refused" && decision.reply.reason === "limit-reached" && isShort
      ? { ...decision, reply: { kind: "refused", reason: "sold-out" } }
      : decision;
  }),
  "does not count the limit": limitless("hold"),
  "does not count the limit when a hold grows": limitless("change"),
  "does not count unpaid orders in the limit": asIfLine("hold", () => ({ pending: 0 })),
  "does not count paid orders in the limit": asIfLine("hold", () => ({ ordered: 0 })),
  "counts only the present wish in the limit": (view, command, now) =>
    decide(view, command.verb === "hold" && command.limit > 0 ? { ...command, limit: command.limit + view.line.held } : command, now),
  "counts a user's own hold against a change of it": (view, command, now) => {
    const isOver =
      command.verb === "change" &&
      command.limit > 0 &&
      view.line.held > 0 &&
      view.line.held + command.quantity > command.limit &&
      command.quantity > view.line.held;
    return isOver ? { reply: { kind: "refused", reason: "limit-reached" }, changes: {} } : decide(view, command, now);
  },
  "asks the limit before giving something back": (view, command, now) => {
    const isOver = command.verb === "change" && view.line.held > 0 && command.limit > 0 && command.quantity > command.limit;
    return isOver ? { reply: { kind: "refused", reason: "limit-reached" }, changes: {} } : decide(view, command, now);
  },
  "ends a hold one millisecond late": after("hold", (decision, view) =>
    view.line.held > 0 ? decision : withLine(decision, (line) => ({ ...line, heldUntil: line.heldUntil + 1 })),
  ),
  "ends an order one millisecond late": after("place", (decision, view) =>
    decision.changes.order && !view.order
      ? {
          ...decision,
          changes: { ...decision.changes, order: { ...decision.changes.order, payUntil: decision.changes.order.payUntil + 1 } },
        }
      : decision,
  ),
  "begins the deadline anew when something is added": after("hold", (decision, _view, command, now) =>
    command.verb === "hold" ? withLine(decision, (line) => ({ ...line, heldUntil: now + command.frozenForMs })) : decision,
  ),
  "begins the deadline anew when a payment fails": after("cancel", (decision, _view, _command, now) =>
    withLine(decision, (line) => (line.held > 0 ? { ...line, heldUntil: now + 1_800_000 } : line)),
  ),
  "lets the later deadline count when two holds become one": after("cancel", (decision, view) =>
    withLine(decision, (line) =>
      view.line.held > 0 && line.held > view.line.held
        ? { ...line, heldUntil: Math.max(view.line.heldUntil, view.order?.heldUntil ?? 0) }
        : line,
    ),
  ),
  "revives a hold whose deadline passed during the payment": (view, command, now) => {
    const heldUntil = now + 1_000;
    const isRevival = command.verb === "cancel" && command.to === "held" && view.order !== null && view.order.heldUntil <= now;
    return decide(isRevival && view.order ? { ...view, order: { ...view.order, heldUntil } } : view, command, now);
  },
  "has no cap on the payment window": after("place", (decision, view, command, now) =>
    decision.changes.order && !view.order && command.verb === "place"
      ? { ...decision, changes: { ...decision.changes, order: { ...decision.changes.order, payUntil: now + command.windowMs } } }
      : decision,
  ),
  "takes a second hold for the same order id": before("place", (view) => (view.line.held > 0 ? { ...view, order: null } : view)),
  "sells twice when paid twice": before("pay", (view) => (view.order?.state === "paid" ? asIfOrder(view, "expired") : view)),
  "forgets what was ordered when it is paid": after("pay", (decision, view) =>
    withLine(decision, (line) => ({ ...line, ordered: view.line.ordered })),
  ),
  "ignores the stock when the payment is late": (view, command, now) =>
    view.order?.state === "expired" ? asIfMore("pay", 1_000)(view, command, now) : decide(view, command, now),
  "ignores the limit when the payment is late": limitless("pay"),
  "keeps silent about money that came too late": after("pay", (decision, view) =>
    decision.changes.order?.state === "refund-due" && view.order ? { reply: { kind: "order", order: view.order }, changes: {} } : decision,
  ),
  "sells what was cancelled": before("pay", (view) => (view.order?.state === "cancelled" ? asIfOrder(view, "expired") : view)),
  "forgets to give the stock back at a cancellation": after("cancel", (decision) => without(decision, "goods")),
  "gives the stock back at every cancellation": before("cancel", (view) =>
    view.order?.state === "cancelled" && view.goods && view.goods.frozen >= view.order.quantity ? asIfOrder(view, "payment-pending") : view,
  ),
  "lets a SKU's time go back with the clock": after("hold", (decision, view) =>
    withGoods(decision, (goods) => ({ ...goods, clock: view.goods?.clock ?? 0 })),
  ),
  "forgets what was sold when stock is set": after("stock", (decision) =>
    withGoods(decision, (goods) => ({ ...goods, sold: 0, stocked: goods.onHand })),
  ),
  "lets the stock be set below what is frozen": before("stock", (view) =>
    view.goods ? { ...view, goods: { ...view.goods, frozen: 0 } } : view,
  ),
};

const openWith =
  (mutant: Decide): OpenLedger =>
  async () => ({ ledger: new EmbeddedLedger(new MemoryJournal(), { decide: mutant }), close: async () => {} });

/** Whether `run` found something wrong. */
const catches = (run: () => Promise<void>): Promise<boolean> =>
  run().then(
    () => false,
    () => true,
  );

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (typeof part === "object" && part !== null) deepFreeze(part);
  return Object.freeze(value);
}

async function isCaughtByChecks(mutant: Decide): Promise<boolean> {
  for (const check of CHECKS) {
    if (!check.needsReopen && (await catches(() => runCheck(check, openWith(mutant))))) return true;
  }
  return false;
}

describe("a ledger that", () => {
  for (const [mistake, mutant] of Object.entries(mutants)) {
    test(
      `${mistake} is caught by a written check and by a random history`,
      async () => {
        expect(await isCaughtByChecks(mutant)).toBe(true);
        expect(await catches(() => checkModel(openWith(mutant), { runs: HISTORIES, seed: SEED, isQuick: true }))).toBe(true);
      },
      MUTANT_MS_MAX,
    );
  }

  test("decides as it should, and writes into nothing that it is shown, is caught by neither", async () => {
    // The line that a store shows may be its own record, which it will change; the copy here may not be written into.
    const frozenLine = ({ line }: View) => lineWith(line, line.held, line.heldUntil, line.pending);
    const onFrozen: Decide = (view, command, now) => decide(deepFreeze({ ...view, line: frozenLine(view) }), deepFreeze(command), now);
    expect(await isCaughtByChecks(onFrozen)).toBe(false);
    expect(await catches(() => checkModel(openWith(onFrozen), { runs: HISTORIES, seed: SEED, isQuick: true }))).toBe(false);
  });
});

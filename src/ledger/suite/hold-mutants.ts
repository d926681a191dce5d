/** The decision about holds with one deliberate mistake, of the kind that flash-sale systems have really made. */
import { decide } from "../decide.ts";
import type { Decision, View } from "../decision.ts";
import type { Goods, HoldCommand, KeptPurchase, Key, Line, SkuCommand } from "../ledger.ts";

type Decide = typeof decide;

/** A mistake in one verb: what it is shown is altered before the real decision, or what was decided is altered after it. */
const before =
  (verb: SkuCommand["verb"], alter: (view: View, command: SkuCommand) => View): Decide =>
  (view, command, now) =>
    decide(command.verb === verb ? alter(view, command) : view, command, now);
const after =
  (verb: SkuCommand["verb"], alter: (decision: Decision, view: View, command: SkuCommand, now: number) => Decision): Decide =>
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
  (verb: SkuCommand["verb"], pretended: (line: Line) => Partial<Line>): Decide =>
  (view, command, now) => {
    if (command.verb !== verb) return decide(view, command, now);
    const changed = pretended(view.line);
    const decision = decide({ ...view, line: { ...view.line, ...changed } }, command, now);
    const restored = Object.fromEntries(Object.keys(changed).map((name) => [name, view.line[name as keyof Line]]));
    return withLine(decision, (line) => ({ ...line, ...restored }));
  };

/** Decides as if there were more on hand, and puts the true figure back into what was decided. */
const asIfMore =
  (verb: SkuCommand["verb"], more: number): Decide =>
  (view, command, now) => {
    if (command.verb !== verb || !view.goods) return decide(view, command, now);
    const goods = { ...view.goods, onHand: view.goods.onHand + more, stocked: view.goods.stocked + more };
    const decision = decide({ ...view, goods }, command, now);
    return withGoods(decision, (decided) => ({ ...decided, onHand: decided.onHand - more, stocked: decided.stocked - more }));
  };

const limitless =
  (verb: "hold" | "change"): Decide =>
  (view, command, now) =>
    decide(view, command.verb === verb ? { ...command, limit: 0 } : command, now);

const keptRefusal = ({ sessionId, sku, quantity, frozenForMs }: HoldCommand, key: Key): KeptPurchase => ({
  ...{ kind: "purchase", key, sessionId, step: "cart", reason: "not-started", sku, quantity, heldUntil: 0, frozenForMs },
});

export const holdMutants: Readonly<Record<string, Decide>> = {
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
  "begins the deadline anew when something is added": after("hold", (decision, _view, command, now) =>
    command.verb === "hold" ? withLine(decision, (line) => ({ ...line, heldUntil: now + command.frozenForMs })) : decision,
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
  "opens a sale a millisecond early": (view, command, now) =>
    decide(view, command.verb === "hold" && command.opensAt > 0 ? { ...command, opensAt: command.opensAt - 1 } : command, now),
  "opens a sale a millisecond late": (view, command, now) =>
    decide(view, command.verb === "hold" && command.opensAt > 0 ? { ...command, opensAt: command.opensAt + 1 } : command, now),
  "closes a sale a millisecond early": (view, command, now) =>
    decide(view, command.verb === "hold" && command.closesAt > 0 ? { ...command, closesAt: command.closesAt - 1 } : command, now),
  "closes a sale a millisecond late": (view, command, now) =>
    decide(view, command.verb === "hold" && command.closesAt > 0 ? { ...command, closesAt: command.closesAt + 1 } : command, now),
  "keeps for a key that it came too early": after("hold", (decision, _view, command) =>
    decision.reply.kind === "refused" && decision.reply.reason === "not-started" && command.verb === "hold" && command.key
      ? { ...decision, changes: { kept: keptRefusal(command, command.key) } }
      : decision,
  ),
  "forgets for a key that it came too late": after("hold", (decision) =>
    decision.reply.kind === "refused" && decision.reply.reason === "ended" ? without(decision, "kept") : decision,
  ),
};

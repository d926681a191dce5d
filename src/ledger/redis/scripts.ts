/** The ledger's scripts. Each states its promise, keys, arguments and reply in its own file. */
import type { LuaScript } from "../../core/redis.ts";
import cart from "./scripts/cart.lua" with { type: "text" };
import catchUp from "./scripts/catch-up.lua" with { type: "text" };
import claim from "./scripts/claim.lua" with { type: "text" };
import claimRestore from "./scripts/claim-restore.lua" with { type: "text" };
import compareAgain from "./scripts/compare-again.lua" with { type: "text" };
import decide from "./scripts/decide.lua" with { type: "text" };
import extent from "./scripts/extent.lua" with { type: "text" };
import giveBack from "./scripts/give-back.lua" with { type: "text" };
import isWhole from "./scripts/is-whole.lua" with { type: "text" };
import look from "./scripts/look.lua" with { type: "text" };
import marks from "./scripts/marks.lua" with { type: "text" };
import names from "./scripts/names.lua" with { type: "text" };
import noteWhole from "./scripts/note-whole.lua" with { type: "text" };
import orderPart from "./scripts/order-part.lua" with { type: "text" };
import park from "./scripts/park.lua" with { type: "text" };
import partition from "./scripts/partition.lua" with { type: "text" };
import peek from "./scripts/peek.lua" with { type: "text" };
import remember from "./scripts/remember.lua" with { type: "text" };
import restore from "./scripts/restore.lua" with { type: "text" };
import scan from "./scripts/scan.lua" with { type: "text" };
import sell from "./scripts/sell.lua" with { type: "text" };
import settle from "./scripts/settle.lua" with { type: "text" };
import stream from "./scripts/stream.lua" with { type: "text" };
import sweep from "./scripts/sweep.lua" with { type: "text" };
import trim from "./scripts/trim.lua" with { type: "text" };
import unclaim from "./scripts/unclaim.lua" with { type: "text" };
import undo from "./scripts/undo.lua" with { type: "text" };
import unmark from "./scripts/unmark.lua" with { type: "text" };

/** A script that looks at SKUs begins with what all of those share. */
const overSkus = (name: string, text: string): LuaScript => ({ name, text: `${partition}\n${text}` });

export const DECIDE = overSkus("decide", decide);
/** What a look ends is due, and would be ended again. */
export const LOOK: LuaScript = { ...overSkus("look", look), isUnconfirmed: true };
export const CART: LuaScript = { ...overSkus("cart", cart), isUnconfirmed: true };
export const SWEEP = overSkus("sweep", sweep);
export const NAMES: LuaScript = { name: "names", text: names, isUnconfirmed: true };
export const CLAIM: LuaScript = { name: "claim", text: claim };
export const UNCLAIM: LuaScript = { name: "unclaim", text: unclaim };
export const REMEMBER: LuaScript = { name: "remember", text: remember };
export const SETTLE: LuaScript = { name: "settle", text: settle };
export const STREAM: LuaScript = { name: "stream", text: stream, isUnconfirmed: true };
export const TRIM: LuaScript = { name: "trim", text: trim };

const overParts = (name: string, text: string): LuaScript => overSkus(name, `${orderPart}\n${text}`);
export const PARK = overParts("park", park);
export const SELL = overParts("sell", sell);
export const GIVE_BACK = overParts("give-back", giveBack);
export const UNDO = overParts("undo", undo);
export const UNMARK = overParts("unmark", unmark);
export const MARKS: LuaScript = { ...overParts("marks", marks), isUnconfirmed: true };
export const RESTORE = overParts("restore", restore);
export const IS_WHOLE: LuaScript = { name: "is-whole", text: isWhole, isUnconfirmed: true };
export const NOTE_WHOLE: LuaScript = { name: "note-whole", text: noteWhole, isUnconfirmed: true };
export const COMPARE_AGAIN: LuaScript = { name: "compare-again", text: compareAgain, isUnconfirmed: true };
export const CATCH_UP: LuaScript = { name: "catch-up", text: catchUp, isUnconfirmed: true };
export const CLAIM_RESTORE: LuaScript = { name: "claim-restore", text: claimRestore, isUnconfirmed: true };
export const EXTENT: LuaScript = { name: "extent", text: extent, isUnconfirmed: true };
export const PEEK: LuaScript = { name: "peek", text: peek, isUnconfirmed: true };
export const SCAN: LuaScript = { name: "scan", text: scan, isUnconfirmed: true };

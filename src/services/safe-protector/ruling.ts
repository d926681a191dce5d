/**
 * What a lookup needs of a decision in one number, so that a million of them are a column of doubles: until when, which action, who said so.
 * The number grows with the end, and so one comparison tells whether it is live.
 */
import type { UnixMs } from "../../core/time.ts";
import { ACTIONS, type DecisionAction, type DecisionOrigin, ORIGINS, type Strength, type Until } from "./decision.ts";

export type Ruling = number;

export const CODES = 32;
/** Stands for "until removed": 10,000 years away, and its ruling is still exact in a double. */
const NEVER = 2 ** 48 - 1;

const ACTION_CODES: Readonly<Record<DecisionAction, number>> = { observe: 1, throttle: 2, block: 3, allow: 4 };
const ORIGIN_CODES: Readonly<Record<DecisionOrigin, number>> = { learned: 0, operator: 8, import: 16 };

export const rulingOf = (action: DecisionAction, origin: DecisionOrigin, until: Until): Ruling =>
  (until ?? NEVER) * CODES + ORIGIN_CODES[origin] + ACTION_CODES[action];

export const untilOf = (ruling: Ruling): Until => {
  const until = Math.floor(ruling / CODES);
  return until === NEVER ? null : until;
};
/** Which action and whose, as a number below `CODES`. */
export const codeOf = (ruling: Ruling): number => ruling - Math.floor(ruling / CODES) * CODES;
export const originOf = (ruling: Ruling): DecisionOrigin => ORIGINS[codeOf(ruling) >> 3] as DecisionOrigin;
export const actionOf = (ruling: Ruling): DecisionAction => ACTIONS[(codeOf(ruling) & 7) - 1] as DecisionAction;

/** 0 when it has ended, or when there is none. */
export const strengthAt = (ruling: Ruling | undefined, now: UnixMs): Strength =>
  ruling === undefined || ruling < (now + 1) * CODES ? 0 : ((codeOf(ruling) & 7) as Strength);

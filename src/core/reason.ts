/** Why a purchase ended as it did: the vocabulary of replies, access log, metrics and console. */

export const STEPS = ["throttle", "protect", "policy", "inventory", "cart"] as const;
export type Step = (typeof STEPS)[number];

/** We said no. `throttled`, `not-started` and `paused` pass with time; the others are what the same request would hear again. */
export type RefusalReason =
  | "throttled"
  | "blacklisted"
  | "ended"
  | "not-started"
  | "paused"
  | "level-too-low"
  | "limit-reached"
  | "unknown-goods"
  | "sold-out";
/** We could not answer. Nothing is frozen, or it is frozen and ends by itself at its deadline. */
export type FailureReason = `${Step}-unavailable`;
export type Reason = RefusalReason | FailureReason;

export const isFailure = (reason: Reason): reason is FailureReason => reason.endsWith("-unavailable");

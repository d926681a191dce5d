/** The kinds of attackers that come beside the crowd. */

export const BOT_KINDS = ["flood", "accounts", "rotating", "early", "squat", "malformed"] as const;
/**
 * `flood`: one account and one address, again and again. `accounts`: all bots of the kind behind one address, each request of another account. `rotating`:
 * one account, each request from another address. `early`: as `flood`, and there before the crowd. `squat`: buys and gives back. `malformed`: sends
 * what nobody can understand.
 */
export type BotKind = (typeof BOT_KINDS)[number];

import { describe, expect, test } from "bun:test";
import type { UserId } from "../core/ids.ts";
import { TOKEN_CHARS_MAX, VERIFIED_TOKENS_CHARS_MAX, VERIFIED_TOKENS_MAX } from "../limits.ts";
import { type VerifiedToken, VerifiedTokens } from "./verified-tokens.ts";

const tokenOf = (name: string): VerifiedToken => ({ userId: name as UserId, userLevel: 1, endsAt: 0, generation: 1 });

describe("the verified tokens", () => {
  test("are never more than the bound, and those that were used lately are still there", () => {
    const tokens = new VerifiedTokens();
    for (let i = 0; i < 3 * VERIFIED_TOKENS_MAX; i += 1) {
      tokens.keep(`token ${i}`, tokenOf(`user ${i}`));
      if (i % 1_000 === 0) expect(tokens.find("token 0")).toEqual(tokenOf("user 0"));
      expect(tokens.size).toBeLessThanOrEqual(VERIFIED_TOKENS_MAX);
    }
    expect(tokens.find(`token ${3 * VERIFIED_TOKENS_MAX - 1}`)).toBeDefined();
    expect(tokens.find(`token ${2.5 * VERIFIED_TOKENS_MAX}`)).toBeDefined();
    expect(tokens.find("token 1")).toBeUndefined();
  });

  test("are fewer when they are long", () => {
    const tokens = new VerifiedTokens();
    const room = VERIFIED_TOKENS_CHARS_MAX / TOKEN_CHARS_MAX;
    for (let i = 0; i < 2 * room; i += 1) {
      tokens.keep(String(i).padStart(TOKEN_CHARS_MAX, "x"), tokenOf("user"));
      expect(tokens.size).toBeLessThanOrEqual(room);
    }
  });

  test("are replaced by a later verification of the same text", () => {
    const tokens = new VerifiedTokens();
    tokens.keep("token", tokenOf("before"));
    tokens.keep("token", tokenOf("after"));
    expect([tokens.size, tokens.find("token")?.userId]).toEqual([1, "after" as UserId]);
  });

  test("take room once, however often they are verified", () => {
    const tokens = new VerifiedTokens();
    tokens.keep("quiet", tokenOf("quiet"));
    const long = "x".repeat(TOKEN_CHARS_MAX);
    for (let i = 0; i < (2 * VERIFIED_TOKENS_CHARS_MAX) / TOKEN_CHARS_MAX; i += 1) tokens.keep(long, tokenOf("busy"));
    expect(tokens.find("quiet")).toBeDefined();
  });
});

import { describe, expect, test } from "bun:test";
import { SIGN_IN_ADDRESSES_MAX, SIGN_IN_BURST, SIGN_IN_BURST_PER_ADDRESS, SIGN_IN_RATE_PER_ADDRESS } from "../limits/console.ts";
import { isSameKey, SignInAttempts } from "./sign-in.ts";

test("only the key itself is the key, whatever its length", () => {
  const key = "operator-key-0123456789";
  expect(isSameKey(key, key)).toBe(true);
  for (const wrong of ["", key.slice(1), `${key} `, `${key}${key}`, key.toUpperCase()]) expect(isSameKey(wrong, key)).toBe(false);
});

describe("attempts to sign in", () => {
  test("from one address are bounded, and it is told when to come back", () => {
    const attempts = new SignInAttempts();
    for (let n = 0; n < SIGN_IN_BURST_PER_ADDRESS; n += 1) expect(attempts.waitSeconds("10.0.0.1", 0)).toBe(0);
    const wait = attempts.waitSeconds("10.0.0.1", 0);
    expect(wait).toBe(1 / SIGN_IN_RATE_PER_ADDRESS);
    expect(attempts.waitSeconds("10.0.0.2", 0)).toBe(0);
    expect(attempts.waitSeconds("10.0.0.1", (wait - 1) * 1_000_000)).toBeGreaterThan(0);
    expect(attempts.waitSeconds("10.0.0.1", 2 * wait * 1_000_000)).toBe(0);
  });

  test("from many addresses together are bounded too", () => {
    const attempts = new SignInAttempts();
    for (let n = 0; n < SIGN_IN_BURST; n += 1) expect(attempts.waitSeconds(`10.0.0.${n}`, 0)).toBe(0);
    expect(attempts.waitSeconds("10.1.1.1", 0)).toBeGreaterThan(0);
  });

  test("of one address that goes on and on take nothing from the others", () => {
    const attempts = new SignInAttempts();
    for (let n = 0; n < 10 * SIGN_IN_BURST; n += 1) attempts.waitSeconds("10.0.0.1", 0);
    expect(attempts.waitSeconds("10.0.0.2", 0)).toBe(0);
  });

  test("are counted for a bounded number of addresses", () => {
    const attempts = new SignInAttempts();
    for (let n = 0; n < SIGN_IN_BURST_PER_ADDRESS; n += 1) attempts.waitSeconds("first", 0);
    for (let n = 0; n < SIGN_IN_ADDRESSES_MAX; n += 1) attempts.waitSeconds(`address ${n}`, 0);
    // It is forgotten, and all together are still bounded: by now there is nothing left for anybody.
    expect(attempts.waitSeconds("first", 0)).toBe(1);
  });
});

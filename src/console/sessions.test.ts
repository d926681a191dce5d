import { describe, expect, test } from "bun:test";
import { CONSOLE_SESSION_MS_MAX, CONSOLE_SESSIONS_MAX } from "../limits/console.ts";
import { Sessions } from "./sessions.ts";

const QUIET = 60_000;
function open(): Sessions {
  let ids = 0;
  return new Sessions(QUIET, () => `id ${++ids}`);
}

describe("a session", () => {
  test("is its operator's until a quiet time is over, and not a millisecond longer", () => {
    const sessions = open();
    const id = sessions.begin("Wang Fang", 1_000);
    expect(sessions.find(id, 1_000 + QUIET - 1)?.operator).toBe("Wang Fang");
    expect(sessions.find(id, 1_000 + QUIET)).toBeNull();
    expect(sessions.count).toBe(0);
  });

  test("lives on while something is done in it, and not by being looked at", () => {
    const sessions = open();
    const id = sessions.begin("Wang Fang", 0);
    expect(sessions.use(id, QUIET - 1)?.expiresAt).toBe(QUIET - 1 + QUIET);
    expect(sessions.find(id, QUIET + 1)).not.toBeNull();
    expect(sessions.find(id, 2 * QUIET - 1)).toBeNull();
  });

  test("ends at its longest, whatever is done in it", () => {
    const sessions = open();
    const id = sessions.begin("Wang Fang", 0);
    for (let now = 0; now < CONSOLE_SESSION_MS_MAX; now += QUIET - 1) expect(sessions.use(id, now)).not.toBeNull();
    expect(sessions.use(id, CONSOLE_SESSION_MS_MAX)).toBeNull();
  });

  test("that was ended is nobody's, and other ids never were", () => {
    const sessions = open();
    const id = sessions.begin("Wang Fang", 0);
    sessions.end(id);
    for (const other of [id, "id 2", "", null]) expect(sessions.use(other, 1)).toBeNull();
  });

  test("makes room for one more when there are too many: the one that was used least lately goes", () => {
    const sessions = open();
    const [first, second] = [sessions.begin("a", 0), sessions.begin("b", 0)];
    for (let more = 2; more < CONSOLE_SESSIONS_MAX; more += 1) sessions.begin("c", 0);
    sessions.use(first, 1);
    sessions.begin("d", 2);
    expect(sessions.count).toBe(CONSOLE_SESSIONS_MAX);
    expect(sessions.find(first, 2)).not.toBeNull();
    expect(sessions.find(second, 2)).toBeNull();
  });
});

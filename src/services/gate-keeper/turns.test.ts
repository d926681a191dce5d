/** The turns of the gate: who goes with whom, and when. */
import { describe, expect, test } from "bun:test";
import { openGate } from "../../../test/gate-desk.ts";
import type { HttpReply } from "../../core/endpoint.ts";
import { TURN_LOOKS_MAX, TURN_PURCHASES_MAX, TURN_WAIT_MS_MAX, TURNS_UNDER_WAY_MAX } from "../../limits.ts";

describe("a turn of the gate", () => {
  test("looks again as long as somebody new has come, and then takes them together", async () => {
    const gate = await openGate();
    const lookOnce = gate.nextTurn.shift.bind(gate.nextTurn);
    const arrived = [gate.arrive()];
    arrived.push(gate.arrive({ userID: "U2" }), gate.arrive({ userID: "U3" }));
    lookOnce()?.();
    expect(gate.lines).toEqual([]);
    lookOnce()?.();
    expect((await Promise.all(arrived)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(gate.nextTurn).toEqual([]);
  });

  test("waits no longer than so many looks for those who still come", async () => {
    const gate = await openGate();
    const arrived = [gate.arrive()];
    for (let look = gate.nextTurn.shift(); look; look = gate.nextTurn.shift()) {
      arrived.push(gate.arrive({ userID: `U${arrived.length}` }));
      gate.looks += 1;
      look();
    }
    expect(gate.looks).toBe(TURN_LOOKS_MAX);
    await Promise.all(arrived);
  });

  test("takes so many at most; the rest go with the next", async () => {
    const gate = await openGate();
    const arrived = Array.from({ length: TURN_PURCHASES_MAX + 3 }, () => gate.arrive());
    await gate.runTurns();
    await Promise.all(arrived);
    expect(gate.turns).toEqual([TURN_PURCHASES_MAX, 3]);
  });

  test("that meets a bug tells it, and answers everyone it had not answered with a failure", async () => {
    const bug = new TypeError("undefined is not a function");
    const gate = await openGate((services) => ({ ...services, inventoryManager: { validate: () => Promise.reject(bug) } }));
    const arrived = [gate.arrive({ userID: "bad" }), gate.arrive({}, "K"), gate.arrive({ userID: "bad" }, "L")];
    await gate.runTurns();
    const replies = await Promise.all(arrived);
    expect(replies.map(({ status }) => status)).toEqual([200, 503, 503]);
    expect(JSON.parse((replies[1] as HttpReply).body as string)).toMatchObject({ repResult: false, reason: "cart-unavailable" });
    expect([gate.bugs, gate.keeper.purchasesInFlight]).toEqual([[bug], 0]);
    // Their keys are free again.
    expect((await gate.buy({ userID: "bad" }, "L")).body).toMatchObject({ reason: "blacklisted" });
  });
});

/** A gate whose protect step answers when it is told to, turn by turn, and which has as many turns under way as it may. */
async function openBusyGate() {
  const answers: (() => void)[] = [];
  const gate = await openGate((services) => ({
    ...services,
    safeProtector: {
      validate: (checks) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        answers.push(resolve);
        return promise.then(() => services.safeProtector.validate(checks));
      },
    },
  }));
  const first: (HttpReply | Promise<HttpReply>)[] = [];
  while (first.length < TURNS_UNDER_WAY_MAX) {
    first.push(gate.arrive({ userID: `first ${first.length}` }));
    await gate.runTurns();
  }
  return { gate, answers, first };
}
const FULL = Array.from({ length: TURNS_UNDER_WAY_MAX }, () => 1);

describe("a gate whose services take their time", () => {
  test("lets those who come meanwhile go together, in their order, when a turn has ended", async () => {
    const { gate, answers, first } = await openBusyGate();
    const others = ["U2", "U3", "U4"].map((userID) => gate.arrive({ userID }));
    await gate.runTurns();
    expect(gate.turns).toEqual(FULL);
    answers.shift()?.();
    await first[0];
    await gate.runTurns();
    expect(gate.turns).toEqual([...FULL, 3]);
    answers.at(-1)?.();
    await Promise.all(others);
    const users = gate.lines.map((line) => (JSON.parse(line) as { userID: string }).userID);
    expect(users).toEqual(["first 0", "U2", "U3", "U4"]);
  });

  test("keeps nobody waiting behind turns that hang for longer than the bound, and sets one timer for all", async () => {
    const { gate, answers, first } = await openBusyGate();
    const others = ["U2", "U3"].map((userID) => gate.arrive({ userID }));
    await gate.runTurns();
    expect(gate.timers).toHaveLength(1);
    expect(gate.timers[0]?.delayMs).toBeLessThanOrEqual(TURN_WAIT_MS_MAX);
    gate.passUs(1_000 * TURN_WAIT_MS_MAX);
    gate.timers.shift()?.work();
    await gate.runTurns();
    expect(gate.turns).toEqual([...FULL, 2]);
    answers.at(-1)?.();
    expect((await Promise.all(others)).map(({ status }) => status)).toEqual([200, 200]);
    for (const answer of answers) answer();
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual(FULL.map(() => 200));
    expect(gate.keeper.purchasesInFlight).toBe(0);
  });

  test("sets another timer when the one that rings was set for turns that have ended since", async () => {
    const { gate, answers, first } = await openBusyGate();
    const waiting = [gate.arrive({ userID: "U2" })];
    gate.passUs(500 * TURN_WAIT_MS_MAX);
    for (const answer of answers.splice(0)) answer();
    await Promise.all(first);
    await gate.runTurns();
    while (answers.length < TURNS_UNDER_WAY_MAX) {
      waiting.push(gate.arrive({ userID: `U${3 + waiting.length}` }));
      await gate.runTurns();
    }
    waiting.push(gate.arrive({ userID: "last" }));
    const before = gate.turns.length;
    gate.timers.shift()?.work();
    await gate.runTurns();
    expect([gate.turns.length, gate.timers.length]).toEqual([before, 1]);
    for (const answer of answers.splice(0)) answer();
    await gate.runTurns();
    for (const answer of answers) answer();
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(waiting.map(() => 200));
  });
});

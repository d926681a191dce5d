/** What an operator hears of a trouble that goes on: it, at most once a minute, and its end. */
import { expect, test } from "bun:test";
import { TROUBLE_OVER_MS, TROUBLE_TOLD_MS } from "../limits/records.ts";
import { SeldomTold } from "./seldom-told.ts";

class Desk {
  nowMs = 0;
  readonly told: string[] = [];
  readonly trouble = new SeldomTold({ now: () => 0, monotonicUs: () => 1_000 * this.nowMs }, (message) => void this.told.push(message));
}

test("a trouble is told once a minute, however often it is met", () => {
  const desk = new Desk();
  for (; desk.nowMs <= 2 * TROUBLE_TOLD_MS; desk.nowMs += 100) desk.trouble.say("down");
  expect(desk.told).toEqual(["down", "down", "down"]);
});

test("its end is told once, when all has been well for a while", () => {
  const desk = new Desk();
  desk.trouble.over("well");
  desk.trouble.say("down");
  desk.trouble.over("well");
  desk.nowMs += TROUBLE_OVER_MS - 1;
  desk.trouble.over("well");
  expect(desk.told).toEqual(["down"]);
  desk.nowMs += 1;
  for (let time = 0; time < 3; time += 1) desk.trouble.over("well");
  expect(desk.told).toEqual(["down", "well"]);
});

test("a trouble that comes and goes within the minute is not said to be over before it has been away for a while", () => {
  const desk = new Desk();
  for (let time = 0; time < 20; time += 1) {
    desk.trouble.say("down");
    desk.nowMs += TROUBLE_OVER_MS / 2;
    desk.trouble.over("well");
  }
  expect(desk.told).toEqual(["down"]);
});

test("the end of a trouble that was not told is not told either", () => {
  const desk = new Desk();
  desk.trouble.say("down");
  desk.nowMs += TROUBLE_OVER_MS;
  desk.trouble.over("well");
  desk.trouble.say("down");
  desk.nowMs += TROUBLE_OVER_MS;
  desk.trouble.over("well");
  expect(desk.told).toEqual(["down", "well"]);
});

/** A stampede with attackers against the real system: the bots are caught, the people are not, and the page says so. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { HttpLoadClient } from "../src/edge/http-load-client.ts";
import { systemClock } from "../src/edge/system-clock.ts";
import { timers } from "../src/edge/timers.ts";
import { readStampedeSettings } from "../src/stampede/options.ts";
import { runStampede } from "../src/stampede/stampede.ts";
import { postJson, type System, startSystem } from "./system.ts";

let system: System;
beforeAll(async () => {
  system = await startSystem();
  await postJson(`${system.inventory}/add`, { goodsSKU: "SKU0001", goodsQuantity: 100_000, goodsPrice: 9.9 });
});
afterAll(() => system.stop());

test("bots that change their addresses and bots that give back what they buy are kept away, and no person with them", async () => {
  const { gate, protector, inventory, cart } = system;
  const read = readStampedeSettings({
    ...{ url: gate, protectUrl: protector, inventoryUrl: inventory, cartUrl: cart, buyers: "1000", rate: "200" },
    ...{ bots: "6", botKinds: "flood,rotating,squat", botRate: "40" },
  });
  if ("error" in read) throw new Error(read.error);
  let page = "";
  const write = (text: string): void => {
    page += text;
  };
  const io = { write, complain: write, isTerminal: false, columns: 80, clock: systemClock, timers, openClient: HttpLoadClient.open };
  expect({ exitCode: await runStampede(read.settings, io), page }).toMatchObject({ exitCode: 0 });
  for (const kind of ["flood", "rotating", "squat"]) expect(page).toMatch(new RegExp(`${kind} +2 bots, [\\d,]+ requests; 2 kept away: `));
  expect(page).toContain("People blocked with them: none");
}, 120_000);

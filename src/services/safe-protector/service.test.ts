/** SafeProtector over every store: what is in force when, and that memory and store never say different things. */
import { describe, expect, test } from "bun:test";
import { check, ProtectorDesk as Desk } from "../../../test/protector-desk.ts";
import { overEveryStore } from "../../../test/table-stores.ts";
import type { Route } from "../../core/endpoint.ts";
import type { UserId } from "../../core/ids.ts";
import { SWEEP_ROWS_PER_TURN } from "../../limits.ts";
import { routes } from "./routes.ts";

const user = (text: string) => text as UserId;

overEveryStore((openStore) => {
  describe("a validation", () => {
    test("says which of the two is bad, for each of a batch in its order", async () => {
      const { protector } = await Desk.open(openStore);
      await protector.decide({ scope: "account", value: "bad", action: "block" }, undefined, "");
      await protector.decide({ scope: "network", value: "10.0.0.0/8", action: "block" }, undefined, "");
      const checks = [check("good", "1.1.1.1"), check("bad", "1.1.1.1"), check("good", "10.1.1.1"), check("bad", "10.1.1.1")];
      expect(await protector.validate(checks)).toEqual([
        { allowed: true },
        { allowed: false, reason: "blacklisted", isBadGuy: true, isBadIp: false },
        { allowed: false, reason: "blacklisted", isBadGuy: false, isBadIp: true },
        { allowed: false, reason: "blacklisted", isBadGuy: true, isBadIp: true },
      ]);
    });

    test("serves the first so many of a batch, and throttles the rest without judging them", async () => {
      const { protector } = await Desk.open(openStore, 2);
      await protector.decide({ scope: "account", value: "bad", action: "block" }, undefined, "");
      const verdicts = await protector.validate([check("bad", "1.1.1.1"), check("good", "1.1.1.1"), check("bad", "1.1.1.1")]);
      expect(verdicts.map((verdict) => (verdict.allowed ? "allowed" : verdict.reason))).toEqual(["blacklisted", "allowed", "throttled"]);
    });

    test("that is throttled is 429 with the documented body, and calls nobody bad", async () => {
      const { protector } = await Desk.open(openStore, 1);
      await protector.decide({ scope: "account", value: "bad", action: "block" }, undefined, "");
      await protector.validate([check("x", "1.1.1.1")]);
      const { status, headers, body } = await protector.reply(check("bad", "1.1.1.1"));
      expect([status, headers?.["retry-after"]]).toEqual([429, "1"]);
      expect(JSON.parse(body as string)).toEqual({
        ...{ sessionID: "s", userID: "bad", isBadGuy: false, clientIP: "1.1.1.1", isBadIP: false },
        ...{ isAllowed: false, isThrottled: true, version: "1.0", reason: "throttled" },
      });
    });
  });

  describe("a decision with a duration", () => {
    test("is in force and listed until its end, and neither from then on, before any sweep", async () => {
      const desk = await Desk.open(openStore);
      await desk.protector.decide({ scope: "account", value: "bad", action: "block" }, 60, "");
      await desk.protector.decide({ scope: "address", value: "1.1.1.1", action: "block" }, 60, "");
      await desk.protector.decide({ scope: "network", value: "10.0.0.0/8", action: "block" }, 60, "");
      const inForce = () => [desk.protector.isBadGuy(user("bad")), desk.protector.isBadIp("1.1.1.1"), desk.protector.isBadIp("10.1.1.1")];
      desk.nowMs += 59_999;
      expect([inForce(), await desk.listed()]).toEqual([
        [true, true, true],
        ["bad", "1.1.1.1", "10.0.0.0/8"],
      ]);
      desk.nowMs += 1;
      for (const life of ["the same", "the next"]) {
        expect([life, inForce(), await desk.listed()]).toEqual([life, [false, false, false], []]);
        await desk.restart();
      }
    });

    test("is removed by the sweeper, in bounded pieces; what stands or was extended stays", async () => {
      const desk = await Desk.open(openStore);
      const { protector } = desk;
      await Promise.all(
        Array.from({ length: SWEEP_ROWS_PER_TURN + 2 }, (_, index) =>
          protector.decide({ scope: "account", value: `U${index}`, action: "block" }, 1, ""),
        ),
      );
      await protector.decide({ scope: "account", value: "stays", action: "block" }, undefined, "");
      desk.nowMs += 500;
      await protector.decide({ scope: "account", value: "U0", action: "block" }, 1, "");
      desk.nowMs += 500;
      expect(await protector.sweep(desk.nowMs)).toBe(true);
      expect(protector.decisions).toBe(3);
      expect(await protector.sweep(desk.nowMs)).toBe(false);
      expect(await protector.sweep(desk.nowMs)).toBe(false);
      expect([protector.decisions, await desk.listed()]).toEqual([2, ["U0", "stays"]]);
      expect([(await desk.restart()).decisions, await desk.listed()]).toEqual([2, ["U0", "stays"]]);
    });

    test("that is added again while the sweeper waits for its turn is not removed", async () => {
      const desk = await Desk.open(openStore);
      await desk.protector.decide({ scope: "account", value: "bad", action: "block" }, 1, "");
      desk.nowMs += 1_000;
      await Promise.all([
        desk.protector.decide({ scope: "account", value: "bad", action: "block" }, undefined, ""),
        desk.protector.sweep(desk.nowMs),
      ]);
      expect([desk.protector.isBadGuy(user("bad")), await desk.listed()]).toEqual([true, ["bad"]]);
    });
  });

  describe("a decision", () => {
    test("is shown when it is added as it is listed, with nothing in it that the request had besides", async () => {
      const desk = await Desk.open(openStore);
      const add = async (name: string, body: object): Promise<unknown> => {
        const route = routes(desk.protector).find(({ endpoint }) => endpoint.name === name) as Route;
        const reply = await route.handle({ params: {}, query: {}, body, headers: new Headers(), peer: () => "" });
        return JSON.parse(reply.body as string);
      };
      const extra = { more: "x", isAllowed: true };
      expect(await add("addBadGuy", { userID: "bad", isBadGuy: true, ...extra })).toEqual({ userID: "bad", isBadGuy: true });
      const range = { clientIP: "::ffff:10.1.2.3/104", isBadIP: true, durationSeconds: 2, note: "n" };
      expect(await add("addBadIP", { ...range, ...extra })).toEqual({ clientIP: "10.0.0.0/8", isBadIP: true, until: 3_000, note: "n" });
    });

    test("is replaced by a later one of its scope and value: there is one live decision for each", async () => {
      const desk = await Desk.open(openStore);
      await desk.protector.decide({ scope: "account", value: "bad", action: "block" }, undefined, "first");
      await desk.protector.decide({ scope: "account", value: "bad", action: "block" }, 1, "second");
      expect(await desk.protector.listBlocked("u", null, 10)).toMatchObject([{ value: "bad", until: 2_000, note: "second" }]);
      desk.nowMs = 2_000;
      expect(desk.protector.isBadGuy(user("bad"))).toBe(false);
    });

    test("is the same after a restart, and gone after its removal", async () => {
      const desk = await Desk.open(openStore);
      await desk.protector.decide({ scope: "network", value: "2001:db8::/32", action: "block" }, undefined, "");
      await desk.protector.decide({ scope: "address", value: "::1", action: "block" }, undefined, "");
      await desk.protector.decide({ scope: "account", value: "1.2.3.4/8", action: "block" }, undefined, "");
      await desk.restart();
      expect(["2001:db8::5", "::1", "1.2.3.4"].map((ip) => desk.protector.isBadIp(ip))).toEqual([true, true, false]);
      expect(desk.protector.isBadGuy(user("1.2.3.4/8"))).toBe(true);
      await desk.protector.unblock("network", "2001:db8::/32");
      await desk.protector.unblock("account", "1.2.3.4/8");
      for (const life of ["the same", "the next"]) {
        expect([life, await desk.listed(), desk.protector.isBadIp("2001:db8::5")]).toEqual([life, ["::1"], false]);
        await desk.restart();
      }
    });
  });
});

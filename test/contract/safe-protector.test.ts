/** The SafeProtector's rows and notes: the blacklist, its ranges, its durations and its pages. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { deleteJson, getJson, type JsonReply, postJson, type System, startSystem } from "../system.ts";
import { waitFor } from "../wait.ts";
import { expectProblem } from "./problem.ts";

setDefaultTimeout(60_000);

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

const addGuy = (userID: string, more: object = {}) => postJson(`${system.protector}/badguy/add`, { userID, isBadGuy: true, ...more });
const addIp = (clientIP: string, more: object = {}) => postJson(`${system.protector}/badip/add`, { clientIP, isBadIP: true, ...more });
const guy = (userId: string) => getJson(`${system.protector}/badguy/userid/${encodeURIComponent(userId)}`);
const ip = (address: string) => getJson(`${system.protector}/badip/clientip/${encodeURIComponent(address)}`);
const validate = (userId: string, address: string) =>
  getJson(`${system.protector}/validate/sid/SID0000001/userid/${userId}/clientip/${encodeURIComponent(address)}`);

function expectReply(reply: JsonReply, body: unknown): void {
  expect({ status: reply.status, body: reply.body }).toEqual({ status: 200, body });
}

async function expectListed(addresses: readonly string[], isBadIP: boolean): Promise<void> {
  for (const address of addresses) {
    expect({ address, ...((await ip(address)).body as object) }).toMatchObject({ address, isBadIP });
    expect({ address, ...((await validate("UID-ip", address)).body as object) }).toMatchObject({ address, isBadIP, isAllowed: !isBadIP });
  }
}

describe("doSafeValidation", () => {
  const rows = [
    { who: "a clean account at a clean address", userID: "FS-good", clientIP: "198.51.100.1", isBadGuy: false, isBadIP: false },
    { who: "a blacklisted account", userID: "FS-bad", clientIP: "198.51.100.1", isBadGuy: true, isBadIP: false },
    { who: "a blacklisted address", userID: "FS-good", clientIP: "202.100.100.1", isBadGuy: false, isBadIP: true },
    { who: "a blacklisted account at a blacklisted address", userID: "FS-bad", clientIP: "202.100.100.1", isBadGuy: true, isBadIP: true },
  ];
  test.each(rows)("replies the documented body for $who", async ({ userID, clientIP, isBadGuy, isBadIP }) => {
    await addGuy("FS-bad");
    await addIp("202.100.100.1");
    const isAllowed = !isBadGuy && !isBadIP;
    const reply = await validate(userID, clientIP);
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({
      sessionID: "SID0000001",
      userID,
      isBadGuy,
      clientIP,
      isBadIP,
      isAllowed,
      isThrottled: false,
      version: "1.0",
    });
    if (!isAllowed) expect(reply.body).toMatchObject({ reason: "blacklisted" });
  });

  test("a bad path variable is named", async () => {
    expectProblem(await getJson(`${system.protector}/validate/sid/%00/userid/${"x".repeat(129)}/clientip/256.1.1.1`), 400, [
      "#/path/sid",
      "#/path/uid",
      "#/path/ip",
    ]);
  });
});

describe("accounts", () => {
  test("addBadGuy, getBadGuy and removeBadGuy reply the documented bodies", async () => {
    expectReply(await guy("FS00000001"), { userID: "FS00000001", isBadGuy: false });
    const added = await addGuy("FS00000001");
    expect(added.status).toBe(200);
    expect(added.body).toMatchObject({ userID: "FS00000001", isBadGuy: true });
    expect((await guy("FS00000001")).body).toMatchObject({ userID: "FS00000001", isBadGuy: true });
    expectReply(await deleteJson(`${system.protector}/delete/userid/FS00000001`), { userID: "FS00000001", isBadGuy: false });
    expectReply(await guy("FS00000001"), { userID: "FS00000001", isBadGuy: false });
  });

  test.each(["/delete/userid/", "/badguy/delete/userid/"])("DELETE %s{uid} removes, also what is not there", async (path) => {
    await addGuy("FS-removed");
    for (let times = 0; times < 2; times += 1) {
      expectReply(await deleteJson(`${system.protector}${path}FS-removed`), { userID: "FS-removed", isBadGuy: false });
      expect((await validate("FS-removed", "198.51.100.1")).body).toMatchObject({ isBadGuy: false, isAllowed: true });
    }
  });
});

describe("addresses", () => {
  test("addBadIP, getBadIP and removeBadIP reply the documented bodies", async () => {
    expectReply(await ip("203.0.113.1"), { clientIP: "203.0.113.1", isBadIP: false });
    const added = await addIp("203.0.113.1");
    expect(added.status).toBe(200);
    expect(added.body).toMatchObject({ clientIP: "203.0.113.1", isBadIP: true });
    expect((await ip("203.0.113.1")).body).toMatchObject({ clientIP: "203.0.113.1", isBadIP: true });
    expectReply(await deleteJson(`${system.protector}/delete/clientip/203.0.113.1`), { clientIP: "203.0.113.1", isBadIP: false });
    expectReply(await ip("203.0.113.1"), { clientIP: "203.0.113.1", isBadIP: false });
  });

  test.each(["/delete/clientip/", "/badip/delete/clientip/"])("DELETE %s{ip} removes an address and a range", async (path) => {
    for (const [entry, address] of [
      ["203.0.113.2", "203.0.113.2"],
      ["203.0.113.128/25", "203.0.113.200"],
    ] as const) {
      await addIp(entry);
      await expectListed([address], true);
      expect((await deleteJson(`${system.protector}${path}${encodeURIComponent(entry)}`)).body).toMatchObject({
        clientIP: entry,
        isBadIP: false,
      });
      await expectListed([address], false);
    }
  });

  test('"clientIP may be a CIDR range", and "getBadIP is true for an address inside a listed range"', async () => {
    await addIp("10.20.0.0/16");
    await expectListed(["10.20.0.0", "10.20.30.40", "10.20.255.255", "::ffff:10.20.1.1"], true);
    await expectListed(["10.19.255.255", "10.21.0.0"], false);
    await addIp("2001:db8:7::/48");
    await expectListed(["2001:db8:7::", "2001:DB8:7:ffff:0:0:0:1"], true);
    await expectListed(["2001:db8:6:ffff::", "2001:db8:8::"], false);
    await addIp("192.0.2.9/32");
    await expectListed(["192.0.2.9"], true);
    await expectListed(["192.0.2.8", "192.0.2.10"], false);
  });

  test('addresses are "compared in canonical form (::ffff:1.2.3.4 is 1.2.3.4)"', async () => {
    await addIp("::ffff:1.2.3.4");
    await expectListed(["1.2.3.4", "::ffff:1.2.3.4", "::FFFF:102:304", "0:0:0:0:0:ffff:1.2.3.4"], true);
    await addIp("2001:0DB8:0000:0000:0000:0000:0000:0001");
    await expectListed(["2001:db8::1", "2001:db8:0:0:0::1"], true);
    await addIp("2001:db8::1");
    const listed = (await getJson(`${system.protector}/badip/all`)).body as { clientIP: string }[];
    expect(listed.filter((entry) => entry.clientIP.startsWith("2001:db8::1"))).toHaveLength(1);
    await addIp("::ffff:198.18.0.0/112");
    await expectListed(["198.18.255.1"], true);
    await expectListed(["198.19.0.0"], false);
    await deleteJson(`${system.protector}/badip/delete/clientip/1.2.3.4`);
    await expectListed(["::ffff:1.2.3.4"], false);
  });

  test("what is no address is refused", async () => {
    for (const address of [
      "",
      "x",
      "1.2.3",
      "1.2.3.256",
      "01.2.3.4",
      "1.2.3.4/33",
      "2001:db8::/129",
      "1.2.3.4/",
      "1::2::3",
      "fe80::1%eth0",
      " 1.2.3.4",
    ]) {
      expectProblem(await addIp(address), 400, ["#/clientIP"]);
    }
    expectProblem(await ip("1.2.3.256"), 400, ["#/path/ip"]);
  });
});

describe('"an add may carry durationSeconds and note; without a duration it stands until removed"', () => {
  test("an entry with a duration ends by itself, one without stays", async () => {
    await addGuy("FS-forever", { note: "caught by hand" });
    expect((await addGuy("FS-short", { durationSeconds: 1, note: "a short one" })).body).toMatchObject({
      userID: "FS-short",
      isBadGuy: true,
    });
    await addIp("198.51.100.200", { durationSeconds: 1 });
    expect((await addGuy("FS-long", { durationSeconds: 3_600 })).status).toBe(200);
    const isOver = async (): Promise<boolean> => {
      const { isAllowed } = (await validate("FS-short", "198.51.100.200")).body as { isAllowed: boolean };
      return isAllowed;
    };
    await waitFor(isOver, "both entries of one second have ended");
    expect((await guy("FS-short")).body).toMatchObject({ isBadGuy: false });
    expect((await ip("198.51.100.200")).body).toMatchObject({ isBadIP: false });
    const listed = (await getJson(`${system.protector}/badguy/all`)).body as { userID: string }[];
    expect(listed.map((entry) => entry.userID)).not.toContain("FS-short");
    for (const user of ["FS-forever", "FS-long"]) expect((await guy(user)).body).toMatchObject({ isBadGuy: true });
  });

  test("a bad duration or note is named", async () => {
    for (const durationSeconds of [0, -1, 1.5, "60", 1e12])
      expectProblem(await addGuy("FS-duration", { durationSeconds }), 400, ["#/durationSeconds"]);
    for (const note of [5, "x".repeat(501)]) expectProblem(await addGuy("FS-note", { note }), 400, ["#/note"]);
    expectProblem(await addIp("nowhere", { durationSeconds: 0, note: 5 }), 400, ["#/clientIP", "#/durationSeconds", "#/note"]);
    for (const user of ["FS-duration", "FS-note"]) expect((await guy(user)).body).toMatchObject({ isBadGuy: false });
  });
});

describe('"the lists are paged (?after=&limit=, default 1,000)"', () => {
  type Row = { readonly userID: string; readonly clientIP: string };

  /** Follows the `next` links to the end. */
  async function pages(path: string): Promise<Row[][]> {
    const found: Row[][] = [];
    for (let url: string | null = `${system.protector}${path}`; url !== null; ) {
      const page = await getJson(url);
      expect(page.status).toBe(200);
      found.push(page.body as Row[]);
      const next = /<([^>]+)>;\s*rel="next"/.exec(page.headers.get("link") ?? "")?.[1];
      url = next ? new URL(next, system.protector).href : null;
    }
    return found;
  }

  test("a page holds 1,000 rows, says where the next one is, and all of them hold every entry once", async () => {
    const users = Array.from({ length: 1_005 }, (_, index) => `UID${String(index).padStart(10, "0")}`);
    await Promise.all(users.map((user) => addGuy(user)));
    await Promise.all(users.map((_, index) => addIp(`10.100.${index >> 8}.${index & 255}`)));
    const guys = await pages("/badguy/all");
    expect(guys[0]).toHaveLength(1_000);
    const userIds = guys.flat().map((row) => row.userID);
    expect(userIds).toEqual(expect.arrayContaining(users));
    expect(userIds).toEqual([...new Set(userIds)].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    expect(guys.flat()).toContainEqual(expect.objectContaining({ userID: "UID0000000098", isBadGuy: true }));
    const ips = await pages("/badip/all");
    expect(ips[0]).toHaveLength(1_000);
    expect(new Set(ips.flat().map((row) => row.clientIP)).size).toBe(ips.flat().length);
    expect(ips.flat()).toContainEqual(expect.objectContaining({ clientIP: "10.100.0.1", isBadIP: true }));
    expect((await pages("/badguy/all?limit=400")).map((page) => page.length).slice(0, 2)).toEqual([400, 400]);
  });

  test("a page begins behind `after`", async () => {
    for (const user of ["page-1", "page-2", "page-3"]) await addGuy(user);
    expect((await getJson(`${system.protector}/badguy/all?after=page-1&limit=2`)).body).toMatchObject([
      { userID: "page-2" },
      { userID: "page-3" },
    ]);
    expect((await getJson(`${system.protector}/badguy/all?after=page-12&limit=1`)).body).toMatchObject([{ userID: "page-2" }]);
  });

  test('"a limit that is no number from 1 to 10,000 is 400"', async () => {
    for (const list of ["/badguy/all", "/badip/all"]) {
      for (const limit of ["0", "-1", "10001", "1.5", "x", "", "99999999999999999999"]) {
        expectProblem(await getJson(`${system.protector}${list}?limit=${limit}`), 400, ["#/query/limit"]);
      }
      for (const limit of ["1", "10000"]) expect((await getJson(`${system.protector}${list}?limit=${limit}`)).status).toBe(200);
    }
  });
});

/**
 * Whatever a client sends: never a 5xx, every refusal says what is wrong, and nothing changes. The requests are generated; a failure prints
 * the seed that makes them again, and the request that was not refused.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { expectProblem } from "./contract/problem.ts";
import { cutShort, exchange, framingFaults, headFaults, noise, type RawRequest, wholePurchase } from "./malformed-raw.ts";
import { type BadRequest, badRequest } from "./malformed-requests.ts";
import { deleteJson, getJson, type JsonReply, postJson, type System, startSystem } from "./system.ts";
import { waitFor } from "./wait.ts";

setDefaultTimeout(60_000);

const SEED = 20_261_101;
const VOLLEYS = 200;
const VOLLEY_REQUESTS = 50;
const RAW_WAIT_MS = 300;

let system: System;
let before: string;
beforeAll(async () => {
  system = await startSystem();
  await fill();
  before = await snapshot();
});
afterAll(() => system.stop());

/** State that a request which slips through would change: most of it under the names that the requests use. */
async function fill(): Promise<void> {
  for (const goodsSKU of ["sample", "other"]) {
    await postJson(`${system.inventory}/add`, { goodsSKU, goodsQuantity: 50, goodsPrice: 12.5 });
    await postJson(`${system.policy}/policy/add`, { goodsSKU, userLevel: 3, quantityLimit: 30 });
    await postJson(`${system.policy}/user/add`, { userID: "sample", goodsSKU, userLevel: 3, orderQuantity: 4 });
    await postJson(`${system.cart}/add`, {
      sessionID: "s",
      userID: "sample",
      goodsSKU,
      goodsQuantity: 3,
      totalQuantity: 0,
      quantityLimit: 0,
    });
  }
  await postJson(`${system.protector}/badguy/add`, { userID: "bad", isBadGuy: true });
  await postJson(`${system.protector}/badip/add`, { clientIP: "203.0.113.0/24", isBadIP: true });
}

async function snapshot(): Promise<string> {
  const lists = [
    `${system.inventory}/all`,
    `${system.policy}/policy/all`,
    `${system.policy}/user/all`,
    `${system.protector}/badguy/all`,
    `${system.protector}/badip/all`,
    `${system.policy}/sales`,
    `${system.cart}/orders?userID=sample`,
    `${system.cart}/refunds`,
    `${system.cart}/webhooks`,
  ];
  const carts = ["sample", "raw", "bad"].map((user) => `${system.cart}/all/userid/${user}`);
  const replies = await Promise.all([...lists, ...carts].map((url) => getJson(url)));
  return replies.map((reply) => `${reply.status} ${reply.text}`).join("\n");
}

/** A body whose length is not known when its sending begins. */
async function* inChunks(body: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < body.length; sent += 4_096) yield body.subarray(sent, sent + 4_096);
}

async function fire(request: BadRequest): Promise<JsonReply | "reset"> {
  const { body, isChunked } = request;
  const init = { method: request.method, headers: request.headers, ...(body && { body: isChunked ? inChunks(body) : body }) };
  try {
    const response = await fetch(system[request.service] + request.path, init as RequestInit);
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, body: text === "" ? undefined : (JSON.parse(text) as unknown) };
  } catch (error) {
    // The server may cut a chunked body that grows too long instead of reading on.
    if (isChunked) return "reset";
    throw error;
  }
}

function expectRefused(request: BadRequest, reply: JsonReply): void {
  expect(request.statuses).toContain(reply.status);
  expectProblem(reply, reply.status, reply.status === 400 ? request.pointers : undefined);
}

/** What was sent, for the reader of a failure. */
function told(request: BadRequest): string {
  const text = new TextDecoder().decode(request.body).slice(0, 300);
  return `${request.fault}: ${request.method} ${request.service}${request.path.slice(0, 300)} ${JSON.stringify(request.headers)} ${JSON.stringify(text)}`;
}

/** The generator's own report is all the bytes of a whole volley; the error has the one request that matters. */
function tellFirstFault(run: fc.RunDetails<[BadRequest[]]>): void {
  if (run.failed) throw new Error(`seed ${run.seed}, path ${run.counterexamplePath}`, { cause: run.errorInstance });
}

test(`${VOLLEYS * VOLLEY_REQUESTS} bad requests on every route: each is refused with a problem that names every bad field, and nothing changes`, async () => {
  const volley = fc.array(badRequest, { minLength: VOLLEY_REQUESTS, maxLength: VOLLEY_REQUESTS });
  const property = fc.asyncProperty(volley, async (requests) => {
    const replies = await Promise.all(requests.map(fire));
    for (const [index, request] of requests.entries()) {
      const reply = replies[index] as JsonReply | "reset";
      if (reply === "reset") continue;
      try {
        expectRefused(request, reply);
      } catch (error) {
        throw new Error(`${told(request)}\nwas answered ${reply.status} ${reply.text}`, { cause: error });
      }
    }
    const after = await snapshot();
    if (after !== before)
      throw new Error(`one of these has changed the state:\n${requests.map(told).join("\n")}\nbefore:\n${before}\nafter:\n${after}`);
  });
  await fc.assert(property, { seed: SEED, numRuns: VOLLEYS, endOnFailure: true, reporter: tellFirstFault });
});

const portOf = (url: string): number => Number(new URL(url).port);

/** Sends them all at once; tells what was answered with a server error, or with success although it was no request. */
async function rawVolley(requests: readonly RawRequest[], isWrong: (answer: string) => boolean): Promise<string[]> {
  const answers = await Promise.all(requests.map((request) => exchange(portOf(system.gate), request, RAW_WAIT_MS)));
  return requests.flatMap((request, index) => (isWrong(answers[index] as string) ? [`${request.fault}: ${answers[index]}`] : []));
}
/** 505 is the runtime's own answer to bytes in which it finds no HTTP version that it speaks: nothing of ours has seen them. */
const isServerError = (answer: string): boolean => /^HTTP\/1\.1 5(?!05 HTTP Version Not Supported)/m.test(answer);
const isSuccess = (answer: string): boolean => /^HTTP\/1\.1 2/m.test(answer);

test("a request whose end two readers could see in different places is refused or cut off, and buys nothing", async () => {
  expect(await rawVolley(framingFaults("sample"), (answer) => isServerError(answer) || isSuccess(answer))).toEqual([]);
  expect(await snapshot()).toBe(before);
});

test("no request line, header or noise brings the server to a 5xx", async () => {
  expect(await rawVolley(headFaults(), isServerError)).toEqual([]);
  expect(await rawVolley(fc.sample(noise, { seed: SEED, numRuns: 200 }), isServerError)).toEqual([]);
  expect(await snapshot()).toBe(before);
});

test("a purchase that is cut off before its end buys nothing, and one that is not buys", async () => {
  const cuts = fc.sample(cutShort("sample"), { seed: SEED, numRuns: 200 });
  expect(await rawVolley(cuts, (answer) => isServerError(answer) || isSuccess(answer))).toEqual([]);
  expect(await snapshot()).toBe(before);
  // Without this the cuts could be harmless only because nothing of ours ever reaches the gate.
  expect(await exchange(portOf(system.gate), wholePurchase("sample"), RAW_WAIT_MS)).toStartWith("HTTP/1.1 200");
  await waitFor(async () => (await snapshot()) !== before, "the whole purchase has frozen its unit");
  await deleteJson(`${system.cart}/delete/userid/raw/sku/sample`);
  expect(await snapshot()).toBe(before);
});

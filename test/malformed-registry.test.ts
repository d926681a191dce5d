/** Whatever is sent to the ServiceRegistry: never a 5xx, and the five services stay listed as they were. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { getJson, type System, send, startSystem } from "./system.ts";

setDefaultTimeout(60_000);

const SEED = 20_261_102;
const REQUESTS = 3_000;

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

const root = fc.constantFrom("/eureka", "/eureka/v2", "/eureka/v3", "");
const segment = fc.oneof(
  fc.constantFrom(
    "apps",
    "instances",
    "vips",
    "delta",
    "status",
    "metadata",
    "svips",
    "peerreplication",
    "batch",
    "x",
    "",
    ".",
    "..",
    "%00",
    "%zz",
    "%FF",
    "%2F",
    "__proto__",
    "x".repeat(600),
    "{app}",
  ),
  fc.string({ maxLength: 10 }).map(encodeURIComponent),
);
const path = fc.tuple(root, fc.array(segment, { maxLength: 4 })).map(([start, segments]) => [start, ...segments].join("/"));
const query = fc.constantFrom("", "?lastDirtyTimestamp=x", "?status=", "?value=%zz", "?regions=a,b");
const value = fc.oneof(fc.jsonValue(), fc.constantFrom(null, -1, 1e308, "\u0000", "x".repeat(5_000)));
// No host name and no address: nothing of this can be registered.
const body = fc.oneof(
  fc.constantFrom(
    "",
    "{",
    "null",
    "[]",
    '{"instance":null}',
    '{"instance":[]}',
    "<instance/>",
    "<instance><app>SHOP</app><metadata><__proto__>1</__proto__></metadata></instance>",
    '<!DOCTYPE i [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><instance><app>&b;</app></instance>',
    "<a>".repeat(4_000),
    `<instance ${'a="1" '.repeat(2_000)}/>`,
    '{"replicationList":[]}',
    '{"replicationList":[{"action":"Heartbeat","appName":"NOBODY","id":"x"},{"action":"Register","appName":"NOBODY","id":"x"}]}',
    '{"__proto__":{"instance":{}}}',
    "[".repeat(8_000),
  ),
  fc
    .record({
      instance: fc.dictionary(fc.constantFrom("app", "status", "port", "leaseInfo", "metadata", "dataCenterInfo", "__proto__"), value),
    })
    .map((it) => JSON.stringify(it)),
  fc
    .array(fc.tuple(fc.constantFrom("instance", "app", "status", "port", "a:b", "constructor"), fc.string({ maxLength: 8 })), {
      maxLength: 5,
    })
    .map((elements) => `<instance>${elements.map(([name, text]) => `<${name}>${text}</${name}>`).join("")}</instance>`),
);
const request = fc.record({
  method: fc.constantFrom("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"),
  path,
  query,
  body,
  contentType: fc.constantFrom("application/json", "application/xml", "text/plain", "x"),
  accept: fc.constantFrom("application/json", "application/xml", "*/*", ";;;", ""),
});

async function listing(): Promise<unknown> {
  const reply = await getJson(`${system.registry}/eureka/apps`, { accept: "application/json" });
  const { applications } = reply.body as {
    applications: { application: { name: string; instance: { instanceId: string; status: string }[] }[] };
  };
  return applications.application.map(({ name, instance }) => [name, instance.map(({ instanceId, status }) => [instanceId, status])]);
}

test(`${REQUESTS} requests without sense: never a 5xx, and the listing stays`, async () => {
  const before = await listing();
  const property = fc.asyncProperty(request, async ({ method, path, query, body, contentType, accept }) => {
    const headers = { "content-type": contentType, accept };
    const reply = await send(method, system.registry + path + query, method === "GET" || method === "OPTIONS" ? undefined : body, headers);
    if (reply.status >= 500) throw new Error(`${reply.status} ${reply.text}`);
  });
  await fc.assert(property, { seed: SEED, numRuns: REQUESTS });
  expect(await listing()).toEqual(before);
});

/** The ServiceRegistry as an existing Eureka client sees it: the five services, registered, in the protocol's JSON. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { getJson, type System, startSystem } from "../system.ts";
import { waitFor } from "../wait.ts";
import { expectMatch } from "./problem.ts";

setDefaultTimeout(60_000);

let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

interface Instance {
  readonly instanceId: string;
  readonly app: string;
  readonly status: string;
  readonly port: { readonly $: number; readonly "@enabled": string };
  readonly leaseInfo: { readonly lastRenewalTimestamp: number };
}
interface Listing {
  readonly applications: { readonly application: readonly { readonly name: string; readonly instance: readonly Instance[] }[] };
}

const SERVICES = ["GATEKEEPER", "INVENTORYMANAGER", "POLICYCONTROLLER", "SAFEPROTECTOR", "SHOPPINGCART"];

async function listing(path = "/eureka/apps"): Promise<Listing> {
  const reply = await getJson(system.registry + path, { accept: "application/json" });
  expect(reply.status).toBe(200);
  expect(reply.headers.get("content-type")).toMatch(/json/);
  return reply.body as Listing;
}
const instancesIn = (list: Listing) => list.applications.application.flatMap((application) => application.instance);

test("GET /eureka/apps lists the five services UP, each under its port", async () => {
  const { applications } = await listing();
  // Only the letters count: the protocol does not say how a name of two words is joined.
  const names = applications.application.map((application) => application.name);
  expect(names.map((name) => name.replaceAll(/[^A-Z]/g, "")).toSorted()).toEqual(SERVICES);
  const ports = instancesIn({ applications }).map((instance) => instance.port.$);
  const expected = [system.gate, system.protector, system.policy, system.inventory, system.cart].map((url) => Number(new URL(url).port));
  expect(ports.toSorted()).toEqual(expected.toSorted());
  expect(instancesIn({ applications }).map((instance) => instance.status)).toEqual(SERVICES.map(() => "UP"));
  expect(applications).toMatchObject({ apps__hashcode: "UP_5_" });
});

test("instances have the protocol's forms", async () => {
  const list = await listing();
  for (const application of list.applications.application) {
    expect(application.name).toBe(application.name.toUpperCase());
    expect(application.instance).toHaveLength(1);
    expectMatch(application.instance[0], {
      app: application.name,
      instanceId: expect.any(String),
      hostName: expect.any(String),
      ipAddr: expect.any(String),
      port: { $: expect.any(Number), "@enabled": "true" },
      dataCenterInfo: { "@class": expect.any(String), name: "MyOwn" },
      leaseInfo: { renewalIntervalInSecs: expect.any(Number), durationInSecs: expect.any(Number) },
      lastUpdatedTimestamp: expect.any(String),
      lastDirtyTimestamp: expect.any(String),
    });
  }
});

test("the listing is the same under /eureka/ and /eureka/v2/, with and without a slash at the end", async () => {
  const ids = (list: Listing) => instancesIn(list).map((instance) => instance.instanceId);
  const expected = ids(await listing());
  for (const path of ["/eureka/apps/", "/eureka/v2/apps", "/eureka/v2/apps/"]) expect(ids(await listing(path))).toEqual(expected);
});

test("the services renew their leases", async () => {
  const renewals = async () => new Map(instancesIn(await listing()).map((one) => [one.instanceId, one.leaseInfo.lastRenewalTimestamp]));
  const first = await renewals();
  const haveAllRenewed = async (): Promise<boolean> => {
    const now = await renewals();
    return [...first].every(([id, at]) => (now.get(id) as number) > at);
  };
  await waitFor(haveAllRenewed, "all five have renewed");
});

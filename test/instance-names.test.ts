/** Every instance has one name, and it is the same wherever an operator meets it. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../package.json" with { type: "json" };
import { getJson, postJson, type System, startSystem } from "./system.ts";
import { waitFor } from "./wait.ts";

const OPERATORS_PORTS = ["protector", "policy", "inventory", "cart"] as const;
let system: System;
beforeAll(async () => {
  system = await startSystem();
});
afterAll(() => system.stop());

interface Registered {
  readonly instance: readonly { readonly instanceId: string; readonly homePageUrl: string }[];
}

/** The name that the registry has for whoever answers at `url`. */
async function registeredAt(url: string): Promise<string> {
  const reply = await getJson(`${system.registry}/eureka/apps`, { accept: "application/json" });
  const { applications } = reply.body as { applications: { application: readonly Registered[] } };
  const instances = applications.application.flatMap(({ instance }) => instance);
  return instances.find(({ homePageUrl }) => homePageUrl === `${url}/`)?.instanceId ?? "not registered";
}

const build = (service: string, instance: string): string =>
  `doorbuster_build_info{instance_id="${instance}",version="${packageJson.version}",service="${service}"} 1`;

test("the registry, /health and the metrics of an operators' port name one instance", async () => {
  const services = ["SafeProtector", "PolicyController", "InventoryManager", "ShoppingCart"];
  for (const [index, port] of OPERATORS_PORTS.entries()) {
    const instance = await registeredAt(system[port]);
    expect((await getJson(`${system[port]}/health`)).body).toMatchObject({ instance });
    expect((await getJson(`${system[port]}/metrics`)).text.split("\n")).toContain(build(services[index] as string, instance));
  }
  const { instance } = (await getJson(`${system.registry}/health`)).body as { instance: string };
  expect(instance).toEndWith(`:serviceregistry:${new URL(system.registry).port}`);
});

test("the gate's name is in its metrics and in its access records; its public /health keeps it", async () => {
  const instance = await registeredAt(system.gate);
  expect((await getJson(`${system.gate}/metrics`)).text.split("\n")).toContain(build("GateKeeper", instance));
  expect((await getJson(`${system.gate}/health`)).body).toEqual({ status: "UP" });
  await postJson(`${system.gate}/buy`, { userID: "U1", userLevel: 1, clientIP: "1.2.3.4", goodsSKU: "none", goodsQuantity: 1 });
  const folder = join(system.dataDir, "access-log");
  const lines = () => readdirSync(folder).flatMap((name) => readFileSync(join(folder, name), "utf8").trimEnd().split("\n"));
  await waitFor(() => lines().some((line) => line !== ""), "the record is written");
  expect(JSON.parse(lines()[0] as string)).toMatchObject({ instance, goodsSKU: "none" });
});

/** What the registry knows of a process that begins to stop, whatever was under way. */
import { expect, test } from "bun:test";
import { waitFor } from "../../test/wait.ts";
import type { Instance } from "../services/service-registry/instance.ts";
import { ServiceRegistry } from "../services/service-registry/service.ts";
import { readSettings } from "../settings/read.ts";
import { Announcement, type Registrar, registrarOf } from "./announcement.ts";
import { Place } from "./place.ts";

function placeOf(): Place {
  const read = readSettings({ flags: {}, environment: {}, configFileText: null });
  if ("error" in read) throw new Error(read.error);
  return new Place(read.settings);
}

test("a renewal that is under way when the process stops leaves nothing behind in the registry", async () => {
  const registry = new ServiceRegistry(50);
  const clock = { now: () => Date.now(), monotonicUs: () => 0 };
  const near = registrarOf(registry, clock);
  const waiting: (() => void)[] = [];
  // The registry is far away: a renewal arrives when the test lets it.
  const far: Registrar = {
    ...near,
    renew: async (instance: Instance) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      await near.renew(instance);
    },
  };
  const announcement = new Announcement(placeOf(), far, clock, () => true);
  await announcement.begin(["ShoppingCart", "GateKeeper"]);
  expect(registry.leases()).toHaveLength(2);
  await waitFor(() => waiting.length > 0, "the leases are being renewed");
  const ended = announcement.end();
  for (const letGo of waiting) letGo();
  await ended;
  expect(registry.leases()).toEqual([]);
});

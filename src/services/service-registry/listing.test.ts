import { describe, expect, test } from "bun:test";
import { ourInstance } from "./instance.ts";
import { ListingReader } from "./listing.ts";
import { hashcodeOf } from "./protocol-form.ts";
import { jsonForm } from "./protocol-json.ts";
import { ServiceRegistry } from "./service.ts";

const NOW = 1_800_000_000_000;
const reader = new ListingReader();
const own = ourInstance({ app: "shop", host: "10.0.0.1", port: 8080, now: NOW, leaseSeconds: 3 });

async function listingOf(registry: ServiceRegistry): Promise<string> {
  let text = "";
  const listing = { applications: registry.applications(), hashcode: hashcodeOf(registry.leases()), version: 1 };
  for await (const piece of jsonForm.listing(listing)) text += piece;
  return text;
}

describe("a listing", () => {
  test("tells by the registry's own clock whose lease holds, however wrong the reader's clock is", async () => {
    const registry = new ServiceRegistry();
    registry.register(own, NOW);
    const text = await listingOf(registry);
    for (const readersNow of [NOW - 3_600_000, NOW + 3_600_000]) {
      expect(reader.read(text, String(NOW + 2_999), readersNow)).toMatchObject([{ leaseAgeMs: 2_999, isCurrent: true }]);
      expect(reader.read(text, String(NOW + 3_000), readersNow)).toMatchObject([{ leaseAgeMs: 3_000, isCurrent: false }]);
    }
  });

  test("is read as it was registered", async () => {
    const registry = new ServiceRegistry();
    registry.register(own, NOW);
    expect(reader.read(await listingOf(registry), null, NOW)?.map(({ instance }) => instance)).toEqual([own]);
  });

  test("of another make, with elements instead of arrays of one and without times, counts as it stands", () => {
    const instance = { hostName: "h", app: "SHOP", instanceId: "i", "unknown field": 1 };
    const text = JSON.stringify({ applications: { application: { name: "SHOP", instance } } });
    expect(reader.read(text, null, NOW)).toMatchObject([{ instance: { instanceId: "i" }, leaseAgeMs: 0, isCurrent: true }]);
  });

  test.each(["", "<applications/>", "null", "[]", '{"applications":null}'])("is none: %j", (text) => {
    expect(reader.read(text, null, NOW)).toBeNull();
  });

  test("leaves out what cannot be read, and keeps the rest", () => {
    const instances = [null, 1, {}, { hostName: "h", app: "SHOP", status: "BROKEN" }, { hostName: "h", app: "SHOP", instanceId: "good" }];
    const text = JSON.stringify({ applications: { application: [null, { name: "SHOP", instance: instances }] } });
    expect(reader.read(text, "soon", NOW)?.map(({ instance }) => instance.instanceId)).toEqual(["good"]);
  });
});

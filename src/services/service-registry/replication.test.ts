/** Registries that replicate to each other, over a net that can be cut. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { clientOf, presentIn, RegistryNet } from "../../../test/registry-net.ts";
import { PEER_BATCH_BYTES_MAX, PEER_BATCH_OPERATIONS_MAX, PEER_RETRY_MS_MAX } from "../../limits/registry.ts";
import type { RegistryNode } from "./node.ts";

interface Pair {
  readonly net: RegistryNet;
  readonly a: RegistryNode;
  readonly b: RegistryNode;
}
async function pair(): Promise<Pair> {
  const net = new RegistryNet();
  return { net, a: await net.start("a", ["b"]), b: await net.start("b", ["a"]) };
}
const change = { dirtyAt: null, from: "client" } as const;

/** A client does what Eureka's clients do: it renews at its registry, and registers again when it is told to. */
function beat(node: RegistryNode, id: string, net: RegistryNet): void {
  if (node.registry.renew("SHOP", id, net.now) === "unknown") node.registry.register(clientOf(id, net.now), net.now);
}
async function beats(net: RegistryNet, seconds: number, homes: Readonly<Record<string, () => RegistryNode>>): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    for (const [id, home] of Object.entries(homes)) beat(home(), id, net);
    await net.pass(1_000);
  }
}

describe("what a client does at one registry", () => {
  test("is known to the other one within a beat: register, renew, status, metadata, cancel", async () => {
    const { net, a, b } = await pair();
    const other = () => b.registry.find("SHOP", "i");
    a.registry.register(clientOf("i", net.now), net.now);
    await net.pass(100);
    expect(other()?.instance).toEqual(a.registry.find("SHOP", "i")?.instance);
    await net.pass(1_000);
    a.registry.renew("SHOP", "i", net.now);
    await net.pass(100);
    expect(other()?.renewedAt).toBe(net.now);
    a.registry.setStatus("SHOP", "i", "OUT_OF_SERVICE", net.now, change);
    await net.pass(100);
    expect(other()?.instance).toMatchObject({ status: "OUT_OF_SERVICE", override: "OUT_OF_SERVICE" });
    a.registry.clearStatus("SHOP", "i", "UP", net.now, change);
    a.registry.addMetadata("SHOP", "i", { zone: "z" }, net.now);
    await net.pass(200);
    expect(other()?.instance).toMatchObject({ status: "UP", override: null, metadata: { zone: "z" } });
    a.registry.cancel("SHOP", "i", net.now);
    await net.pass(100);
    expect(other()).toBeNull();
  });

  test("is passed on once, marked as a replica, and never comes back", async () => {
    const { net, a } = await pair();
    a.registry.register(clientOf("i", net.now), net.now);
    await net.pass(1_000);
    const posts = net.requests.filter(({ method }) => method === "POST");
    expect(posts.map(({ url }) => url)).toEqual(["http://b/eureka/peerreplication/batch/"]);
    expect(posts[0]?.headers).toMatchObject({ "x-netflix-discovery-replication": "true" });
  });

  test("many times before the next beat is one message, and as it is at last", async () => {
    const { net, a, b } = await pair();
    a.registry.register(clientOf("i", net.now, { hostName: "old" }), net.now);
    a.registry.cancel("SHOP", "i", net.now);
    a.registry.register(clientOf("i", net.now, { hostName: "new" }), net.now);
    for (let times = 0; times < 10; times += 1) a.registry.renew("SHOP", "i", net.now);
    a.registry.register(clientOf("gone", net.now), net.now);
    a.registry.cancel("SHOP", "gone", net.now);
    await net.pass(1_000);
    expect(net.requests.filter(({ method }) => method === "POST")).toHaveLength(1);
    expect(b.registry.leases().map(({ instance }) => instance.hostName)).toEqual(["new"]);
  });

  test("ends with the cancellation also when the instance comes back before the next beat: nothing of before is left", async () => {
    const { net, a, b } = await pair();
    a.registry.register(clientOf("i", net.now), net.now);
    a.registry.setStatus("SHOP", "i", "OUT_OF_SERVICE", net.now, change);
    await net.pass(100);
    expect(presentIn(b, net.now)).toEqual(["i OUT_OF_SERVICE"]);
    a.registry.cancel("SHOP", "i", net.now);
    a.registry.register(clientOf("i", net.now), net.now);
    await net.pass(100);
    expect([a, b].map((node) => presentIn(node, net.now))).toEqual([["i UP"], ["i UP"]]);
  });

  test("for more instances than one message holds goes in several, each within its bounds", async () => {
    const { net, a, b } = await pair();
    const count = PEER_BATCH_OPERATIONS_MAX * 2;
    const metadata = { note: "ü".repeat(2_048), more: "<".repeat(2_048) };
    for (let index = 0; index < count; index += 1) a.registry.register(clientOf(`i${index}`, net.now, { metadata }), net.now);
    await net.pass(2_000);
    expect(b.registry.leases()).toHaveLength(count);
    const sizes = net.requests.flatMap(({ body }) => (body === null ? [] : [new TextEncoder().encode(body).length]));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(PEER_BATCH_BYTES_MAX);
    expect(sizes.length).toBeGreaterThan(2);
  });
});

describe("of two states of one instance", () => {
  test("the newer one stays on both sides, whoever tells the other", async () => {
    for (const [atA, atB] of [
      [10, 20],
      [20, 10],
    ] as const) {
      const { net, a, b } = await pair();
      net.isCut = true;
      a.registry.register(clientOf("i", net.now, { dirtyAt: atA, hostName: `of ${atA}` }), net.now);
      b.registry.register(clientOf("i", net.now, { dirtyAt: atB, hostName: `of ${atB}` }), net.now);
      net.isCut = false;
      await net.pass(500);
      expect([a, b].map(({ registry }) => registry.find("SHOP", "i")?.instance.hostName)).toEqual(["of 20", "of 20"]);
    }
  });

  test("the newer one comes back with the answer to a renewal of the older one", async () => {
    const { net, a, b } = await pair();
    b.registry.register(clientOf("i", net.now, { dirtyAt: 20, hostName: "new" }), net.now, "peer");
    a.registry.register(clientOf("i", net.now, { dirtyAt: 10, hostName: "old" }), net.now, "peer");
    a.registry.renew("SHOP", "i", net.now);
    await net.pass(200);
    expect(a.registry.find("SHOP", "i")?.instance.hostName).toBe("new");
  });
});

describe("a registry that was away", () => {
  test("for a moment misses nothing: what it did not take is told again with what has come since", async () => {
    const { net, a, b } = await pair();
    a.registry.register(clientOf("kept", net.now, { leaseSeconds: 90 }), net.now);
    a.registry.register(clientOf("cancelled", net.now, { leaseSeconds: 90 }), net.now);
    await net.pass(100);
    net.isCut = true;
    a.registry.cancel("SHOP", "cancelled", net.now);
    a.registry.setStatus("SHOP", "kept", "OUT_OF_SERVICE", net.now, change);
    await net.pass(1_000);
    net.isCut = false;
    await net.pass(2_000);
    expect(presentIn(b, net.now)).toEqual(["kept OUT_OF_SERVICE"]);
    expect(net.reports).toEqual([]);
  });

  test("is not told late of who has lapsed meanwhile: nobody's lease begins anew", async () => {
    const { net, a, b } = await pair();
    a.registry.register(clientOf("i", net.now, { leaseSeconds: 1 }), net.now);
    await net.pass(100);
    net.isCut = true;
    a.registry.renew("SHOP", "i", net.now);
    await net.pass(1_400);
    net.isCut = false;
    await net.pass(1_000);
    expect([presentIn(b, net.now), a.registry.leases().length]).toEqual([[], 1]);
  });

  test("for long is told everything that has not lapsed, and an operator hears of both", async () => {
    const { net, a, b } = await pair();
    net.isCut = true;
    a.registry.register(clientOf("kept", net.now, { leaseSeconds: 90, override: "OUT_OF_SERVICE" }), net.now);
    a.registry.register(clientOf("lapsed", net.now), net.now);
    // Of which the other one has an older word.
    a.registry.register(clientOf("newer", net.now, { leaseSeconds: 90, override: "OUT_OF_SERVICE" }), net.now);
    b.registry.register(clientOf("newer", net.now, { leaseSeconds: 90, override: "UP" }), net.now, "peer");
    await net.pass(60_000);
    expect(net.reports).toEqual(["a: the registry http://b/eureka does not answer (no way there); it is tried again"]);
    net.isCut = false;
    await net.pass(PEER_RETRY_MS_MAX + 100);
    expect(presentIn(b, net.now)).toEqual(["kept OUT_OF_SERVICE", "newer OUT_OF_SERVICE"]);
    expect(b.registry.find("SHOP", "lapsed")).toBeNull();
    expect(net.reports.at(-1)).toBe("a: the registry http://b/eureka is back");
  });

  test("and is started again knows, before it answers, what the other one knows; leases go on where they stand", async () => {
    const { net, a } = await pair();
    a.registry.register(clientOf("i", net.now), net.now);
    a.registry.register(clientOf("lapsed", net.now - 5_000), net.now - 5_000);
    net.kill("b");
    await net.pass(2_000);
    const b = await net.start("b", ["a"]);
    expect(b.registry.leases().map(({ instance }) => instance.instanceId)).toEqual(["i"]);
    expect(b.registry.find("SHOP", "i")?.renewedAt).toBe(a.registry.find("SHOP", "i")?.renewedAt as number);
    await net.pass(1_000);
    expect(presentIn(b, net.now)).toEqual([]);
  });

  test("and comes back with nothing, because nobody answered when it started, learns who is there by their renewals", async () => {
    const { net, a } = await pair();
    a.registry.register(clientOf("i", net.now, { leaseSeconds: 90 }), net.now);
    await net.pass(100);
    net.isCut = true;
    const b = await net.start("b", ["a"]);
    net.isCut = false;
    expect(b.registry.leases()).toEqual([]);
    a.registry.renew("SHOP", "i", net.now);
    await net.pass(300);
    expect(presentIn(b, net.now)).toEqual(["i UP"]);
  });

  test("has not lost an operator's word when the instance's own registry is the one that was away", async () => {
    const net = new RegistryNet();
    let a = await net.start("a", ["b"]);
    const b = await net.start("b", ["a"]);
    await beats(net, 2, { i: () => a });
    b.registry.setStatus("SHOP", "i", "OUT_OF_SERVICE", net.now, change);
    await net.pass(100);
    net.kill("a");
    a = await net.start("a", ["b"]);
    await beats(net, 3, { i: () => a });
    expect([a, b].map((node) => presentIn(node, net.now))).toEqual([["i OUT_OF_SERVICE"], ["i OUT_OF_SERVICE"]]);
  });
});

test("what is told twice, because an answer got lost, changes nothing more", async () => {
  const { net, a, b } = await pair();
  net.losesAnswers = true;
  a.registry.register(clientOf("i", net.now, { leaseSeconds: 90 }), net.now);
  a.registry.register(clientOf("gone", net.now, { leaseSeconds: 90 }), net.now);
  await net.pass(300);
  a.registry.cancel("SHOP", "gone", net.now);
  await net.pass(500);
  net.losesAnswers = false;
  await net.pass(5_000);
  expect(presentIn(b, net.now)).toEqual(["i UP"]);
});

test("a peer that answers with anything else is one that does not answer", async () => {
  const net = new RegistryNet();
  const a = await net.start("a", ["b", "b/elsewhere"]);
  await net.start("b", []);
  a.registry.register(clientOf("i", net.now, { leaseSeconds: 90 }), net.now);
  await net.pass(10_000);
  expect(net.reports).toEqual(["a: the registry http://b/elsewhere/eureka does not answer (status 404); it is tried again"]);
});

const event = fc.oneof(
  fc.record({ kind: fc.constant("cut"), id: fc.nat(3) }),
  fc.record({ kind: fc.constant("mend"), id: fc.nat(3) }),
  fc.record({ kind: fc.constant("come"), id: fc.nat(3) }),
  fc.record({ kind: fc.constant("cancel"), id: fc.nat(3) }),
  fc.record({ kind: fc.constant("die"), id: fc.nat(3) }),
  fc.record({ kind: fc.constant("move"), id: fc.nat(3) }),
  fc.record({ kind: fc.constant("restart"), id: fc.nat(3) }),
);

test("whatever is cut, dies, moves or starts again: when the net is whole, both soon know exactly who is there", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 12 }), async (events) => {
      const net = new RegistryNet();
      const nodes = [await net.start("a", ["b"]), await net.start("b", ["a"])] as [RegistryNode, RegistryNode];
      const homes: Record<string, () => RegistryNode> = {};
      const home = (id: number, at: number) => {
        homes[`i${id}`] = () => nodes[at % 2] as RegistryNode;
      };
      for (const { kind, id } of events) {
        const name = `i${id}`;
        if (kind === "cut" || kind === "mend") net.isCut = kind === "cut";
        else if (kind === "come") home(id, id);
        else if (kind === "move" && homes[name]) home(id, id + 1);
        else if (kind === "restart") nodes[id % 2] = await net.start(["a", "b"][id % 2] as string, [["b", "a"][id % 2] as string]);
        else {
          if (kind === "cancel") homes[name]?.().registry.cancel("SHOP", name, net.now);
          delete homes[name];
        }
        await beats(net, 1, homes);
      }
      net.isCut = false;
      // The longest wait before a peer is tried again, and a lease that nobody renews.
      await beats(net, PEER_RETRY_MS_MAX / 1_000 + 4, homes);
      const there = Object.keys(homes)
        .map((id) => `${id} UP`)
        .toSorted();
      expect(nodes.map((node) => presentIn(node, net.now))).toEqual([there, there]);
    }),
    { numRuns: 60, seed: 20_261_122 },
  );
}, 60_000);

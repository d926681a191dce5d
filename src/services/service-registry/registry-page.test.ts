/** The registry's page: what it shows, to whom in which language, and that nothing on it runs or comes from elsewhere. */
import { describe, expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { clientOf, RegistryNet } from "../../../test/registry-net.ts";
import type { HttpReply } from "../../core/endpoint.ts";
import { REGISTRY_PAGE_ROWS_MAX } from "../../limits/registry.ts";
import type { RegistryNode } from "./node.ts";

async function pageOf(node: RegistryNode, language: string | null = null): Promise<{ readonly text: string; readonly headers: Headers }> {
  const route = node.routes().find(({ endpoint }) => endpoint.path === "/" && endpoint.method === "GET");
  const asked = { params: {}, query: {}, body: null, headers: { get: () => language }, peer: () => "" };
  const { status, body, headers } = (await route?.handle(asked)) ?? ({} as HttpReply);
  expect(status).toBe(200);
  return { text: body as string, headers: new Headers(headers) };
}
const openNode = async (): Promise<{ net: RegistryNet; node: RegistryNode }> => {
  const net = new RegistryNet();
  return { net, node: await net.start("a", ["b"]) };
};
const change = { dirtyAt: null, from: "client" } as const;

describe("the page", () => {
  test("shows every instance with the age of its lease, who has lapsed, and whom an operator has taken out", async () => {
    const { net, node } = await openNode();
    node.registry.register(clientOf("fresh", net.now - 2_000), net.now - 2_000);
    node.registry.register(clientOf("lapsed", net.now - 7_000), net.now - 7_000);
    node.registry.register(clientOf("out", net.now), net.now);
    node.registry.setStatus("SHOP", "out", "OUT_OF_SERVICE", net.now, change);
    const { text } = await pageOf(node);
    for (const shown of ["Instances (3)", "fresh", "renewed 2 s ago, holds 3 s", "lapsed 4 s ago", "out of service (set by an operator)"]) {
      expect(text).toContain(shown);
    }
  });

  test("says whether anybody is evicted, and by which figures", async () => {
    const { net, node } = await openNode();
    for (let index = 0; index < 10; index += 1) node.registry.register(clientOf(`i${index}`, net.now, { renewalSeconds: 30 }), net.now);
    for (let index = 0; index < 17; index += 1) node.registry.renew("SHOP", `i${index % 10}`, net.now);
    expect((await pageOf(node)).text).toMatch(/On\. .*<dd>17<\/dd>.*<dd>17<\/dd>/s);
    node.registry.renew("SHOP", "i0", net.now);
    expect((await pageOf(node)).text).toMatch(/Off\. .*<dd>18<\/dd>.*<dd>17<\/dd>/s);
  });

  test("shows each peer, whether it answers, and what it has yet to hear", async () => {
    const { net, node } = await openNode();
    expect((await pageOf(node)).text).toMatch(/http:\/\/b\/eureka.*answers.*<span>0<\/span>/s);
    node.registry.register(clientOf("i", net.now, { leaseSeconds: 90 }), net.now);
    await net.pass(200);
    expect((await pageOf(node)).text).toMatch(/http:\/\/b\/eureka.*does not answer.*<span>1<\/span>/s);
    await net.pass(10_000);
    expect((await pageOf(node)).text).toMatch(/http:\/\/b\/eureka.*does not answer.*everything/s);
  });

  test("speaks Chinese to whoever prefers it, and names its language", async () => {
    const { node } = await openNode();
    const [chinese, english] = [await pageOf(node, "zh-CN,zh;q=0.9"), await pageOf(node, "de")];
    expect(chinese.text).toContain('<html lang="zh">');
    expect(chinese.text).toContain("服务注册中心");
    expect(chinese.text).not.toMatch(/Service registry|Self-preservation/);
    expect(english.text).toContain('<html lang="en">');
    expect(chinese.headers.get("vary")).toBe("accept-language");
  });

  test("shows what an instance calls itself as text, whatever that is", async () => {
    const { net, node } = await openNode();
    const hostile = `"><script>alert(1)</script>`;
    node.registry.register(clientOf(hostile, net.now, { app: hostile.toUpperCase(), hostName: hostile }), net.now);
    const { text } = await pageOf(node);
    expect(text).not.toMatch(/<script/i);
    expect(text).toContain("&quot;&gt;&lt;script&gt;");
  });

  test("has nothing that runs and nothing from elsewhere; its one style sheet is the one that its policy allows", async () => {
    const { node } = await openNode();
    const { text, headers } = await pageOf(node);
    const [, style = ""] = /<style>([\s\S]*?)<\/style>/.exec(text) ?? [];
    const hash = createHash("sha256").update(style).digest("base64");
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toStartWith(`default-src 'none'; style-src 'sha256-${hash}';`);
    expect(policy).not.toMatch(/unsafe|https?:|script-src|\*/);
    expect(text.replaceAll("http://b/eureka", "")).not.toMatch(/https?:|\sstyle=|\son\w+=/);
  });

  test("stays short: further instances are counted", async () => {
    const { net, node } = await openNode();
    for (let index = 0; index < REGISTRY_PAGE_ROWS_MAX + 7; index += 1) node.registry.register(clientOf(`i${index}`, net.now), net.now);
    const { text } = await pageOf(node);
    expect(text).toContain("7 more are not shown");
    expect(text.match(/<tr>/g)?.length).toBeLessThan(REGISTRY_PAGE_ROWS_MAX + 10);
  });
});

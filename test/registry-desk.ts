/** A registry behind HTTP for tests: its clock is moved by hand, and every fault of ours is kept. */
import { HttpServer } from "../src/edge/http-server.ts";
import { routes } from "../src/services/service-registry/routes.ts";
import { ServiceRegistry } from "../src/services/service-registry/service.ts";

type Headers = Readonly<Record<string, string>>;

export class RegistryDesk {
  readonly registry = new ServiceRegistry(50);
  readonly bugs: unknown[] = [];
  now = 1_800_000_000_000;
  readonly #server = new HttpServer({
    host: "127.0.0.1",
    port: 0,
    routes: routes(this.registry, { now: () => this.now, monotonicUs: () => 0 }),
    adminKey: "an-admin-key-of-ours",
    onBug: (error) => this.bugs.push(error),
    onReply: () => undefined,
  });

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  /** Nobody is registered any more, and no test sees in the delta what another has done. */
  clear(): void {
    for (const { instance } of this.registry.leases()) this.registry.cancel(instance.app, instance.instanceId, this.now);
    this.now += 180_000;
  }

  call(method: string, path: string, body?: unknown, headers: Headers = {}): Promise<Response> {
    return fetch(`http://127.0.0.1:${this.#server.port}${path}`, {
      method,
      headers: { ...(body !== undefined && { "content-type": "application/json" }), ...headers },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
  }

  async getJson(path: string): Promise<unknown> {
    return (await this.call("GET", path, undefined, JSON_WANTED)).json();
  }

  async getXml(path: string): Promise<string> {
    return (await this.call("GET", path)).text();
  }

  async statusOf(method: string, path: string, body?: unknown, headers?: Headers): Promise<number> {
    return (await this.call(method, path, body, headers)).status;
  }

  registerShop(extra: object = {}): Promise<number> {
    return this.statusOf("POST", "/eureka/apps/SHOP", { instance: { ...shop, ...extra } });
  }
}

export const JSON_WANTED = { accept: "application/json" };

export const shop = {
  instanceId: "10.0.0.1:shop:8080",
  hostName: "10.0.0.1",
  app: "Shop",
  ipAddr: "10.0.0.1",
  status: "UP",
  port: { $: 8080, "@enabled": "true" },
  vipAddress: "shop,shop.internal",
  secureVipAddress: "shop-tls",
  dataCenterInfo: { "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", name: "MyOwn" },
  sid: "na",
  countryId: 1,
};
export const shopXml = `<?xml version="1.0" encoding="UTF-8"?>
<instance>
  <instanceId>10.0.0.1:shop:8080</instanceId><hostName>10.0.0.1</hostName><app>Shop</app><ipAddr>10.0.0.1</ipAddr><sid>na</sid>
  <status>UP</status><port enabled="true">8080</port><countryId>1</countryId><vipAddress>shop,shop.internal</vipAddress>
  <secureVipAddress>shop-tls</secureVipAddress>
  <dataCenterInfo class="com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo"><name>MyOwn</name></dataCenterInfo>
  <leaseInfo/><metadata class="java.util.Collections$EmptyMap"/>
</instance>`;
export const shopId = encodeURIComponent(shop.instanceId);
/** The address of that instance. */
export const one = `/eureka/apps/SHOP/${shopId}`;

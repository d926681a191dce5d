/** The part of the library that our tests use; it has no types of its own. */
declare module "eureka-js-client" {
  type Done = (error?: Error | null) => void;
  type Log = (...what: readonly unknown[]) => void;

  export class Eureka {
    constructor(config: {
      readonly shouldUseDelta: boolean;
      readonly logger: { readonly warn: Log; readonly info: Log; readonly debug: Log; readonly error: Log };
      readonly instance: Readonly<Record<string, unknown>>;
      readonly eureka: Readonly<Record<string, unknown>>;
    });
    start(done: Done): void;
    stop(done: Done): void;
    once(event: string, listener: () => void): void;
    getInstancesByAppId(app: string): readonly Readonly<Record<string, unknown>>[];
    getInstancesByVipAddress(vip: string): readonly { readonly instanceId: string }[];
  }
}

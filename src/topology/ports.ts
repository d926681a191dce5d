/** The port of each service; `--port-offset` is added to all of them. */
export const PORTS = {
  GateKeeper: 8080,
  SafeProtector: 8081,
  PolicyController: 8082,
  InventoryManager: 8083,
  ShoppingCart: 8084,
  ServiceRegistry: 8761,
} as const;

export type PortName = keyof typeof PORTS;

/** What each service says of itself above its API. */
export const JOBS: Readonly<Record<PortName, string>> = {
  GateKeeper: "The only public door: a purchase goes through the four services behind it, and a shopper finds here what is theirs.",
  SafeProtector: "Refuses blacklisted users and addresses.",
  PolicyController: "Who may buy how much, by user level and by sale; what each user has already ordered.",
  InventoryManager: "The goods, and how many are left.",
  ShoppingCart: "The cart: freezes stock on add, releases it on time.",
  ServiceRegistry: "Service discovery, in Eureka's protocol.",
};

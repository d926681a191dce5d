/** The port of each service; `--port-offset` is added to all of them. */
export const PORTS = {
  GateKeeper: 8080,
  SafeProtector: 8081,
  PolicyController: 8082,
  InventoryManager: 8083,
  ShoppingCart: 8084,
  ServiceRegistry: 8761,
  Console: 8090,
} as const;

export type PortName = keyof typeof PORTS;

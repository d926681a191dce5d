/** A port of this machine that nobody listens on, with room above it for a cluster's bus (port + 10,000). */
export function freePort(): number {
  for (;;) {
    const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data: () => undefined } });
    const { port } = server;
    server.stop(true);
    if (port < 55_000) return port;
  }
}

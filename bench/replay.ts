/**
 * Sends prepared requests, each once, over so many connections, in a process of its own. What a request costs to make has been paid before.
 *
 * Usage: `bun bench/replay.ts PORT CONNECTIONS FILE`; the file is a JSON array of requests as HTTP text. Prints one line of JSON.
 */
import { HttpLoadClient } from "../src/edge/http-load-client.ts";

async function replay(port: number, connections: number, requests: readonly string[]) {
  const total = { requests: 0, notOk: 0, broken: 0 };
  const client = await HttpLoadClient.open({ host: "127.0.0.1", port }, { connections, waitingMax: connections, replySecondsMax: 10 });
  let next = 0;
  await new Promise<void>((resolve) => {
    let busy = connections;
    const send = (): void => {
      const request = requests[next];
      if (request === undefined) {
        busy -= 1;
        if (busy === 0) resolve();
        return;
      }
      next += 1;
      client.send(request, (exchange) => {
        total.requests += 1;
        if (exchange.kind !== "reply") total.broken += 1;
        else if (exchange.status >= 300) total.notOk += 1;
        send();
      });
    };
    for (let connection = 0; connection < connections; connection += 1) send();
  });
  client.close();
  return total;
}

if (import.meta.main) {
  const [port, connections, file] = process.argv.slice(2) as [string, string, string];
  console.log(JSON.stringify(await replay(Number(port), Number(connections), (await Bun.file(file).json()) as string[])));
}

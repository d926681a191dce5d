/**
 * The two floors that every purchase is compared with: what Bun itself costs. `static` answers fixed bytes without running any
 * JavaScript; `bare` parses the JSON body of a purchase, looks at nothing, and answers the same fixed bytes. No server on Bun can be
 * cheaper than `static`, and none that reads its requests cheaper than `bare`.
 *
 * Usage: `bun bench/floor.ts static|bare REPLY_BYTES`. Prints `ready PORT`.
 */

function floorRoute(floor: string, replyBytes: number) {
  const reply = JSON.stringify({ repResult: true, fixed: "" });
  const text = reply.replace('""', `"${"x".repeat(Math.max(0, replyBytes - reply.length))}"`);
  const init = { headers: { "content-type": "application/json" } };
  if (floor === "static") return new Response(text, init);
  return {
    POST: async (request: Request): Promise<Response> => {
      await request.json();
      return new Response(text, init);
    },
  };
}

if (import.meta.main) {
  const [floor, replyBytes] = process.argv.slice(2);
  if ((floor !== "static" && floor !== "bare") || !(Number(replyBytes) > 0)) {
    console.error("usage: floor.ts static|bare REPLY_BYTES");
    process.exit(2);
  }
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", routes: { "/buy": floorRoute(floor, Number(replyBytes)) } });
  console.log(`ready ${server.port}`);
  process.on("SIGTERM", () => process.exit(0));
}

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KEYS_BYTES_MAX } from "../limits.ts";
import { fetchKeySet, readKeyFile } from "./key-text.ts";

let folder: string;
let server: ReturnType<typeof Bun.serve>;
const at = (path: string): string => `http://127.0.0.1:${server.port}${path}`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "doorbuster-keys-"));
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    routes: {
      "/keys": () => new Response('{"keys":[]}'),
      "/moved": () => Response.redirect(at("/keys"), 302),
      "/down": () => new Response("", { status: 500 }),
      "/long": () => new Response("x".repeat(KEYS_BYTES_MAX + 1)),
    },
  });
});

afterAll(async () => {
  await server.stop(true);
  rmSync(folder, { recursive: true });
});

describe("a key file", () => {
  test("is read whole, up to the bound", async () => {
    const path = join(folder, "key");
    writeFileSync(path, "x".repeat(KEYS_BYTES_MAX));
    expect(await readKeyFile(path)).toHaveLength(KEYS_BYTES_MAX);
    writeFileSync(path, "x".repeat(KEYS_BYTES_MAX + 1));
    await expect(readKeyFile(path)).rejects.toThrow(`it is longer than ${KEYS_BYTES_MAX} bytes`);
  });

  test("that is not there, or is a folder, is told with the system's code", async () => {
    await expect(readKeyFile(join(folder, "nothing"))).rejects.toThrow("it cannot be read (ENOENT)");
    await expect(readKeyFile(folder)).rejects.toThrow("it cannot be read (EISDIR)");
  });
});

describe("a key set's server", () => {
  test("is asked for its text", async () => {
    expect(await fetchKeySet(at("/keys"))).toBe('{"keys":[]}');
  });

  test("is not followed elsewhere", async () => {
    await expect(fetchKeySet(at("/moved"))).rejects.toThrow("answers with status 302");
  });

  test("that fails, says too much, or is not there is told", async () => {
    await expect(fetchKeySet(at("/down"))).rejects.toThrow("answers with status 500");
    await expect(fetchKeySet(at("/long"))).rejects.toThrow(`its answer is longer than ${KEYS_BYTES_MAX} bytes`);
    await expect(fetchKeySet("http://127.0.0.1:1/keys")).rejects.toThrow("http://127.0.0.1:1/keys does not answer");
  });
});

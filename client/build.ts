/**
 * `npm run client`: makes what is made of the client. Its types come from the gate's endpoints by way of their OpenAPI document; what browsers and
 * Node load, and what their compilers read, comes from its source.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { clientTypes } from "../src/api-description/client-types.ts";
import { openApiDocument } from "../src/api-description/openapi.ts";
import { withTokens } from "../src/core/endpoint.ts";
import { gateKeeperApi } from "../src/services/gate-keeper/api.ts";
import { shopperApi } from "../src/services/gate-keeper/shopper-api.ts";

const FOLDER = import.meta.dir;
const ROOT = dirname(FOLDER);
const TSC = join(ROOT, "node_modules/typescript/bin/tsc");
const BIOME = join(ROOT, "node_modules/@biomejs/biome/bin/biome");

/** The text of `api-types.ts`. */
export function apiTypes(): string {
  // With what answers a token too: the client knows gates of both kinds.
  const endpoints = [gateKeeperApi.buy, ...Object.values(shopperApi)].map(withTokens);
  const document = openApiDocument({ service: "GateKeeper", description: "", version: "" }, endpoints);
  // The document as a reader gets it: JSON.
  const text = clientTypes(JSON.parse(JSON.stringify(document)) as typeof document);
  return run([BIOME, "format", "--stdin-file-path=client/api-types.ts"], text);
}

/** What a development tool of ours prints. */
function run(command: readonly string[], input = ""): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, ...command], { cwd: ROOT, stdin: Buffer.from(input) });
  if (exitCode !== 0) throw new Error(`${command[0]}: ${stdout}${stderr}`);
  return stdout.toString();
}

/** The files of `lib`, by name. */
export async function library(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const built = await Bun.build({ entrypoints: [join(FOLDER, "doorbuster.ts")], target: "browser", format: "esm" });
  for (const output of built.outputs) files.set("doorbuster.js", await output.text());
  const folder = mkdtempSync(join(tmpdir(), "doorbuster-client-"));
  try {
    const options = ["--declaration", "--emitDeclarationOnly", "--target", "esnext", "--module", "preserve", "--types", "bun"];
    const strict = ["--strict", "--exactOptionalPropertyTypes", "--allowImportingTsExtensions"];
    run([TSC, "--ignoreConfig", ...options, ...strict, "--outDir", folder, join(FOLDER, "doorbuster.ts")]);
    for (const name of readdirSync(folder)) files.set(name, readFileSync(join(folder, name), "utf8"));
  } finally {
    rmSync(folder, { recursive: true });
  }
  return files;
}

if (import.meta.main) {
  writeFileSync(join(FOLDER, "api-types.ts"), apiTypes());
  mkdirSync(join(FOLDER, "lib"), { recursive: true });
  for (const [name, text] of await library()) writeFileSync(join(FOLDER, "lib", name), text);
}

/** Every endpoint that an `api.ts` declares, found by looking: a new table of routes is part of the tests of the API's description by itself. */
import { join } from "node:path";
import type { Endpoint } from "../src/core/endpoint.ts";

type Module = Readonly<Record<string, unknown>> & { readonly everywhere?: (relative: Endpoint) => Endpoint[] };

const SRC = join(import.meta.dir, "../src");

const isEndpoint = (value: unknown): value is Endpoint =>
  typeof value === "object" && value !== null && "method" in value && "path" in value && "replies" in value;

export async function declaredEndpoints(): Promise<Endpoint[]> {
  const found: Endpoint[] = [];
  for await (const file of new Bun.Glob("**/{api,*-api}.ts").scan(SRC)) {
    const module = (await import(join(SRC, file))) as Module;
    const values = Object.values(module).flatMap((value) =>
      isEndpoint(value) ? [value] : Object.values(Object(value)).filter(isEndpoint),
    );
    // Eureka's operations are declared once and served under several roots.
    found.push(...(module.everywhere ? values.flatMap(module.everywhere) : values));
  }
  return found;
}

/** Reads `deploy/compose.yaml` as Compose does: anchors merged, variables put in. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

export const DEPLOY = join(import.meta.dir, "../../deploy");
export const readDeployFile = (path: string): string => readFileSync(join(DEPLOY, path), "utf8");

type Condition = { readonly condition: "service_healthy" | "service_completed_successfully" | "service_started" };
type Network = { readonly ipv4_address?: string };

export interface ComposeService {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly user?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly env_file?: readonly string[];
  readonly ports?: readonly string[];
  readonly configs?: readonly { readonly source: string; readonly target: string }[];
  readonly volumes?: readonly string[];
  readonly secrets?: readonly unknown[];
  readonly networks?: readonly string[] | Readonly<Record<string, Network>>;
  readonly depends_on?: Readonly<Record<string, Condition>>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly restart?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly pids_limit?: number;
  readonly logging?: { readonly options: Readonly<Record<string, string>> };
  readonly stop_grace_period?: string;
  readonly deploy?: { readonly replicas?: number; readonly resources: { readonly limits: Readonly<Record<"cpus" | "memory", string>> } };
}

export interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly configs: Readonly<Record<string, { readonly file: string }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly networks: Readonly<
    Record<string, { readonly internal?: boolean; readonly ipam?: { readonly config: readonly { readonly subnet: string }[] } } | null>
  >;
}

/** `${NAME}`, `${NAME:-default}`, `${NAME:?message}`; `$$` is a dollar. */
const VARIABLE = /\$\$|\$\{(\w+)(?:(:[-?])([^}]*))?\}/g;

export interface Asked {
  readonly name: string;
  /** `null`: without it, nothing starts. */
  readonly fallback: string | null;
}

/** What the file asks of `.env`. */
export function variablesOf(text: string): Asked[] {
  return [...text.matchAll(VARIABLE)].flatMap(([, name, how, word]) =>
    name === undefined ? [] : [{ name, fallback: how === ":-" ? (word ?? "") : null }],
  );
}

/** @param given what stands in `.env` */
export function readCompose(given: Readonly<Record<string, string>>): Compose {
  const text = readDeployFile("compose.yaml");
  const filled = text.replaceAll(VARIABLE, (all, name: string | undefined, how: string | undefined, word: string | undefined) => {
    if (all === "$$") return "$";
    const value = given[name ?? ""] ?? (how === ":-" ? word : undefined);
    if (value === undefined || value === "") throw new Error(`compose.yaml asks for ${name}`);
    return value;
  });
  return parse(filled, { merge: true, maxAliasCount: -1 }) as Compose;
}

/** What `docker compose` needs to start, with values of the kind that `.env.example` asks for. */
export const SAMPLE_ENV = {
  ADMIN_KEY: "0123456789abcdef0123456789abcdef",
  REDIS_PASSWORD: "1123456789abcdef",
  POSTGRES_PASSWORD: "2123456789abcdef",
  GRAFANA_PASSWORD: "3123456789abcdef",
};

/** `NAME=value` lines; a line that is commented out is an example too. */
export function envLines(path: string, options: { readonly withExamples: boolean }): Record<string, string> {
  const line = options.withExamples ? /^#?([A-Z][A-Z0-9_]*)=(.*)$/gm : /^([A-Z][A-Z0-9_]*)=(.*)$/gm;
  return Object.fromEntries([...readDeployFile(path).matchAll(line)].map(([, name = "", value = ""]) => [name, value]));
}

export const networksOf = ({ networks }: ComposeService): Readonly<Record<string, Network>> =>
  Array.isArray(networks) ? Object.fromEntries(networks.map((name: string) => [name, {}])) : ((networks ?? {}) as Record<string, Network>);

/** Reads a Dockerfile and a .dockerignore as far as ours go: what else stands there is refused, so that no line is passed over in silence. */
import { DockerfileParser, type Instruction } from "dockerfile-ast";

export type Step =
  | { readonly kind: "workdir"; readonly path: string }
  | { readonly kind: "run"; readonly command: string }
  /** `from` is another stage, or `null`: the folder that is sent to the builder. */
  | { readonly kind: "copy"; readonly from: string | null; readonly sources: readonly string[]; readonly target: string };

export interface Stage {
  readonly base: string;
  readonly name: string;
  readonly steps: readonly Step[];
}

/** What `docker run` takes from the last stage. */
export interface ImageConfig {
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly healthCheck: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly ports: readonly number[];
  readonly user: string;
  readonly stopSignal: string;
}

export interface Image {
  readonly stages: readonly Stage[];
  readonly config: ImageConfig;
}

export function readDockerfile(text: string): Image {
  const instructions = DockerfileParser.parse(text).getInstructions();
  const starts = instructions.flatMap((instruction, i) => (instruction.getKeyword() === "FROM" ? [i] : []));
  const parts = starts.map((start, i) => instructions.slice(start, starts[i + 1] ?? instructions.length));
  const last = parts.at(-1);
  if (!last) throw new Error("the Dockerfile has no FROM");
  return { stages: parts.map(stageOf), config: configOf(last) };
}

function stageOf(instructions: readonly Instruction[], position: number): Stage {
  const [base = "", , name = String(position)] = wordsOf(instructions[0] as Instruction);
  return { base, name, steps: instructions.slice(1).flatMap((instruction) => stepOf(instruction)) };
}

/** What only describes the image, and changes nothing in it. */
const DESCRIBING = ["ARG", "LABEL", "ENV", "USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"];

function stepOf(instruction: Instruction): Step[] {
  const keyword = instruction.getKeyword();
  const words = wordsOf(instruction);
  const text = argumentsOf(instruction);
  if (DESCRIBING.includes(keyword)) return [];
  if (keyword === "WORKDIR") return [{ kind: "workdir", path: text }];
  if (keyword === "RUN" && !text.startsWith("[")) return [{ kind: "run", command: text }];
  if (keyword === "COPY" && words.length >= 2) {
    const flags = new Map(flagsOf(instruction));
    const unknown = [...flags.keys()].find((flag) => flag !== "from" && flag !== "chown");
    if (unknown !== undefined) throw new Error(`COPY --${unknown}: this check does not know it`);
    return [{ kind: "copy", from: flags.get("from") ?? null, sources: words.slice(0, -1), target: words.at(-1) as string }];
  }
  throw new Error(`${keyword} ${text}: this check does not know it`);
}

function configOf(instructions: readonly Instruction[]): ImageConfig {
  const all = (keyword: string) => instructions.filter((instruction) => instruction.getKeyword() === keyword);
  const textOf = (keyword: string): string => {
    const found = all(keyword).at(-1);
    if (!found) throw new Error(`the image has no ${keyword}`);
    return argumentsOf(found);
  };
  const list = (text: string): string[] => JSON.parse(text) as string[];
  const pairs = (keyword: string) =>
    Object.fromEntries(all(keyword).flatMap((instruction) => [...argumentsOf(instruction).matchAll(PAIR)].map(pairOf)));
  return {
    entrypoint: list(textOf("ENTRYPOINT")),
    command: list(textOf("CMD")),
    healthCheck: list(textOf("HEALTHCHECK").replace(/^CMD\s+/, "")),
    environment: pairs("ENV"),
    labels: pairs("LABEL"),
    volumes: list(textOf("VOLUME")),
    ports: textOf("EXPOSE").split(/\s+/).map(Number),
    user: textOf("USER"),
    stopSignal: textOf("STOPSIGNAL"),
  };
}

const PAIR = /([\w.]+)=(?:"([^"]*)"|(\S+))/g;
const pairOf = ([, name = "", quoted, bare]: RegExpMatchArray): [string, string] => [name, quoted ?? bare ?? ""];

const argumentsOf = (instruction: Instruction): string => instruction.getArgumentsContent() ?? "";
const wordsOf = (instruction: Instruction): string[] => argumentsOf(instruction).split(/\s+/);

function flagsOf(instruction: Instruction): [string, string][] {
  const { getFlags } = instruction as { getFlags?: () => readonly { getName(): string; getValue(): string | null }[] };
  return getFlags ? getFlags.call(instruction).map((flag) => [flag.getName(), flag.getValue() ?? ""]) : [];
}

/** Whether a file is sent to the builder: the last pattern that matches it, or a folder that it is in, decides. */
export function isSent(dockerignore: string, path: string): boolean {
  const parts = path.split("/");
  const itsFolders = parts.map((_, i) => parts.slice(0, i + 1).join("/"));
  let isIgnored = false;
  for (const line of dockerignore.split("\n").map((given) => given.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    const glob = new Bun.Glob(line.replace(/^!/, ""));
    if (itsFolders.some((folder) => glob.match(folder))) isIgnored = !line.startsWith("!");
  }
  return !isIgnored;
}

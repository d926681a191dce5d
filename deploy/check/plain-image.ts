/**
 * Builds the image without a container engine: each stage is a plain folder, and the Dockerfile's own lines are carried out in it. What the
 * base images bring (a shell, npm, glibc) comes from this machine.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { type ImageConfig, isSent, readDockerfile, type Stage, type Step } from "./dockerfile.ts";

export interface PlainImage {
  /** The folder that stands for `/` of the image. */
  readonly root: string;
  readonly workdir: string;
  readonly config: ImageConfig;
}

/** @param project what is sent to the builder  @param folder an empty folder, for the stages */
export function buildPlainImage(project: string, folder: string, say: (line: string) => void): PlainImage {
  const { stages, config } = readDockerfile(readFileSync(join(project, "deploy/Dockerfile"), "utf8"));
  const ignored = readFileSync(join(project, ".dockerignore"), "utf8");
  const roots = new Map<string, string>();
  let last = { root: folder, workdir: "/" };
  for (const stage of stages) {
    const root = join(folder, stage.name);
    roots.set(stage.name, root);
    last = { root, workdir: buildStage(stage, { root, roots, project, ignored, say }) };
  }
  return { ...last, config };
}

interface Building {
  readonly root: string;
  readonly roots: ReadonlyMap<string, string>;
  readonly project: string;
  readonly ignored: string;
  readonly say: (line: string) => void;
}

function buildStage(stage: Stage, building: Building): string {
  let workdir = "/";
  for (const step of stage.steps) {
    building.say(`[${stage.name}] ${described(step)}`);
    if (step.kind === "workdir") workdir = step.path;
    const here = join(building.root, workdir);
    mkdirSync(here, { recursive: true });
    if (step.kind === "run") run(step.command, here);
    if (step.kind === "copy") copy(step, here, building);
  }
  return workdir;
}

const described = (step: Step): string =>
  step.kind === "run"
    ? `RUN ${step.command}`
    : step.kind === "workdir"
      ? `WORKDIR ${step.path}`
      : `COPY ${step.sources.join(" ")} ${step.target}`;

function run(command: string, here: string): void {
  // npm needs a home for its cache; nothing else of our environment reaches a step.
  const { PATH = "/usr/bin:/bin", HOME = "/tmp" } = process.env;
  const done = Bun.spawnSync(["sh", "-ec", command], { cwd: here, env: { PATH, HOME }, stdout: "pipe", stderr: "pipe" });
  if (done.exitCode !== 0) throw new Error(`RUN ${command}: ended with ${done.exitCode}: ${done.stderr.toString()}`);
}

function copy({ from, sources, target }: Step & { kind: "copy" }, here: string, { root, roots, project, ignored }: Building): void {
  const stage = from === null ? null : roots.get(from);
  if (stage === undefined) throw new Error(`COPY --from=${from}: there is no such stage before`);
  for (const source of sources) {
    const origin = stage === null ? join(project, source) : join(stage, source);
    if (!existsSync(origin)) throw new Error(`COPY ${source}: it is not there`);
    const place = target.startsWith("/") ? join(root, target) : join(here, target);
    const isInto = target.endsWith("/") && !statSync(origin).isDirectory();
    for (const file of filesBelow(origin)) {
      const isFromProject = stage === null;
      if (isFromProject && !isSent(ignored, relative(project, file))) continue;
      const below = relative(origin, file);
      const copied = isInto ? join(place, basename(origin)) : join(place, below);
      mkdirSync(dirname(copied), { recursive: true });
      cpSync(file, copied);
    }
    // An empty folder is copied too.
    if (statSync(origin).isDirectory()) mkdirSync(place, { recursive: true });
  }
}

function filesBelow(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => join(entry.parentPath, entry.name));
}

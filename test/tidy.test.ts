/** The rules that keep the code readable, held by a machine (the end of the layers in ARCHITECTURE.md). */
import { describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, normalize, relative } from "node:path";

const root = dirname(import.meta.dir);
const filesOf = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(folder, name));
const read = (file: string): string => readFileSync(join(root, file), "utf8");
/** Source without comments and strings, so that a rule looks at code only. */
const codeOf = (file: string): string =>
  read(file)
    .replace(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*$/gm, "")
    .replace(/"(?:[^"\\\n]|\\.)*"/g, '""');

const isTest = (file: string): boolean =>
  /\.(test|many|faults)\.ts$/.test(file) || file.startsWith("src/ledger/suite/") || /ledger-suite|oracle/.test(file);
const sources = filesOf("src").filter((file) => !isTest(file));
const everything = [...filesOf("src"), ...filesOf("test"), ...filesOf("bench"), ...filesOf("deploy")];

/** From the bottom up. A file may import from its own layer and from those below it. */
const LAYERS: readonly (readonly RegExp[])[] = [
  [/^src\/limits(\.ts$|\/)/, /^src\/core\//],
  [/^src\/(ledger|tables)\//],
  [/^src\/(sales|events|trail|identity|payment|orders|links|api-description)\//],
  [/^src\/services\//, /^src\/purchase\.ts$/],
  [/^src\/traffic\//],
  [/^src\/settings\//],
  [
    /^src\/stampede\//,
    /^src\/console\//,
    /^src\/shop\//,
    /^src\/audit\//,
    /^src\/migrations\//,
    /^src\/greeting\.ts$/,
    /^src\/command-help\.ts$/,
    /^src\/decisions-command\.ts$/,
  ],
  [/^src\/topology\//, /^src\/topology\.ts$/],
  [/^src\/main\.ts$/],
];
const layerOf = (file: string): number => LAYERS.findIndex((patterns) => patterns.some((pattern) => pattern.test(file)));
/** A page runs in browsers, and stands for itself; what it reaches for there is in a folder of its own. */
const isPage = (file: string): boolean => /^src\/[^/]+\/page\//.test(file);
const isEdge = (file: string): boolean => file.startsWith("src/edge/") || /^src\/[^/]+\/page\/browser\//.test(file);

const importsOf = (file: string): string[] =>
  [...read(file).matchAll(/(?:from|import\()\s*"(\.[^"]+\.tsx?)"/g)].map((match) =>
    relative(root, normalize(join(root, dirname(file), match[1] as string))),
  );

describe("imports point downward", () => {
  test("every source file belongs to a layer", () => {
    expect(sources.filter((file) => !isEdge(file) && layerOf(file) < 0)).toEqual([]);
  });

  test("no file imports from a layer above its own", () => {
    const upward = sources.flatMap((file) =>
      importsOf(file)
        .filter((target) => !isEdge(file) && !isEdge(target) && layerOf(target) > layerOf(file))
        .map((target) => `${file} -> ${target}`),
    );
    expect(upward).toEqual([]);
  });

  test("the edge knows only the core, and is reached for only where everything is put together", () => {
    const wrong = sources
      .filter((file) => !isPage(file))
      .flatMap((file) =>
        importsOf(file)
          .filter((target) =>
            isEdge(file)
              ? !isEdge(target) && layerOf(target) > 0
              : isEdge(target) && !/^src\/(main\.ts$|topology\.ts$|topology\/)/.test(file),
          )
          .map((target) => `${file} -> ${target}`),
      );
    expect(wrong).toEqual([]);
  });

  test("the page that browsers get has nothing of the server in it", () => {
    const wrong = sources.filter(isPage).flatMap((file) =>
      importsOf(file)
        .filter((target) => !isPage(target) && !target.startsWith("client/"))
        .map((target) => `${file} -> ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  test("no service imports another service's code, but for the schemas in its api.ts", () => {
    const wrong = sources.flatMap((file) => {
      const service = /^src\/services\/([^/]+)\//.exec(file)?.[1];
      if (!service) return [];
      return importsOf(file)
        .filter(
          (target) => target.startsWith("src/services/") && !target.startsWith(`src/services/${service}/`) && !target.endsWith("/api.ts"),
        )
        .map((target) => `${file} -> ${target}`);
    });
    expect(wrong).toEqual([]);
  });
});

describe("what a file may do", () => {
  test("clocks, chance, timers and the environment are reached for in the edge only", () => {
    const reaching = /\b(Date\.now|Math\.random|process\.env|process\.hrtime|performance\.now|setTimeout|setInterval)\b/;
    expect(sources.filter((file) => !isEdge(file) && reaching.test(codeOf(file)))).toEqual([]);
  });

  test("no type is any, and no check is switched off", () => {
    const loose = /(: any\b|\bas any\b|<any>|any\[\]|@ts-ignore|@ts-expect-error|@ts-nocheck|biome-ignore)/;
    expect(everything.filter((file) => file !== "test/tidy.test.ts" && loose.test(read(file)))).toEqual([]);
  });

  test("no file is longer than 400 lines", () => {
    expect(
      everything.map((file) => `${file}: ${read(file).split("\n").length - 1}`).filter((line) => Number(line.split(": ")[1]) > 400),
    ).toEqual([]);
  });

  test("there are no barrels, no default exports, and no folders named for a kind of code", () => {
    expect(
      everything.filter((file) => /(^|\/)(utils?|helpers?|common|misc|controllers|models)(\/|\.ts$)|(^|\/)index\.ts$/.test(file)),
    ).toEqual([]);
    expect(everything.filter((file) => /^export (\*|\{[^}]*\} from|default)/m.test(codeOf(file)))).toEqual([]);
  });

  test("no test is skipped or left alone, and no test sleeps", () => {
    const tests = everything.filter((file) => /\.(test|many|faults)\.ts$/.test(file) && file !== "test/tidy.test.ts");
    expect(tests.filter((file) => /\b(test|describe|it)\.(only|skip|todo)\(|Bun\.sleep|setTimeout\(\s*resolve/.test(codeOf(file)))).toEqual(
      [],
    );
  });

  test("nothing happens at import: every module loads, prints nothing, writes nothing and lets the process end", async () => {
    const folder = mkdtempSync(join(tmpdir(), "doorbuster-import-"));
    try {
      const script = sources
        .filter((file) => !isPage(file))
        .map((file) => `await import(${JSON.stringify(join(root, file))});`)
        .join("\n");
      const child = Bun.spawn([process.execPath, "-e", script], { cwd: folder, stdout: "pipe", stderr: "pipe" });
      const [code, out, err] = await Promise.all([child.exited, new Response(child.stdout).text(), new Response(child.stderr).text()]);
      expect({ code, out, err }).toEqual({ code: 0, out: "", err: "" });
      expect(readdirSync(folder)).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 60_000);
});

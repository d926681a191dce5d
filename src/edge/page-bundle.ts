/**
 * A page's scripts and styles, put together by Bun's bundler when somebody asks for them for the first time: it takes some 15 ms, so that there is no step before
 * the start, and nothing in the repository that could differ from its sources.
 */
import { createHash } from "node:crypto";

export interface PageFile {
  readonly text: string;
  /** Changes with the text, and with nothing else. */
  readonly tag: string;
}
export interface PageBundle {
  readonly script: PageFile;
  readonly style: PageFile;
}

/** @param entry the path of the page's first script; what it imports is found from there
 *  @returns gives the same bundle every time. A bundle that fails rejects, and the next call tries again */
export function pageBundle(entry: string): () => Promise<PageBundle> {
  let bundle: Promise<PageBundle> | null = null;
  return () => {
    bundle ??= build(entry).catch((error: unknown) => {
      bundle = null;
      throw error;
    });
    return bundle;
  };
}

async function build(entry: string): Promise<PageBundle> {
  const { outputs } = await Bun.build({
    entrypoints: [entry],
    target: "browser",
    minify: true,
    define: { "process.env.NODE_ENV": '"production"' },
  });
  const textOf = async (ending: string): Promise<PageFile> => {
    const output = outputs.find(({ path }) => path.endsWith(ending));
    if (output === undefined) throw new Error(`${entry} has become no file that ends with ${ending}`);
    const text = await output.text();
    return { text, tag: createHash("sha256").update(text).digest("hex").slice(0, 16) };
  };
  return { script: await textOf(".js"), style: await textOf(".css") };
}

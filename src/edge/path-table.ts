/** Finds what stands at a path. Segments are compared as they came, still percent-encoded, so that `%2F` never splits one. */

import { assert } from "../core/assert.ts";

interface Entry<T> {
  readonly method: string;
  readonly path: string;
  readonly target: T;
}

interface Pattern<T> {
  /** A text stands for itself, an object for a parameter. */
  readonly segments: readonly (string | { readonly name: string })[];
  readonly methods: Map<string, T>;
}

export interface Found<T> {
  readonly methods: ReadonlyMap<string, T>;
  readonly params: Readonly<Record<string, string>>;
}

export class PathTable<T> {
  readonly #patterns = new Map<string, Pattern<T>>();
  /** By first segment, which is no parameter anywhere: only few patterns are looked at for a request. */
  readonly #byFirst = new Map<string, Pattern<T>[]>();

  constructor(entries: readonly Entry<T>[]) {
    for (const { method, path, target } of entries) {
      const pattern = this.#patterns.get(path) ?? this.#add(path);
      pattern.methods.set(method, target);
    }
  }

  /** The paths without parameters. */
  fixed(): [string, ReadonlyMap<string, T>][] {
    return [...this.#patterns].filter(([path]) => !path.includes("{")).map(([path, { methods }]) => [path, methods]);
  }

  /** The first declared path that fits. */
  find(path: string): Found<T> | null {
    const segments = path.split("/");
    for (const pattern of this.#byFirst.get(segments[1] ?? "") ?? []) {
      const params = match(pattern.segments, segments);
      if (params) return { methods: pattern.methods, params };
    }
    return null;
  }

  #add(path: string): Pattern<T> {
    const segments = path.split("/").map((segment) => (segment.startsWith("{") ? { name: segment.slice(1, -1) } : segment));
    const [, first] = segments;
    assert(typeof first === "string", "a path begins with a fixed segment");
    const pattern = { segments, methods: new Map<string, T>() };
    this.#patterns.set(path, pattern);
    this.#byFirst.set(first, [...(this.#byFirst.get(first) ?? []), pattern]);
    return pattern;
  }
}

function match(pattern: Pattern<unknown>["segments"], segments: readonly string[]): Record<string, string> | null {
  if (pattern.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (let i = 0; i < pattern.length; i += 1) {
    const wanted = pattern[i] as Pattern<unknown>["segments"][number];
    const given = segments[i] as string;
    if (typeof wanted !== "string" && given !== "") params[wanted.name] = given;
    else if (wanted !== given) return null;
  }
  return params;
}

/** Finds what stands at a path. Segments are compared as they came, still percent-encoded, so that `%2F` never splits one. */

interface Entry<T> {
  readonly method: string;
  readonly path: string;
  readonly target: T;
}

interface Pattern<T> {
  readonly segments: readonly string[];
  readonly methods: Map<string, T>;
}

export interface Found<T> {
  readonly methods: ReadonlyMap<string, T>;
  readonly params: Readonly<Record<string, string>>;
}

const parameterName = (segment: string): string | null => (segment.startsWith("{") ? segment.slice(1, -1) : null);

export class PathTable<T> {
  readonly #patterns = new Map<string, Pattern<T>>();

  constructor(entries: readonly Entry<T>[]) {
    for (const { method, path, target } of entries) {
      const pattern = this.#patterns.get(path) ?? { segments: path.split("/"), methods: new Map<string, T>() };
      pattern.methods.set(method, target);
      this.#patterns.set(path, pattern);
    }
  }

  /** The paths without parameters. */
  fixed(): [string, ReadonlyMap<string, T>][] {
    return [...this.#patterns].filter(([path]) => !path.includes("{")).map(([path, { methods }]) => [path, methods]);
  }

  /** The first declared path that fits. */
  find(path: string): Found<T> | null {
    const segments = path.split("/");
    for (const pattern of this.#patterns.values()) {
      const params = match(pattern.segments, segments);
      if (params) return { methods: pattern.methods, params };
    }
    return null;
  }
}

function match(pattern: readonly string[], segments: readonly string[]): Record<string, string> | null {
  if (pattern.length !== segments.length) return null;
  const params: Record<string, string> = {};
  for (let i = 0; i < pattern.length; i += 1) {
    const wanted = pattern[i] as string;
    const name = parameterName(wanted);
    const given = segments[i] as string;
    if (name !== null && given !== "") params[name] = given;
    else if (wanted !== given) return null;
  }
  return params;
}

/** What every part of the page has around it: the language, the time, the live figures, and a way to ask the services. */
import { createContext } from "preact";
import { useCallback, useContext, useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { SessionAnswer } from "./answers.ts";
import { type Asked, ask } from "./browser/ask.ts";
import { every, now } from "./browser/clock.ts";
import type { LiveConnection, LiveState } from "./browser/live-connection.ts";
import { formatsOf } from "./formats.ts";
import { type Language, type Tell, tellerOf } from "./texts/texts.ts";

export interface Surroundings {
  readonly language: Language;
  readonly live: LiveConnection;
  readonly session: SessionAnswer;
  readonly onSignedOut: () => void;
}

export const SurroundingsContext = createContext<Surroundings | null>(null);

export function useSurroundings(): Surroundings {
  const surroundings = useContext(SurroundingsContext);
  if (surroundings === null) throw new Error("a part of the page stands outside of it");
  return surroundings;
}

export function useTell(): Tell {
  const { language } = useSurroundings();
  return useMemo(() => tellerOf(language), [language]);
}

export function useFormats(): ReturnType<typeof formatsOf> {
  const { language } = useSurroundings();
  return useMemo(() => formatsOf(language), [language]);
}

/** The live figures, each time they change. */
export function useLive(): LiveState {
  const { live } = useSurroundings();
  const [state, setState] = useState(live.state);
  useEffect(() => {
    const take = (): void => setState(live.state);
    take();
    return live.listen(take);
  }, [live]);
  return state;
}

/** This browser's clock, in unix ms, read again every so often. */
export function useNow(everyMs: number): number {
  const [at, setAt] = useState(now);
  useEffect(() => every(everyMs, () => setAt(now())), [everyMs]);
  return at;
}

export type AskServices = <T>(method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: unknown) => Promise<Asked<T>>;

/** Asks the services. Who is not signed in any more sees the sign-in. */
export function useAsk(): AskServices {
  const { onSignedOut } = useSurroundings();
  return useCallback(
    async (method, path, body) => {
      const asked = await ask<never>(method, `api/${path}`, body);
      if (asked.kind === "signed-out") onSignedOut();
      return asked;
    },
    [onSignedOut],
  );
}

export interface Read<T> {
  /** `null`: not yet, or not available. What was read before stays while it is read again. */
  readonly value: T | null;
  /** What to ask for as `after` to go on behind the last row; `null`: there is no more. */
  readonly next: string | null;
  /** Why it could not be read the last time; `null`: it could. */
  readonly refusal: { readonly status: number; readonly detail: string } | null;
  readonly isReading: boolean;
  readonly again: () => Promise<void>;
}

/** What a service says at `path`, read when the page is opened, again when the path changes, and every so often. @param path `null`: nothing is read
 *  @param everyMs `null`: only when it is asked for */
export function useRead<T>(path: string | null, everyMs: number | null = null): Read<T> {
  const askServices = useAsk();
  const [state, setState] = useState<Omit<Read<T>, "again">>({ value: null, next: null, refusal: null, isReading: path !== null });
  const current = useRef(path);
  current.current = path;
  const again = useCallback(async (): Promise<void> => {
    if (path === null) return;
    const asked = await askServices<T>("GET", path);
    // Somebody has asked for something else meanwhile.
    if (current.current !== path) return;
    if (asked.kind === "answered") setState({ value: asked.value, next: asked.next, refusal: null, isReading: false });
    else if (asked.kind === "refused") setState((before) => ({ ...before, refusal: asked, isReading: false }));
  }, [path, askServices]);
  useEffect(() => {
    setState({ value: null, next: null, refusal: null, isReading: path !== null });
    void again();
    if (everyMs === null || path === null) return undefined;
    // Who does not look is told nothing: the page is read again when it is shown.
    const look = (): void => {
      if (!document.hidden) void again();
    };
    const stop = every(everyMs, look);
    document.addEventListener("visibilitychange", look);
    return () => {
      stop();
      document.removeEventListener("visibilitychange", look);
    };
  }, [again, everyMs, path]);
  return { ...state, again };
}

/**
 * The last 1, 10, 60 and 600 seconds. Events go into the second that runs; a second that is over is a part of its ten seconds, ten seconds that are
 * over are a part of their minute. So a window is a few spans put together, and the memory is that of some thirty spans.
 *
 * A window of 60 or 600 seconds hops: its oldest part leaves as a whole, so it covers all of its name, or up to ten (sixty) seconds less
 * (`coveredSeconds`).
 */
import { Summary } from "./summary.ts";

interface Span {
  /** In units of the level. */
  readonly number: number;
  readonly summary: Summary;
}

/** Seconds of a span on each level, and how many whole ones are kept besides the one that runs. */
const LEVELS = [
  { seconds: 1, kept: 10 },
  { seconds: 10, kept: 6 },
  { seconds: 60, kept: 10 },
] as const;

export const WINDOWS = [1, 10, 60, 600] as const;

export interface Window {
  readonly seconds: number;
  readonly coveredSeconds: number;
  readonly summary: Summary;
}

export class Windows {
  /** The newest last. */
  readonly #levels: Span[][] = LEVELS.map(() => []);
  /** By level: the spans of its window that are over, put together. */
  readonly #wholes: ({ readonly numbers: string; readonly summary: Summary } | undefined)[] = [];
  #running: Span | null = null;
  #firstSecond = 0;

  /** @param second what lies before the second that runs is counted in that: it came late */
  add(summary: Summary, second: number): void {
    this.advance(second);
    this.#running?.summary.merge(summary);
  }

  /** Time goes on. @returns the seconds that are over now, the oldest first */
  advance(second: number): readonly { readonly second: number; readonly summary: Summary }[] {
    if (this.#running === null) {
      this.#firstSecond = second;
      this.#running = { number: second, summary: new Summary() };
      return [];
    }
    if (second <= this.#running.number) return [];
    const over = { second: this.#running.number, summary: this.#running.summary };
    for (const [level, { seconds, kept }] of LEVELS.entries())
      this.#put(level, Math.floor(over.second / seconds), over.summary, kept, second);
    this.#running = { number: second, summary: new Summary() };
    return [over];
  }

  /** What was in the last 1, 10, 60 and 600 whole seconds. */
  windows(): readonly Window[] {
    const now = this.#running?.number ?? 0;
    return WINDOWS.map((seconds) => {
      const level = seconds <= 10 ? 0 : seconds === 60 ? 1 : 2;
      const unit = LEVELS[level]?.seconds ?? 1;
      const first = Math.floor((now - seconds) / unit) + (unit === 1 ? 0 : 1);
      const spans = (this.#levels[level] as Span[]).filter(({ number }) => number >= first);
      const summary = new Summary();
      if (unit === 1) for (const span of spans) summary.merge(span.summary);
      else {
        // All but the newest stay as they are for the length of a span.
        summary.merge(this.#whole(level, spans.slice(0, -1)));
        const newest = spans.at(-1);
        if (newest) summary.merge(newest.summary);
      }
      return { seconds, coveredSeconds: Math.max(0, now - Math.max(first * unit, this.#firstSecond)), summary };
    });
  }

  #whole(level: number, spans: readonly Span[]): Summary {
    const numbers = spans.map(({ number }) => number).join(" ");
    const known = this.#wholes[level];
    if (known?.numbers === numbers) return known.summary;
    const summary = new Summary();
    for (const span of spans) summary.merge(span.summary);
    this.#wholes[level] = { numbers, summary };
    return summary;
  }

  #put(level: number, number: number, summary: Summary, kept: number, now: number): void {
    const spans = this.#levels[level] as Span[];
    const last = spans.at(-1);
    if (last?.number === number) last.summary.merge(summary);
    else if (level === 0) spans.push({ number, summary });
    else {
      const own = new Summary();
      own.merge(summary);
      spans.push({ number, summary: own });
    }
    const oldest = Math.floor(now / (LEVELS[level]?.seconds ?? 1)) - kept;
    while ((spans[0]?.number ?? oldest) < oldest) spans.shift();
  }
}

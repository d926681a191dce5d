/** Times as a browser's field of time writes them: `2026-11-27T20:00:00`, by its own clock. Pure. */

export function localOf(at: number): string {
  const shifted = at - new Date(at).getTimezoneOffset() * 60_000;
  return new Date(shifted).toISOString().slice(0, 19);
}

export const isoOfLocal = (local: string): string => new Date(local).toISOString();

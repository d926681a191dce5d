/** What the page does again and again. */
import { useEffect, useState } from "preact/hooks";
import type { LiveBoard } from "../../../../client/doorbuster.ts";

/** How often an order that waits for its payment is looked at. */
const LOOK_MS = 2_000;

/** The server's clock, told anew at each of its seconds. */
export function useServerNow(board: LiveBoard | null): number {
  const [now, setNow] = useState(() => board?.serverNow() ?? Date.now());
  useEffect(() => {
    const clock = board?.serverNow ?? Date.now;
    let timer: ReturnType<typeof setTimeout>;
    const tick = (): void => {
      const at = clock();
      setNow(at);
      timer = setTimeout(tick, 1_000 - (at % 1_000) + 5);
    };
    tick();
    return () => clearTimeout(timer);
  }, [board]);
  return now;
}

/** Looks when the page is seen again, and while something is awaited; never while nobody looks at the page. */
export function useLooks(look: () => Promise<void>, isAwaiting: boolean): void {
  useEffect(() => {
    const lookIfSeen = (): void => void (document.hidden ? undefined : look());
    document.addEventListener("visibilitychange", lookIfSeen);
    const timer = isAwaiting ? setInterval(lookIfSeen, LOOK_MS) : undefined;
    return () => {
      document.removeEventListener("visibilitychange", lookIfSeen);
      clearInterval(timer);
    };
  }, [look, isAwaiting]);
}

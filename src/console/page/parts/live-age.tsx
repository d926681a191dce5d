/** Whether the figures are live, and how old they are. */
import { useLive, useNow, useTell } from "../surroundings.tsx";

const FRESH_MS = 2_500;

export function LiveAge() {
  const tell = useTell();
  const { message, receivedAt, isConnected } = useLive();
  const now = useNow(500);
  const ageMs = Math.max(0, now - receivedAt);
  const isFresh = isConnected && ageMs < FRESH_MS;
  const text = message === null ? tell("frame.connecting") : isConnected ? tell("frame.live") : tell("frame.lost");
  const age = message === null || isFresh ? null : tell("frame.liveAge", { seconds: Math.round(ageMs / 1_000) });
  return (
    <p class="live-age" data-state={isFresh ? "live" : message === null ? "waiting" : "late"}>
      <span class="dot" aria-hidden="true" />
      <span role="status">{text}</span>
      {age !== null && <span class="age">{age}</span>}
    </p>
  );
}

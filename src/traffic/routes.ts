/** Answers operators from the board. */
import { json, on, type Route } from "../core/endpoint.ts";
import type { Clock } from "../core/time.ts";
import { trafficApi as api } from "./api.ts";
import type { TrafficBoard } from "./board.ts";

export const trafficRoutes = (board: TrafficBoard, clock: Clock): Route[] => [
  on(api.now, () => json(board.now(clock.now()))),
  on(api.history, ({ query }) => json({ points: board.history(query.since ?? 0) })),
];

/**
 * When the gate's next turn may begin. Whatever a turn costs besides its purchases (a request over each link, a commit, a script) is paid once
 * for all of them; so while `TURNS_UNDER_WAY_MAX` turns are under way, whoever arrives waits and goes with the next one. Turns grow with the
 * crowd by themselves, and a purchase that comes to an idle gate waits for nobody.
 *
 * A turn that has been under way for `TURN_WAIT_MS_MAX` is not waited for any more: an instance that hangs holds up those who were in its turn,
 * and everybody else for that long once. Pure: it is told what time it is.
 */
import type { MonotonicUs } from "../../core/time.ts";
import { TURN_WAIT_MS_MAX, TURNS_UNDER_WAY_MAX } from "../../limits.ts";

export interface TurnUnderWay {
  readonly beganUs: MonotonicUs;
}

export class TurnPace {
  /** In the order in which they have begun. */
  readonly #underWay = new Set<TurnUnderWay>();

  began(nowUs: MonotonicUs): TurnUnderWay {
    const turn = { beganUs: nowUs };
    this.#underWay.add(turn);
    return turn;
  }

  ended(turn: TurnUnderWay): void {
    this.#underWay.delete(turn);
  }

  /** How long the next turn has to wait if none of those under way ends before; 0: it may begin. */
  waitUs(nowUs: MonotonicUs): number {
    const waitedFor: TurnUnderWay[] = [];
    for (const turn of this.#underWay) if (nowUs - turn.beganUs < 1_000 * TURN_WAIT_MS_MAX) waitedFor.push(turn);
    const first = waitedFor[waitedFor.length - TURNS_UNDER_WAY_MAX];
    return first === undefined ? 0 : first.beganUs + 1_000 * TURN_WAIT_MS_MAX - nowUs;
  }
}

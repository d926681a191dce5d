/** What happened to the crowd so far: how many heard what, how fast, who was promised goods, and what should not have been answered at all. */
import { build, type Histogram } from "hdr-histogram-js";
import type { UnixMs } from "../core/time.ts";

/** A buyer who was told that goods are frozen for them. */
export interface Winner {
  readonly userId: string;
  readonly quantity: number;
  readonly expiresAt: UnixMs;
}

/** The longest latency that is told apart. A longer one counts as this. */
const LATENCY_US_MAX = 600_000_000;
/** Faults shown word for word; the rest is counted. */
const FAULTS_SHOWN_MAX = 10;

export class Tally {
  /** First answers by what they said, in the order in which each was first heard. */
  readonly funnel = new Map<string, number>();
  /** From the scheduled arrival to the first answer. */
  readonly latencyUs: Histogram = build({ highestTrackableValue: LATENCY_US_MAX, numberOfSignificantValueDigits: 3 });
  readonly winners: Winner[] = [];
  /** Users who may or may not have goods frozen: no answer came, or one that leaves it open. */
  readonly undecided: string[] = [];
  readonly faults: string[] = [];
  faultCount = 0;
  arrived = 0;
  answered = 0;
  /** Arrivals that were sent later than they should have been: the generator, or its connections, could not keep up. */
  late = 0;
  notSent = 0;
  /** Buyers who asked again with the same key after an answer, and those of them who had been cut off before. */
  askedAgain = 0;
  askedAgainAfterCut = 0;
  gotSameReply = 0;
  /** People, not bots, who were told that they are blacklisted; some of them by name. */
  peopleBlocked = 0;
  readonly blockedNames: string[] = [];

  count(outcome: string): void {
    this.funnel.set(outcome, (this.funnel.get(outcome) ?? 0) + 1);
  }

  firstAnswer(outcome: string, latencyUs: number): void {
    this.answered += 1;
    this.count(outcome);
    this.latencyUs.recordValue(Math.min(LATENCY_US_MAX, Math.max(1, Math.round(latencyUs))));
  }

  blocked(userId: string): void {
    this.peopleBlocked += 1;
    if (this.blockedNames.length < FAULTS_SHOWN_MAX) this.blockedNames.push(userId);
  }

  fault(text: string): void {
    this.faultCount += 1;
    if (this.faults.length < FAULTS_SHOWN_MAX) this.faults.push(text);
  }
}

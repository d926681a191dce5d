/**
 * How many deliveries are under way over all webhooks, and whose turn is next.
 *
 * All webhooks share what the process may ask of the outside, and a receiver that hangs holds each of its slots until its time is over. So
 * senders take turns, one delivery each, and three rules keep those that hang from holding up the others:
 *
 * - a second slot goes to nobody as long as somebody else's first would be lost by it;
 * - senders whose receiver was silent the last time have a share of their own, and no more than that, however many they are;
 * - nor do they take somebody else's first slot.
 *
 * A webhook that is answered thus never waits for those that are not, as long as there are no more of them than the silent leave slots for;
 * and for one time-out at most, when more than that fall silent at once.
 */
import { WEBHOOK_DELIVERIES_MAX, WEBHOOK_SILENT_DELIVERIES_MAX } from "../limits.ts";

export interface Sender {
  /** The last delivery got no answer. */
  readonly isSilent: boolean;
  /** Its deliveries that are under way. */
  readonly underWay: number;
  /** Begins one delivery, whose promise resolves when it has ended and never rejects. `null`: nothing can be sent now. */
  sendNext(): Promise<void> | null;
}

export class DeliverySlots {
  readonly #senders = new Set<Sender>();
  /** Those who may have something to send, in the order of their turns. */
  readonly #wanting = new Set<Sender>();
  #taken = 0;
  #takenBySilent = 0;

  /** Deliveries under way. */
  get taken(): number {
    return this.#taken;
  }

  join(sender: Sender): void {
    this.#senders.add(sender);
  }

  leave(sender: Sender): void {
    this.#senders.delete(sender);
    this.#wanting.delete(sender);
  }

  /** `sender`, who has joined, may have something to send: from the next hand-out on it is asked in its turn, until it has nothing more. */
  want(sender: Sender): void {
    this.#wanting.add(sender);
  }

  /** Gives turns as long as there is room. Happens by itself when a delivery has ended. */
  handOut(): void {
    // Who had a turn is added again at the end, and the loop comes by there, too.
    for (const sender of this.#wanting) {
      if (this.#taken === WEBHOOK_DELIVERIES_MAX) return;
      const { isSilent } = sender;
      if (!this.#isRoomFor(sender)) continue;
      this.#wanting.delete(sender);
      const delivery = sender.sendNext();
      if (delivery === null) continue;
      this.#wanting.add(sender);
      this.#taken += 1;
      if (isSilent) this.#takenBySilent += 1;
      void delivery.finally(() => this.#giveBack(isSilent));
    }
  }

  #isRoomFor({ isSilent, underWay }: Sender): boolean {
    if (isSilent && this.#takenBySilent === WEBHOOK_SILENT_DELIVERIES_MAX) return false;
    const isFirst = !isSilent && underWay === 0;
    return isFirst || WEBHOOK_DELIVERIES_MAX - this.#taken > this.#keptFree();
  }

  /** Room for the first delivery of everybody who has none and is not silent. What silent ones may take at most is not kept from them. */
  #keptFree(): number {
    let firsts = 0;
    for (const { isSilent, underWay } of this.#senders) if (!isSilent && underWay === 0) firsts += 1;
    return Math.min(firsts, WEBHOOK_DELIVERIES_MAX - WEBHOOK_SILENT_DELIVERIES_MAX);
  }

  #giveBack(wasSilent: boolean): void {
    this.#taken -= 1;
    if (wasSilent) this.#takenBySilent -= 1;
    this.handOut();
  }
}

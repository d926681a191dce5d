/**
 * The board, live: pushed over a WebSocket; where none can be had, over server-sent events; where neither can, asked for every few seconds with
 * jitter, and not at all while nobody looks at the page. A way that has worked is taken again when it breaks, after a growing pause of chance,
 * so that a crowd does not come back as one; after a while of asking, pushing is tried anew.
 */
import type { Operations } from "./api-types.ts";
import { DoorbusterFailure, type Requests } from "./requests.ts";
import type { Channel, Surroundings } from "./surroundings.ts";

type Board = Operations["sales"]["replies"][200];
type Availability = Board["sales"][number]["items"][number]["availability"];

export interface LiveBoard {
  readonly sales: Board["sales"];
  /** The server's clock at this moment, in unix ms, for countdowns. */
  readonly serverNow: () => number;
  /** How it comes: `poll` is seconds old, the others are not. */
  readonly via: "socket" | "stream" | "poll";
}

type Left = Readonly<Record<string, Readonly<Record<string, Availability>>>>;
type Message =
  | { readonly kind: "board"; readonly board: Board }
  | { readonly kind: "left"; readonly serverNow: number; readonly left: Left }
  | { readonly kind: "ask"; readonly serverNow: number };

const WAYS = ["socket", "stream", "poll"] as const;
const POLL_MS = 3_000;
const POLLS_BEFORE_PUSH = 20;
const PAUSE_MS = 500;
const PAUSE_MS_MAX = 15_000;
/** How long a way may take to say something at first. */
const FIRST_WORD_MS_MAX = 10_000;
const ASK_SPREAD_MS = 2_000;

export class BoardFeed {
  readonly #url: string;
  readonly #requests: Requests;
  readonly #surroundings: Surroundings;
  readonly #onChange: (board: LiveBoard) => void;
  readonly #stopping = new AbortController();
  #sales: Board["sales"] | null = null;
  /** The server's clock less ours. */
  #offsetMs = 0;
  #via: LiveBoard["via"] = "socket";
  #isAsking = false;

  constructor(url: string, requests: Requests, surroundings: Surroundings, onChange: (board: LiveBoard) => void) {
    this.#url = `${url.replace(/\/+$/, "")}/live`;
    this.#requests = requests;
    this.#surroundings = surroundings;
    this.#onChange = onChange;
    void this.#follow();
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #follow(): Promise<void> {
    let way = 0;
    let failures = 0;
    while (!this.#isStopped()) {
      const via = WAYS[way] as LiveBoard["via"];
      this.#via = via;
      if (via === "poll") {
        await this.#pollForAWhile();
        way = 0;
        continue;
      }
      const hasWorked = await this.#listen(via);
      if (this.#isStopped()) return;
      failures = hasWorked ? 0 : failures + 1;
      if (!hasWorked) way += 1;
      const pauseMs = Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** failures);
      await this.#surroundings.wait(pauseMs * (0.5 + this.#surroundings.random()), this.#stopping.signal);
    }
  }

  /** Until the channel ends. @returns whether it has said anything */
  async #listen(via: "socket" | "stream"): Promise<boolean> {
    const ended = Promise.withResolvers<void>();
    let hasWorked = false;
    const onText = (text: string): void => {
      hasWorked = true;
      this.#take(JSON.parse(text) as Message);
    };
    const open = via === "socket" ? this.#surroundings.openSocket : this.#surroundings.openStream;
    const address = via === "socket" ? this.#url.replace(/^http/, "ws") : this.#url;
    const channel: Channel | null = open(address, { onText, onEnd: ended.resolve });
    if (channel === null) return false;
    const close = (): void => {
      channel.close();
      ended.resolve();
    };
    this.#stopping.signal.addEventListener("abort", close);
    // Some proxies take a connection and let nothing through.
    void this.#surroundings.wait(FIRST_WORD_MS_MAX, this.#stopping.signal).then(() => (hasWorked ? undefined : close()));
    await ended.promise;
    this.#stopping.signal.removeEventListener("abort", close);
    return hasWorked;
  }

  async #pollForAWhile(): Promise<void> {
    for (let polls = 0; polls < POLLS_BEFORE_PUSH && !this.#isStopped(); polls += 1) {
      if (!this.#surroundings.page?.hidden) await this.#ask();
      await this.#surroundings.wait(POLL_MS * (0.5 + this.#surroundings.random()), this.#stopping.signal);
    }
  }

  #take(message: Message): void {
    if (message.kind === "board") this.#show(message.board);
    else {
      this.#setClock(message.serverNow);
      if (message.kind === "ask") void this.#askSpread();
      else if (this.#sales) this.#tell(withLeft(this.#sales, message.left));
    }
  }

  /** All are told to ask at one moment, and do not. */
  async #askSpread(): Promise<void> {
    if (this.#isAsking) return;
    this.#isAsking = true;
    await this.#surroundings.wait(ASK_SPREAD_MS * this.#surroundings.random(), this.#stopping.signal);
    this.#isAsking = false;
    if (!this.#isStopped()) await this.#ask();
  }

  async #ask(): Promise<void> {
    try {
      const { status, body } = await this.#requests.send({ method: "GET", path: "/sales", attemptsMax: 1 });
      if (status === 200) this.#show(body as unknown as Board);
    } catch (error) {
      // No answer now: the next question comes.
      if (!(error instanceof DoorbusterFailure)) throw error;
    }
  }

  #show({ serverNow, sales }: Board): void {
    this.#setClock(serverNow);
    this.#tell(sales);
  }

  #setClock(serverNow: number): void {
    this.#offsetMs = serverNow - this.#surroundings.now();
  }

  #tell(sales: Board["sales"]): void {
    this.#sales = sales;
    const serverNow = (): number => this.#surroundings.now() + this.#offsetMs;
    if (!this.#isStopped()) this.#onChange({ sales, serverNow, via: this.#via });
  }

  #isStopped(): boolean {
    return this.#stopping.signal.aborted;
  }
}

function withLeft(sales: Board["sales"], left: Left): Board["sales"] {
  return sales.map((sale) => {
    const news = ownOf(left, sale.id);
    if (!news) return sale;
    return { ...sale, items: sale.items.map((item) => ({ ...item, availability: ownOf(news, item.goodsSKU) ?? item.availability })) };
  });
}

/** Ids are anybody's: one may be called as a property that every object has. */
const ownOf = <T>(of: Readonly<Record<string, T>>, name: string): T | undefined => (Object.hasOwn(of, name) ? of[name] : undefined);

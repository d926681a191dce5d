/** A thread of our own that does one thing when it is asked, off the thread that sells. It is started with the first question, and again after it has died. */
import { Worker } from "node:worker_threads";

/** What the thread tells: what came of it, or why nothing has. */
export type FromAskedThread = { readonly answer: unknown } | { readonly failed: string };

export class AskedThread<Answer> {
  readonly #entry: URL;
  readonly #data: unknown;
  #worker: Worker | null = null;
  #waiting: PromiseWithResolvers<Answer> | null = null;

  /** @param entry the thread's first file @param data what it is given at its start */
  constructor(entry: URL, data: unknown) {
    this.#entry = entry;
    this.#data = data;
  }

  /** One question at a time. Rejects when the thread dies over it. */
  ask(): Promise<Answer> {
    const waiting = this.#waiting ?? Promise.withResolvers<Answer>();
    if (this.#waiting === null) {
      this.#waiting = waiting;
      this.#worker ??= this.#start();
      this.#worker.postMessage("ask");
    }
    return waiting.promise;
  }

  close(): void {
    void this.#worker?.terminate();
    this.#worker = null;
    this.#end((waiting) => waiting.reject(new Error("it was closed")));
  }

  #start(): Worker {
    const worker = new Worker(this.#entry, { workerData: this.#data });
    // A process that is done does not wait for it.
    worker.unref();
    worker.on("message", (message: FromAskedThread) =>
      this.#end((waiting) => ("answer" in message ? waiting.resolve(message.answer as Answer) : waiting.reject(new Error(message.failed)))),
    );
    const died = (why: string): void => {
      if (this.#worker !== worker) return;
      this.#worker = null;
      this.#end((waiting) => waiting.reject(new Error(why)));
    };
    worker.on("error", (error) => died(String(error)));
    worker.on("exit", (code) => died(`its thread has ended (exit code ${code})`));
    return worker;
  }

  #end(settle: (waiting: PromiseWithResolvers<Answer>) => void): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting) settle(waiting);
  }
}

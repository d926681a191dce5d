/**
 * The instances of a service, as far as anybody knows: asked for again and again, and kept while nobody can say. That there is nobody at all is
 * not believed of a service that was known: a registry that has just been started again knows nobody yet, and to ask in vain costs nothing.
 */
export class Instances {
  readonly #look: () => Promise<readonly string[] | null>;
  #urls: readonly string[] = [];
  #looking: Promise<void> | null = null;

  /** @param look the base URLs that there are now; `null`: nobody could say. Does not reject */
  constructor(look: () => Promise<readonly string[] | null>) {
    this.#look = look;
  }

  /** The same array as before when nothing has changed. */
  readonly current = (): readonly string[] => this.#urls;

  /** Looks again; a look that is under way is the same look. */
  refresh(): Promise<void> {
    this.#looking ??= this.#look()
      .then((urls) => {
        if (urls !== null && urls.length > 0 && urls.join(" ") !== this.#urls.join(" ")) this.#urls = urls;
      })
      .finally(() => {
        this.#looking = null;
      });
    return this.#looking;
  }
}

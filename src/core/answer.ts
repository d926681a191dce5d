/** What a service in this process gives at once and a service behind a link gives later. `await` reads both. */
export type Answer<T> = T | Promise<T>;

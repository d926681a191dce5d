/** The settings of the stores that processes share, for the topologies of more than one: without them the store is a file of this process. */
import { list, type Parsed, type Setting, tested } from "./kinds.ts";

export interface StoreSettings {
  /** It can carry a password: never printed. */
  readonly postgres: string | null;
  /** As above. */
  readonly redis: readonly string[];
}

const urlOf =
  (protocols: readonly string[], fault: string) =>
  (given: string): Parsed<string> =>
    given.length <= URL_CHARS_MAX && URL.canParse(given) && protocols.includes(new URL(given).protocol) && new URL(given).hostname !== ""
      ? { value: given }
      : { fault };

const URL_CHARS_MAX = 2_000;
const postgresUrl = urlOf(["postgres:", "postgresql:"], "is no URL of a Postgres database");

export const postgres = tested<string, null>("postgres", "url", {
  parse: (given) => (/^[^?#]*\/\/[^/?#]*\/[^/?#]+/.test(given) ? postgresUrl(given) : { fault: "names no database" }),
  allowed: "postgres://USER:PASSWORD@HOST:PORT/DATABASE",
  fallback: null,
  defaultText: "none",
  help: "The Postgres database of orders, refunds, events and webhooks; better given as a variable or in the file, because flags are visible to other users of the machine.",
});
export const redis = list<string>("redis", "url", {
  parse: urlOf(["redis:", "rediss:"], "is no URL of a Redis server"),
  allowed: "redis://USER:PASSWORD@HOST:PORT of one server, or of some nodes of a cluster, separated by commas",
  help: "The Redis server or cluster of the ledger, the blacklist and the policies; better given as a variable or in the file, as above.",
});

export const STORE_SETTINGS: readonly Setting<unknown>[] = [postgres, redis];

export const storeSettingsFrom = (pick: <T>(setting: Setting<T>) => T): StoreSettings => ({ postgres: pick(postgres), redis: pick(redis) });

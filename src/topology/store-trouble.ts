/**
 * Why a store cannot be used, for the operator: what is wrong, and what to do next. Of the URLs, which have passwords in them, only host and port are
 * told. What the client of a store calls its errors is matched here and nowhere else; an error that nobody has thought of speaks for itself.
 */

export interface Store {
  readonly name: "Redis" | "Postgres";
  readonly urls: readonly string[];
}

const DEFAULT_PORTS = { Redis: "6379", Postgres: "5432" } as const;
const EXAMPLES = { Redis: "redis://USER:PASSWORD@HOST:6379", Postgres: "postgres://USER:PASSWORD@HOST:5432/DATABASE" } as const;

type Advice = (store: Store, where: string, flag: string) => string;
const REFUSED: Advice = ({ name }, where, flag) => `nobody listens at ${where}: start ${name} there, or say with ${flag} where it runs`;
const UNKNOWN_NAME: Advice = (_, where, flag) =>
  `the name in ${where} is not known: look for a slip in ${flag}, and whether the name server knows it`;

/** The first that fits counts. */
const ADVICE: readonly (readonly [RegExp, Advice])[] = [
  // SQLSTATE 28000 and 28P01: who we say that we are.
  [
    /NOAUTH|WRONGPASS|NOPERM|\b28(000|P01)\b/,
    ({ name }, where, flag) => `${where} does not let us in: give user and password in ${flag}, as in ${EXAMPLES[name]}`,
  ],
  [/ENOTFOUND|EAI_AGAIN/, UNKNOWN_NAME],
  [/cluster support disabled/, (_, where, flag) => `${where} is no cluster: give one URL to ${flag}`],
  [/\b3D000\b/, (_, where, flag) => `${where} has no such database as ${flag} names: create it, and run doorbuster migrate`],
  [/TLS|SSL/, (_, where, flag) => `${where} speaks no TLS, or another one than is wanted: look at the scheme and at sslmode in ${flag}`],
  [/LOADING|\b57P03\b/, ({ name }, where) => `${name} at ${where} is starting: it can be used when it has read its data`],
  [
    /ETIMEDOUT|[Tt]imeout|timed out/,
    ({ name }, where) => `${where} does not answer: look for a firewall between, and whether ${name} hangs`,
  ],
  [/ECONNREFUSED|CONNECTION_REFUSED|Connection is closed|None of startup nodes/, REFUSED],
];

/** @param isNameKnown asked where the client does not tell a name that nobody knows from a port where nobody listens */
export async function troubleWith(store: Store, error: Error, isNameKnown: () => Promise<boolean>): Promise<string> {
  const cause = error.cause instanceof Error ? error.cause : error;
  const { code = "", errno = "" } = cause as { readonly code?: unknown; readonly errno?: unknown };
  const words = `${code} ${errno} ${cause.message}`;
  const advice = ADVICE.find(([pattern]) => pattern.test(words))?.[1];
  if (advice === undefined) return cause.message;
  const where = store.urls.map((url) => placeOf(url, DEFAULT_PORTS[store.name])).join(", ");
  const isUnknown = advice === REFUSED && !(await isNameKnown());
  return (isUnknown ? UNKNOWN_NAME : advice)(store, where, `--${store.name.toLowerCase()}`);
}

function placeOf(url: string, defaultPort: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port || defaultPort}`;
}

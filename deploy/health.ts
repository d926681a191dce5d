/**
 * For the HEALTHCHECK of a container: `bun health.ts URL` asks `URL/health` and ends with 0 when the answer is 200, with 1 and one line when it
 * is not. A program of its own, because a container runs it every few seconds: the command line takes six times as long to start.
 */
const ANSWER_MS_MAX = 2_000;

/** @returns why it is not healthy, or `null` */
export async function faultOf(baseUrl: string): Promise<string | null> {
  try {
    const response = await fetch(`${baseUrl.replace(/\/+$/, "")}/health`, {
      redirect: "error",
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    return response.status === 200 ? null : `${baseUrl} answers ${response.status}`;
  } catch (error) {
    return `${baseUrl} does not answer (${error instanceof Error ? error.name : String(error)})`;
  }
}

if (import.meta.main) {
  const [baseUrl, ...others] = process.argv.slice(2);
  const isUnderstood = baseUrl !== undefined && others.length === 0 && /^https?:/.test(baseUrl) && URL.canParse(baseUrl);
  const fault = isUnderstood ? await faultOf(baseUrl) : "give one address, for example http://127.0.0.1:8080";
  if (fault !== null) console.error(`unhealthy: ${fault}`);
  process.exit(fault === null ? 0 : 1);
}

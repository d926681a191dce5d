/** One process leads, and another when that one cannot: over a real Postgres. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { hasPostgres, NEEDS_POSTGRES, PATIENT, type PostgresServer, startPostgres } from "../../test/servers/postgres.ts";
import { waitFor } from "../../test/wait.ts";
import { LEADER_SILENT_MS_MAX } from "../limits.ts";
import { Postgres } from "./postgres.ts";
import { PostgresLeadership } from "./postgres-leadership.ts";
import { systemClock } from "./system-clock.ts";

// The bound is only there to end a broken run: a server that starts on a busy machine takes its time.
setDefaultTimeout(60_000);

describe.skipIf(!hasPostgres)(`leadership ${hasPostgres ? "" : NEEDS_POSTGRES}`, () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(async () => {
    await server?.stop();
  });

  class Candidate {
    readonly heard: string[] = [];
    readonly leadership: PostgresLeadership;

    constructor(
      url: string,
      readonly clock = { aheadUs: 0, now: () => systemClock.now(), monotonicUs: () => systemClock.monotonicUs() + this.clock.aheadUs },
    ) {
      const duties = { begin: () => void this.heard.push("begin"), end: () => void this.heard.push("end") };
      this.leadership = new PostgresLeadership(url, duties, clock);
    }

    get leads(): boolean {
      return this.leadership.isLeading;
    }
  }

  test("is one's, passes to another as soon as that one ends, and is told in turn", async () => {
    const url = await server.freshDatabase();
    const first = new Candidate(url);
    await waitFor(() => first.leads, "the first leads");
    const others = [new Candidate(url), new Candidate(url)] as const;
    const db = new Postgres(url, PATIENT);
    const areAllThere = async () =>
      (await db.read`select 1 from pg_stat_activity where application_name = 'doorbuster leadership' and state = 'idle'`).length >= 3;
    await waitFor(areAllThere, "the others have asked");
    expect(others.map(({ heard }) => heard)).toEqual([[], []]);
    await first.leadership.close();
    expect([first.leads, first.heard]).toEqual([false, ["begin", "end"]]);
    await waitFor(() => others.some(({ leads }) => leads), "another leads");
    expect(others.filter(({ leads }) => leads)).toHaveLength(1);
    for (const { leadership } of others) await leadership.close();
    expect(others.flatMap(({ heard }) => heard)).toEqual(["begin", "end"]);
    await db.close();
  });

  test("of a database is nothing to the others on the same server", async () => {
    const both = [new Candidate(await server.freshDatabase()), new Candidate(await server.freshDatabase())];
    await waitFor(() => both.every(({ leads }) => leads), "both lead");
    for (const { leadership } of both) await leadership.close();
  });

  test("ends with the connection, and is asked for again on another", async () => {
    const url = await server.freshDatabase();
    const db = new Postgres(url, PATIENT);
    const one = new Candidate(url);
    await waitFor(() => one.leads, "it leads");
    await db.read`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'doorbuster leadership'`;
    await waitFor(() => one.heard.length === 3, "it has noticed, and leads again");
    expect(one.heard).toEqual(["begin", "end", "begin"]);
    await one.leadership.close();
    await db.close();
  });

  test("of a process that stands still goes to another, and it knows that when it goes on", async () => {
    const url = await server.freshDatabase();
    const script = `
      import { PostgresLeadership } from ${JSON.stringify(`${import.meta.dir}/postgres-leadership.ts`)};
      import { systemClock } from ${JSON.stringify(`${import.meta.dir}/system-clock.ts`)};
      const duties = { begin: () => console.log("begin"), end: () => console.log("end") };
      new PostgresLeadership(${JSON.stringify(url)}, duties, systemClock);`;
    const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "inherit" });
    let heard = "";
    const listening = (async () => {
      const decoder = new TextDecoder();
      for await (const chunk of child.stdout) heard += decoder.decode(chunk);
    })();
    await waitFor(() => heard === "begin\n", "the child leads");
    const other = new Candidate(url);
    child.kill("SIGSTOP");
    await waitFor(() => other.leads, "another leads");
    child.kill("SIGCONT");
    await waitFor(() => heard === "begin\nend\n", "the child has noticed");
    child.kill("SIGKILL");
    await listening;
    expect(other.heard).toEqual(["begin"]);
    await other.leadership.close();
  });

  test("that was not proven for too long counts for nothing, before anybody has been asked", async () => {
    const one = new Candidate(await server.freshDatabase());
    await waitFor(() => one.leads, "it leads");
    one.clock.aheadUs = LEADER_SILENT_MS_MAX * 1_000;
    expect(one.leads).toBe(false);
    await one.leadership.close();
  });

  test("is found again after the database was away", async () => {
    const one = new Candidate(server.url);
    await waitFor(() => one.leads, "it leads");
    await server.kill();
    await waitFor(() => one.heard.length === 2, "it has noticed");
    await server.restart();
    await waitFor(() => one.leads, "it leads again");
    expect(one.heard).toEqual(["begin", "end", "begin"]);
    await one.leadership.close();
  });
});

/**
 * What happened in a span of time, put together from all segments that reach into it. The database counts by numbers; which of them mean what
 * (the shapes) is found out here.
 */
import type { Cell, Question } from "../core/segment-database.ts";
import type { UnixMs } from "../core/time.ts";
import { REPORT_BUCKETS_MAX, REPORT_SKUS_MAX } from "../limits/event-store.ts";
import { emptyReport, ReportSums } from "./drop-sums.ts";
import { isHeld, type Shape, shapeOfRow } from "./event-shape.ts";
import type { DropReport } from "./event-store.ts";
import { type Segment, shapeRowOf } from "./segments.ts";

type Ask = (question: Question) => Promise<readonly (readonly Cell[])[]>;

/** Reasons by which a purchase is kept away, as opposed to too late. */
const BLOCKED = ["blacklisted", "throttled"] as const;
/** Beyond this the latencies are not told apart. */
const LATENCY_US_MAX = 60_000_000;

/** A segment, the part of it that is asked for, and its shapes by number. */
interface Part {
  readonly segment: string;
  /** Ends in `where`, so that conditions may follow. */
  readonly rows: string;
  readonly shapes: readonly Shape[];
}

export async function makeReport(segments: readonly Segment[], from: UnixMs, until: UnixMs, ask: Ask): Promise<DropReport> {
  const touched = segments.filter((segment) => segment.events > 0 && segment.lastAt >= from && segment.firstAt < until);
  if (touched.length === 0) return emptyReport(from, until);
  const parts: Part[] = [];
  for (const { number } of touched) parts.push(await partOf(number, from, until, ask));
  const seen = spanOf(
    await ask(
      union(
        parts,
        ({ rows }) => `select min(seen_at) as first, max(seen_at) as last from ${rows} true`,
        "epoch_ms(min(first)), epoch_ms(max(last))",
      ),
    ),
  );
  if (seen === null) return emptyReport(from, until);
  // Time in which nothing is kept would only make the pieces coarse.
  const span = { from: Math.max(from, seen.first), until: Math.min(until, seen.last + 1) };
  const bucketMs = Math.max(1_000, Math.ceil((span.until - span.from) / REPORT_BUCKETS_MAX / 1_000) * 1_000);
  const bucket = `((epoch_ms(seen_at) - ${span.from}) // ${bucketMs})`;
  const sums = new ReportSums(span, bucketMs);
  for (const part of parts) {
    for (const [piece, shape, requests, units] of await ask(
      plain(`select ${bucket}, shape, count(*), sum(quantity)::bigint from ${part.rows} true group by 1, 2`),
    ))
      sums.count(piece as number, part.shapes[shape as number] as Shape, requests as number, units as number);
    for (const [us, requests] of await ask(
      plain(`select ${LATENCY_STEP}, count(*) from ${part.rows} ${among(part, isPurchase)} group by 1`),
    ))
      sums.latency(us as number, requests as number);
    const bySku = `select sku_hash, sum(quantity)::bigint, min(rowid) from ${part.rows} ${among(part, isHeld)} group by 1 order by 2 desc`;
    for (const [sku, units, row] of await ask(plain(`${bySku} limit ${10 * REPORT_SKUS_MAX}`)))
      sums.rank(sku as number, units as number, part.segment, row as number);
  }
  const skus = sums.mostHeld(REPORT_SKUS_MAX);
  for (const part of parts) await addOverTime(part, skus, bucket, sums, ask);
  await nameSkus(skus, ask);
  return { ...sums.report(from, until, seen), ...(await distinct(parts, sums, ask)) };
}

const LATENCY_STEP = `case when total_us < 10000 then total_us when total_us < 1000000 then total_us // 100 * 100
  else least(total_us, ${LATENCY_US_MAX}) // 10000 * 10000 end`;

const plain = (sql: string): Question => ({ sql, values: [] });
const isPurchase = ({ request }: Shape): boolean => request === null;

async function partOf(number: number, from: UnixMs, until: UnixMs, ask: Ask): Promise<Part> {
  const segment = `s${number}`;
  const rows = await ask(plain(`select shape, instance, kind, status, reason, steps, outcomes from ${segment}.shapes order by shape`));
  const shapes = rows.map((cells) => shapeOfRow(shapeRowOf(cells)));
  return {
    segment,
    rows: `${segment}.events where seen_at >= epoch_ms(${from}::bigint) and seen_at < epoch_ms(${until}::bigint) and`,
    shapes,
  };
}

/** The shapes of which something is true, as a list for a statement; never an empty one, and no shape has the number 65535. */
function numbersOf({ shapes }: Part, isMeant: (shape: Shape) => boolean): string {
  return `(${[65_535, ...shapes.flatMap((shape, number) => (isMeant(shape) ? [number] : []))].join(", ")})`;
}

const among = (part: Part, isMeant: (shape: Shape) => boolean): string => `shape in ${numbersOf(part, isMeant)}`;

const union = (parts: readonly Part[], select: (part: Part) => string, what: string): Question =>
  plain(`select ${what} from (${parts.map(select).join(" union all ")})`);

function spanOf([row]: readonly (readonly Cell[])[]): { first: UnixMs; last: UnixMs } | null {
  const [first, last] = row as readonly [number | null, number | null];
  return first === null || last === null ? null : { first, last };
}

type Skus = ReturnType<ReportSums["mostHeld"]>;

async function addOverTime(part: Part, skus: Skus, bucket: string, sums: ReportSums, ask: Ask): Promise<void> {
  if (skus.length === 0) return;
  const which = `${among(part, isPurchase)} and sku_hash in (${skus.map(({ hash }) => hash).join(", ")})`;
  const units = `coalesce(sum(quantity) filter (where ${among(part, isHeld)}), 0)::bigint`;
  const rows = await ask(plain(`select sku_hash, ${bucket}, count(*), ${units} from ${part.rows} ${which} group by 1, 2`));
  for (const [sku, piece, purchases, held] of rows) sums.sku(sku as number, piece as number, purchases as number, held as number);
}

async function nameSkus(skus: Skus, ask: Ask): Promise<void> {
  for (const sku of skus) {
    const { segment, row } = sku.sample;
    const [name] = await ask(
      plain(
        `select string_split(t.skus, chr(10))[e.line + 1] from ${segment}.events e join ${segment}.texts t using (page) where e.rowid = ${row}`,
      ),
    );
    sku.name = String(name?.[0] ?? "");
  }
}

/** Estimates over all segments at once: two of them cannot be added. */
async function distinct(
  parts: readonly Part[],
  sums: ReportSums,
  ask: Ask,
): Promise<Pick<DropReport, "distinct" | "blocked" | "conversion">> {
  const groups: readonly ((shape: Shape) => boolean)[] = [
    isHeld,
    ...BLOCKED.map((reason) => (shape: Shape) => isPurchase(shape) && shape.reason === reason),
  ];
  const select = (part: Part): string => {
    const group = groups.map((isMeant, index) => `when ${among(part, isMeant)} then ${index + 1}`).join(" ");
    return `select user_hash, hash(ip_high, ip_low) as address, case ${group} else 0 end as class from ${part.rows} true`;
  };
  const counted = `grouping(class), class, approx_count_distinct(user_hash) filter (where user_hash <> 0), approx_count_distinct(address)`;
  const question = union(parts, select, counted);
  const rows = await ask({ ...question, sql: `${question.sql} group by grouping sets ((class), ())` });
  const of = (grouping: number, group: number): { users: number; addresses: number } => {
    const [, , users, addresses] = rows.find((row) => row[0] === grouping && (grouping === 1 || row[1] === group)) ?? [0, 0, 0, 0];
    return { users: users as number, addresses: addresses as number };
  };
  const all = of(1, 0);
  return {
    distinct: all,
    blocked: BLOCKED.map((reason, index) => ({ reason, requests: sums.refused(reason), ...of(0, index + 2) })),
    conversion: { users: all.users, usersWhoHeld: of(0, 1).users, ...sums.orders() },
  };
}

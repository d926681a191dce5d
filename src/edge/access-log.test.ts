/** The access log on a real disk: what was added is there, in order and whole; old files go; and when the disk cannot follow, it counts. */
import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Recorder, recorderOf } from "../../test/recorder.ts";
import { ACCESS_LOG_BUFFER_BYTES_MAX, RECORDS_HAND_OVER_PAGES_MAX } from "../limits/records.ts";
import { AccessLog, type AccessLogSettings } from "./access-log.ts";
import { RECORD_PAGE_BYTES } from "./record-pages.ts";

const root = mkdtempSync(join(tmpdir(), "doorbuster-access-log-"));
afterAll(() => rmSync(root, { recursive: true }));

let folders = 0;
let folder = "";
const troubles: string[] = [];
beforeEach(() => {
  folders += 1;
  folder = join(root, String(folders), "access-log");
  troubles.length = 0;
});

type Log = Recorder<AccessLog>;
const openLog = async (settings: Partial<AccessLogSettings> = {}): Promise<Log> =>
  recorderOf(await AccessLog.open({ folder, fileBytesMax: 1_000_000, filesMax: 3, ...settings }, (message) => troubles.push(message)));
const filesIn = (): string[] => readdirSync(folder).sort();
const pathOf = (name: string): string => join(folder, name);
const written = (): string =>
  filesIn()
    .map((name) => readFileSync(pathOf(name), "utf8"))
    .join("");
/** About 100 bytes, each another, not all of them ASCII. */
const lineOf = (index: number): string => `{"index":${index},"text":"${"品🛒é".repeat(8)}"}\n`;
const linesOf = (count: number, from = 0): string[] => Array.from({ length: count }, (_, index) => lineOf(from + index));
const bytesOf = (lines: readonly string[]): number => Buffer.byteLength(lines.join(""));

async function logged(lines: readonly string[], settings: Partial<AccessLogSettings> = {}): Promise<Log> {
  const log = await openLog(settings);
  for (const line of lines) log.add(line);
  await log.close();
  return log;
}

describe("records", () => {
  test("are all on the disk after closing, in the order in which they were added", async () => {
    const lines = linesOf(5_000);
    const log = await logged(lines);
    expect(written()).toBe(lines.join(""));
    expect([log.recordsWritten, log.recordsDropped, troubles]).toEqual([5_000, 0, []]);
  });

  test("come to the disk by themselves while the log is open", async () => {
    const log = await openLog();
    log.add(lineOf(1));
    while (log.recordsWritten === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    expect(written()).toBe(lineOf(1));
    await log.close();
  });

  test("of none leave no file", async () => {
    await logged([]);
    expect(filesIn()).toEqual([]);
  });

  test("as long as they can be, one after the other, are whole", async () => {
    // Two ids of 128 characters, each character escaped as two units of six.
    const longest = `{"userID":"${"\\ud83d\\uded2".repeat(128)}","goodsSKU":"${"\\ud83d\\uded2".repeat(128)}","rest":"${"品".repeat(800)}"}\n`;
    const lines = Array.from({ length: 400 }, () => longest);
    const log = await logged(lines, { fileBytesMax: 10_000_000 });
    expect([log.recordsWritten, log.recordsDropped]).toEqual([400, 0]);
    expect(written() === lines.join("")).toBe(true);
  });
});

describe("files", () => {
  test("are closed at their size, none with a record torn, and the oldest are deleted", async () => {
    const [fileBytesMax, filesMax] = [200_000, 3];
    const lines = linesOf(10_000);
    const log = await logged(lines, { fileBytesMax, filesMax });
    const [first = "", ...others] = filesIn();
    expect([first, ...others].length).toBe(filesMax);
    expect(first > "access-000000001.jsonl").toBe(true);
    for (const name of filesIn()) {
      expect(statSync(pathOf(name)).size).toBeLessThanOrEqual(fileBytesMax);
      expect(readFileSync(pathOf(name), "utf8")).toMatch(/^\{[\s\S]*\}\n$/);
    }
    // What is left is the end of what was added, without a gap, and as much of it as the files may hold.
    expect(lines.join("").endsWith(written())).toBe(true);
    expect(bytesOf([written()])).toBeGreaterThan((filesMax - 1) * (fileBytesMax - 65_536));
    expect([log.recordsWritten, log.recordsDropped]).toEqual([10_000, 0]);
  });

  test("have numbers that count up, so that their names are in order of time", async () => {
    await logged(linesOf(5_000), { fileBytesMax: 100_000, filesMax: 1_000 });
    const names = filesIn();
    expect(names.length).toBeGreaterThan(3);
    expect(names).toEqual(names.map((_, index) => `access-${String(index + 1).padStart(9, "0")}.jsonl`));
    expect(written()).toBe(linesOf(5_000).join(""));
  });

  test("that can hold less than what is written at once hold that and no more", async () => {
    await logged(linesOf(2_000), { fileBytesMax: 1, filesMax: 1_000 });
    expect(written()).toBe(linesOf(2_000).join(""));
    const sizes = filesIn().map((name) => statSync(pathOf(name)).size);
    expect(sizes.length).toBeGreaterThan(1);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(65_536);
  });

  test("are continued after reopening, and only when full followed by the next", async () => {
    const settings = { fileBytesMax: 3 * bytesOf([lineOf(10)]), filesMax: 10 };
    for (let index = 10; index < 15; index += 1) await logged([lineOf(index)], settings);
    expect(filesIn()).toEqual(["access-000000001.jsonl", "access-000000002.jsonl"]);
    expect(filesIn().map((name) => readFileSync(pathOf(name), "utf8").split("\n").length - 1)).toEqual([3, 2]);
    expect(written()).toBe(linesOf(5, 10).join(""));
  });

  test("of an earlier life are deleted too when there are too many, by age; files that are not ours stay", async () => {
    mkdirSync(folder, { recursive: true });
    const before = ["access-000000002.jsonl", "access-000000009.jsonl", "access-000000010.jsonl", "access-1234567890.jsonl"];
    for (const name of before) writeFileSync(pathOf(name), `${name}\n`);
    for (const name of ["notes.txt", "access-000000001.jsonl.gz"]) writeFileSync(pathOf(name), "mine");
    await logged([lineOf(1)], { fileBytesMax: 1, filesMax: 3 });
    expect(
      filesIn()
        .filter((name) => name.endsWith(".jsonl"))
        .sort(),
    ).toEqual(["access-000000010.jsonl", "access-1234567890.jsonl", "access-1234567891.jsonl"].sort());
    expect(filesIn()).toEqual(expect.arrayContaining(["notes.txt", "access-000000001.jsonl.gz"]));
  });
});

describe("a disk that fails", () => {
  test("costs the records, which are counted, and is told once, however often it fails", async () => {
    const log = await openLog();
    rmSync(folder, { recursive: true });
    const lines = linesOf(2_000);
    for (const line of lines) log.add(line);
    await log.close();
    expect([log.recordsWritten, log.recordsDropped]).toEqual([0, 2_000]);
    expect(troubles).toEqual([expect.stringMatching(/^the access log cannot be written \(.*ENOENT.*\); records are dropped$/)]);
  });

  test("because it is full costs the records too", async () => {
    mkdirSync(folder, { recursive: true });
    symlinkSync("/dev/full", pathOf("access-000000001.jsonl"));
    const log = await logged(linesOf(10));
    expect([log.recordsWritten, log.recordsDropped]).toEqual([0, 10]);
    expect(troubles).toEqual([expect.stringContaining("ENOSPC")]);
  });

  test("and works again gets the records again; a second trouble is told again", async () => {
    // Every record opens a file of its own.
    const log = await openLog({ fileBytesMax: 1 });
    const fates: [number, number, number][] = [];
    for (let round = 1; round <= 4; round += 1) {
      if (round % 2 === 1) rmSync(folder, { recursive: true });
      else mkdirSync(folder, { recursive: true });
      log.add(lineOf(round));
      while (log.recordsWritten + log.recordsDropped < round) await new Promise<void>((resolve) => setImmediate(resolve));
      fates.push([log.recordsWritten, log.recordsDropped, troubles.length]);
    }
    expect(fates).toEqual([
      [0, 1, 1],
      [1, 1, 1],
      [1, 2, 2],
      [2, 2, 2],
    ]);
    await log.close();
    expect(written()).toBe(lineOf(4));
  });

  test("has lost the file that was to be continued: it is begun anew", async () => {
    await logged([lineOf(1)]);
    const log = await openLog();
    rmSync(pathOf("access-000000001.jsonl"));
    log.add(lineOf(2));
    await log.close();
    expect([written(), log.recordsDropped, troubles]).toEqual([lineOf(2), 0, []]);
  });
});

describe("a disk that stands still", () => {
  const line = lineOf(0);
  // What was not handed over yet waits for nobody.
  const recordsMax = (ACCESS_LOG_BUFFER_BYTES_MAX + RECORDS_HAND_OVER_PAGES_MAX * RECORD_PAGE_BYTES) / bytesOf([line]);
  let pipe = "";
  let pipeEnd = 0;
  let added = 0;
  beforeEach(() => {
    // A pipe takes 64 KiB, and then nothing until somebody reads. Open for both ways it never ends.
    mkdirSync(folder, { recursive: true });
    pipe = pathOf("access-000000001.jsonl");
    expect(Bun.spawnSync(["mkfifo", pipe]).exitCode).toBe(0);
    pipeEnd = openSync(pipe, "r+");
    added = 0;
  });
  afterEach(() => closeSync(pipeEnd));

  const openPipe = () => openLog({ fileBytesMax: Number.MAX_SAFE_INTEGER });
  const add = (log: Log, count: number): void => {
    for (let each = 0; each < count; each += 1) log.add(line);
    added += count;
  };
  /** Adds until the buffer is full, and some more. */
  const overfill = (log: Log): void => {
    const droppedBefore = log.recordsDropped;
    for (let tries = 0; log.recordsDropped === droppedBefore && tries < 4 * recordsMax; tries += 100) add(log, 100);
    add(log, 10_000);
  };
  /** The disk takes so many bytes and stands still again. */
  const move = async (bytes: number): Promise<void> => {
    const reader = Bun.spawn(["head", "-c", String(bytes), pipe], { stdout: "ignore" });
    expect(await reader.exited).toBe(0);
  };
  /** The disk moves until `run` is done. */
  const moveDuring = async (run: () => Promise<void>): Promise<void> => {
    const reader = Bun.spawn(["cat", pipe], { stdout: "ignore" });
    await run();
    reader.kill();
    await reader.exited;
  };

  test("costs what does not fit into the buffer, and no more; when it moves again, so does the log", async () => {
    const log = await openPipe();
    overfill(log);
    await moveDuring(async () => {
      const settled = async () => {
        while (log.recordsWritten + log.recordsDropped < added) await new Promise<void>((resolve) => setImmediate(resolve));
      };
      await settled();
      expect(log.recordsWritten).toBeLessThanOrEqual(recordsMax);
      expect(log.recordsDropped).toBeGreaterThanOrEqual(10_000);
      const writtenBefore = log.recordsWritten;
      add(log, 100);
      await settled();
      expect([log.recordsWritten - writtenBefore, troubles]).toEqual([100, []]);
      await log.close();
    });
  });

  test("gets all that is in the buffer when the log closes: every record is written or counted", async () => {
    const log = await openPipe();
    overfill(log);
    await moveDuring(() => log.close());
    expect(log.recordsWritten + log.recordsDropped).toBe(added);
  });

  test("fills no more than the buffer, also when it stands still again and again in the middle of a write", async () => {
    const log = await openPipe();
    for (let round = 0; round < 6; round += 1) {
      overfill(log);
      expect(added - log.recordsWritten - log.recordsDropped).toBeLessThanOrEqual(recordsMax);
      await move(ACCESS_LOG_BUFFER_BYTES_MAX / 8);
    }
    await moveDuring(() => log.close());
    expect(log.recordsWritten + log.recordsDropped).toBe(added);
  });
});

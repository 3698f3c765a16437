/** The picture at an instant: the right one, from a few bytes, once, and with no process left behind. */
import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { unlink } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { describe, expect, it } from "vitest";

import { fileIdentity } from "../../../src/core/file-identity.js";
import { formatRfc3339 } from "../../../src/core/instant.js";
import { parsePathName } from "../../../src/core/path-name.js";
import type { Recording } from "../../../src/core/recording.js";
import type { FfmpegSettings } from "../../../src/media/ffmpeg.js";
import { ticksToUs } from "../../../src/media/ticks.js";
import { ask, type Answered, problemIn } from "../../support/http-ask.js";
import { addFixture, addFixtures, type FootageOptions } from "../../support/http-footage.js";
import { httpForTest } from "../../support/http-harness.js";
import { addRow } from "../../support/http-rows.js";
import { isAlive, watchedFfmpeg } from "../../support/watched-ffmpeg.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait-for.js";
import { fixture, inspectFixture } from "../../unit/media/fixtures.js";

const run = promisify(execFile);
const REAL = { configuredPath: null, env: process.env };

function url(atUs: number | null, more = ""): string {
  const at = atUs === null ? "" : `&at=${formatRfc3339(atUs)}`;
  return `/api/v1/thumbnail.jpg?path=cam1${at}${more}`;
}

const takenAt = ({ headers }: Answered): unknown => headers["reelkeeper-taken-at"];

/** The pixels of the sync sample `index` of a file, as the JPEG holds them. */
async function jpegOfSyncSample(file: string, index: number): Promise<Buffer> {
  const { stdout } = await run(
    "ffmpeg",
    [
      ...["-v", "error", "-threads", "1", "-skip_frame", "nokey", "-i", file, "-map", "0:v:0"],
      ...["-vf", `select='eq(n,${index})',setsar=1`, "-frames:v", "1", "-c:v", "mjpeg", "-q:v", "4"],
      ...["-pix_fmt", "yuvj420p", "-threads", "1", "-f", "image2pipe", "-"],
    ],
    { encoding: "buffer" },
  );
  return stdout;
}

/** Wall clock of the sync samples of a fixture, by its index; its GOPs are 2 s and its parts 1 s. */
function syncSamplesOf(name: string, recording: Recording): number[] {
  const index = inspectFixture(fixture(name)).fragments!;
  return index.fragments.flatMap(({ syncTicks }) =>
    syncTicks === null ? [] : [recording.startUs + ticksToUs(syncTicks, index.timescale)],
  );
}

describe.each(["v1.20.1/h264-aac", "v1.14.0/h264-bframes", "v1.20.1/h265-only"])("a picture of %s", (folder) => {
  it.each(["local", "both", "archived"] as const)("%s is the sync sample at or before the instant", async (where) => {
    const http = await httpForTest();
    const [recording] = await addFixtures(http, folder, { where });
    const file = fixture(folder);
    const sync = syncSamplesOf(folder, recording!);
    expect(sync.length).toBeGreaterThan(1);
    for (const [index, syncUs] of sync.entries()) {
      for (const atUs of [syncUs, syncUs + 900_000]) {
        const answer = await ask(http, url(atUs));
        expect([answer.status, takenAt(answer)]).toEqual([200, formatRfc3339(syncUs)]);
        expect(answer.headers["content-type"]).toBe("image/jpeg");
        expect(answer.bytes.equals(await jpegOfSyncSample(file.filePath, index))).toBe(true);
      }
    }
    const before = await ask(http, url(sync[1]! - 1));
    expect(takenAt(before)).toBe(formatRfc3339(sync[0]!));
  });
});

describe("a thumbnail", () => {
  it("is as wide as asked and never wider than the video, in its shape", async () => {
    const http = await httpForTest();
    await addFixtures(http, "v1.20.1/h264-aac");
    const sizes: string[] = [];
    for (const width of [16, 161, 320, 640, 1_920]) {
      const file = path.join(await tempDir(), "x.jpg");
      writeFileSync(file, (await ask(http, url(null, `&width=${width}`))).bytes);
      const { stdout } = await run("ffprobe", [
        "-v",
        "error",
        "-show_entries",
        "stream=width,height",
        "-of",
        "csv=p=0",
        file,
      ]);
      sizes.push(stdout.trim());
    }
    expect(sizes).toEqual(["16,8", "160,90", "320,180", "320,180", "320,180"]);
  });

  it("without an instant is the newest", async () => {
    const http = await httpForTest();
    const rows = await addFixtures(http, "v1.20.1/h264-aac");
    const name = "v1.20.1/h264-aac/2026-11-20_17-05-02";
    const answer = await ask(http, url(null));
    expect(takenAt(answer)).toBe(formatRfc3339(syncSamplesOf(name, rows.at(-1)!).at(-1)!));
    expect(answer.headers["cache-control"]).toBe("private, no-cache");
  });

  it("is made from the init and one fragment alone, which come by a pipe and under no name", async () => {
    const ffmpeg = await watchedFfmpeg("work");
    const http = await httpForTest({ ffmpeg: ffmpeg.settings });
    const [recording] = await addFixtures(http, "v1.20.1/h264-aac");
    expect((await ask(http, url(recording!.startUs + 2_500_000))).status).toBe(200);
    const file = fixture("v1.20.1/h264-aac");
    const { initBytes, fragments } = inspectFixture(file).fragments!;
    const { offsetBytes, sizeBytes } = fragments.filter(({ syncTicks }) => syncTicks !== null)[1]!;
    const whole = readFileSync(file.filePath);
    const [pid] = ffmpeg.pids();
    const expected = [whole.subarray(0, initBytes), whole.subarray(offsetBytes, offsetBytes + sizeBytes)];
    expect(ffmpeg.inputOf(pid!).equals(Buffer.concat(expected))).toBe(true);
    expect(ffmpeg.argsOf(pid!)).not.toContain(".mp4");
    expect(ffmpeg.argsOf(pid!)).not.toContain(http.recordDir);
  });

  it("of the file that is being written is there as far as its fragments are whole, the first of its camera too", async () => {
    const http = await httpForTest();
    const file = fixture("v1.20.1/h264-aac");
    const whole = readFileSync(file.filePath);
    const { fragments } = inspectFixture(file).fragments!;
    const target = path.join(http.recordDir, "cam1/x.mp4");
    const changes = {
      local: "open",
      step: "settle",
      filePath: "cam1/x.mp4",
      startUs: file.startUs,
      endUs: file.startUs,
    };
    const row = await addRow(http.catalog, 0, { ...changes, local: "open", step: "settle", bytes: 0 });
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, "");
    expect((await ask(http, url(null))).status).toBe(503);
    // Two fragments and half of the third, which begins the second GOP.
    const third = fragments[2]!;
    writeFileSync(target, whole.subarray(0, third.offsetBytes + third.sizeBytes / 2));
    const [first, second] = syncSamplesOf(file.name, row);
    const early = await ask(http, url(null));
    expect([early.status, takenAt(early), early.headers["cache-control"]]).toEqual([
      ...[200, formatRfc3339(first!), "private, no-cache"],
    ]);
    writeFileSync(target, whole);
    for (const atUs of [null, second! + 1_000_000]) {
      const late = await ask(http, url(atUs));
      expect([late.status, takenAt(late)]).toEqual([200, formatRfc3339(second!)]);
      expect(late.bytes.equals(await jpegOfSyncSample(file.filePath, 1))).toBe(true);
    }
    const minuteLater = problemIn(await ask(http, url(file.startUs + 60_000_000)));
    expect([minuteLater.status, minuteLater.detail]).toEqual([404, expect.stringContaining("the last before it ends")]);
  });

  it("just behind the end of a segment, or where two join, still is its last", async () => {
    const http = await httpForTest();
    const rows = await addFixtures(http, "v1.20.1/h264-aac");
    const [first, second] = rows;
    const last = syncSamplesOf("v1.20.1/h264-aac", first!).at(-1)!;
    // Numbers say that they join, whatever the clock says.
    const shiftedUs = second!.startUs + 4_000_000;
    await http.catalog
      .db("recordings")
      .where({ id: second!.id })
      .update({ start_us: shiftedUs, end_us: shiftedUs + 1 });
    await http.catalog.db("recordings").whereNotIn("id", [first!.id, second!.id]).delete();
    expect(takenAt(await ask(http, url(first!.endUs + 3_000_000)))).toBe(formatRfc3339(last));
    await http.catalog.db("recordings").where({ id: second!.id }).delete();
    expect(takenAt(await ask(http, url(first!.endUs + 900_000)))).toBe(formatRfc3339(last));
    expect((await ask(http, url(first!.endUs + 3_000_000))).status).toBe(404);
  });

  it("in a gap is not found, and what is nearest is told", async () => {
    const http = await httpForTest();
    const rows = await addFixtures(http, "v1.20.1/h264-aac");
    const [, , , before, after] = rows;
    const problem = problemIn(await ask(http, url(before!.endUs + 1_500_000)));
    expect(problem.status).toBe(404);
    expect(problem.detail).toContain(`ends at ${formatRfc3339(before!.endUs)}`);
    expect(problem.detail).toContain(`begins at ${formatRfc3339(after!.startUs)}`);
    const early = problemIn(await ask(http, url(rows[0]!.startUs - 1)));
    expect([early.status, early.detail.includes("the last before")]).toEqual([404, false]);
    const late = problemIn(await ask(http, url(rows.at(-1)!.endUs + 60_000_000)));
    expect([late.status, late.detail.includes("the first after")]).toEqual([404, false]);
    expect(problemIn(await ask(http, "/api/v1/thumbnail.jpg?path=nobody")).status).toBe(404);
  });

  it("of MPEG-TS is the sync sample at or before the instant, from disk and store", async () => {
    for (const where of ["local", "archived"] as const) {
      const http = await httpForTest();
      const [, row] = await addFixtures(http, "v1.20.1/mpegts", { where });
      const { filePath } = fixture("v1.20.1/mpegts/2026-11-20_17-04-47");
      for (const [index, sec] of [1, 2.5].entries()) {
        const answer = await ask(http, url(row!.startUs + sec * 1e6));
        expect([answer.status, takenAt(answer)]).toEqual([200, formatRfc3339(row!.startUs + 2e6 * index)]);
        expect(answer.bytes.equals(await jpegOfSyncSample(filePath, index))).toBe(true);
      }
    }
  });

  it("of MPEG-TS without an index is decoded from a piece of the file", async () => {
    const http = await httpForTest();
    const rows = await addFixtures(http, "v1.20.1/mpegts");
    await http.catalog.db("fragment_indexes").delete();
    const answer = await ask(http, url(rows[1]!.startUs + 1_000_000));
    expect([answer.status, takenAt(answer)]).toEqual([200, undefined]);
    const first = await jpegOfSyncSample(fixture("v1.20.1/mpegts/2026-11-20_17-04-47").filePath, 0);
    expect(answer.bytes.equals(first)).toBe(true);
  });

  it("is not sent again to one who has it, and for that no ffmpeg runs", async () => {
    const ffmpeg = await watchedFfmpeg("work");
    const http = await httpForTest({ ffmpeg: ffmpeg.settings });
    const [recording] = await addFixtures(http, "v1.20.1/h264-aac");
    const target = url(recording!.startUs);
    const head = await ask(http, target, { method: "HEAD" });
    const { etag = "" } = head.headers;
    expect([head.status, etag]).toEqual([200, expect.stringMatching(/^"[0-9a-f]{32}"$/)]);
    const known = await ask(http, target, { headers: { "if-none-match": etag } });
    expect([known.status, known.bytes.length, known.headers.etag]).toEqual([304, 0, etag]);
    expect(ffmpeg.pids()).toEqual([]);
    const got = await ask(http, target);
    expect([got.status, got.headers.etag, got.headers["cache-control"]]).toEqual([200, etag, "private, max-age=3600"]);
    const wider = await ask(http, `${target}&width=100`, { headers: { "if-none-match": etag } });
    expect(wider.status).toBe(200);
  });

  it("is made once: for many who ask together, and for those who ask later", async () => {
    const ffmpeg = await watchedFfmpeg("work");
    const http = await httpForTest({ ffmpeg: ffmpeg.settings });
    const [recording] = await addFixtures(http, "v1.20.1/h264-aac");
    const together = await Promise.all(Array.from({ length: 12 }, () => ask(http, url(recording!.startUs))));
    const later = await ask(http, url(recording!.startUs + 700_000));
    for (const { status, bytes } of [...together, later]) {
      expect([status, bytes.equals(later.bytes)]).toEqual([200, true]);
    }
    expect(ffmpeg.pids()).toHaveLength(1);
  });

  it("is made again when the kept one is gone or torn, and the kept ones stay below the cap", async () => {
    const ffmpeg = await watchedFfmpeg("work");
    const http = await httpForTest({ ffmpeg: ffmpeg.settings, thumbnailCacheBytes: 40_000 });
    const [recording] = await addFixtures(http, "v1.20.1/h264-aac");
    const directory = path.join(path.dirname(http.recordDir), "thumbnails");
    const kept = (): string[] => readdirSync(directory).map((name) => path.join(directory, name));
    const first = await ask(http, url(recording!.startUs));
    writeFileSync(kept()[0]!, first.bytes.subarray(0, 1_000));
    expect((await ask(http, url(recording!.startUs))).bytes.equals(first.bytes)).toBe(true);
    await unlink(kept()[0]!);
    expect((await ask(http, url(recording!.startUs))).bytes.equals(first.bytes)).toBe(true);
    expect(ffmpeg.pids()).toHaveLength(3);
    for (let width = 300; width < 320; width += 2) {
      await ask(http, url(recording!.startUs));
      await ask(http, url(recording!.startUs, `&width=${width}`));
    }
    const sizes = kept().map((file) => readFileSync(file).length);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(40_000);
    expect(sizes.length).toBeGreaterThan(2);
    // Used between all others, it was never the least recently used.
    expect(ffmpeg.pids()).toHaveLength(13);
  });

  it("is made by two ffmpegs at a time, and whoever leaves ends the one that nobody waits for any more", async () => {
    const ffmpeg = await watchedFfmpeg("hang");
    const http = await httpForTest({ ffmpeg: ffmpeg.settings });
    const [recording] = await addFixtures(http, "v1.20.1/h264-aac");
    const [leave, stays] = [new AbortController(), new AbortController()];
    const fetchWidth = (width: number, { signal }: AbortController) =>
      fetch(`http://127.0.0.1:${http.port}${url(recording!.startUs, `&width=${width}`)}`, { signal });
    // One after the other: those that come together may be taken in any order.
    const asked = [fetchWidth(100, leave)];
    await waitFor("the first ffmpeg", () => ffmpeg.pids().filter(isAlive).length === 1);
    const same = fetchWidth(100, stays);
    for (const width of [102, 104, 106, 108, 110]) asked.push(fetchWidth(width, leave));
    const ended = Promise.allSettled([...asked, same]);
    await waitFor("two ffmpegs", () => ffmpeg.pids().filter(isAlive).length === 2);
    leave.abort();
    await waitFor("one ffmpeg, of the one who stays", () => ffmpeg.pids().filter(isAlive).length === 1);
    expect(ffmpeg.pids().filter(isAlive).map(ffmpeg.argsOf)).toEqual([expect.stringContaining("min(100,")]);
    stays.abort();
    await waitFor("none", () => ffmpeg.pids().filter(isAlive).length === 0);
    await ended;
    expect(ffmpeg.pids().length).toBeLessThanOrEqual(6);
    expect(http.log.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("ends with its deadline when ffmpeg hangs", async () => {
    const ffmpeg = await watchedFfmpeg("hang");
    const http = await httpForTest({ ffmpeg: { ...ffmpeg.settings, timeoutMs: 300 } });
    await addFixtures(http, "v1.20.1/h264-aac");
    expect(problemIn(await ask(http, url(null)))).toMatchObject({
      status: 503,
      detail: expect.stringContaining("300 ms") as string,
    });
    expect(ffmpeg.pids().filter(isAlive)).toEqual([]);
  });

  it.each<[string, FfmpegSettings]>([
    ["none in PATH", { configuredPath: null, env: { PATH: "" } }],
    ["not executable", { configuredPath: "/nonexistent/ffmpeg", env: process.env }],
  ])("is not available without ffmpeg (%s), with a hint", async (why, ffmpeg) => {
    const http = await httpForTest({ ffmpeg });
    await addFixtures(http, "v1.20.1/h264-aac");
    const problem = problemIn(await ask(http, url(null)));
    expect(problem).toMatchObject({ status: 503, hint: expect.stringContaining("FFMPEG_PATH") as string });
    expect(problem.detail).toContain(why);
  });

  it("tells damaged footage, audio alone, and a segment that nobody looked into yet apart", async () => {
    const http = await httpForTest({ ffmpeg: REAL });
    const changes = (camera: string): FootageOptions => ({ changes: { path: parsePathName(camera) } });
    const damaged = await addFixture(http, fixture("v1.20.1/h264-aac"), changes("damaged"));
    const file = path.join(http.recordDir, damaged.filePath);
    const bytes = readFileSync(file);
    const { fragments } = inspectFixture(fixture("v1.20.1/h264-aac")).fragments!;
    for (const { offsetBytes, sizeBytes } of fragments) bytes.fill(0, offsetBytes + 1_000, offsetBytes + sizeBytes);
    writeFileSync(file, bytes);
    const file_identity = fileIdentity(statSync(file, { bigint: true }));
    await http.catalog.db("recordings").where({ id: damaged.id }).update({ file_identity });
    await addRow(http.catalog, 0, { path: parsePathName("new"), step: "inspect" });
    const audio = {
      kind: "audio" as const,
      id: 2,
      codec: "opus",
      timescale: 48_000,
      sampleRateHz: 48_000,
      channels: 1,
    };
    await addRow(http.catalog, 1, { path: parsePathName("sound"), tracks: [audio] });
    const statusOf = async (camera: string) => (await ask(http, `/api/v1/thumbnail.jpg?path=${camera}`)).status;
    const all = [await statusOf("damaged"), await statusOf("new"), await statusOf("sound")];
    expect(all).toEqual([500, 503, 404]);
  });

  it("of a recording that is deleted is gone, kept or not", async () => {
    const http = await httpForTest();
    const [recording] = await addFixtures(http, "v1.20.1/h264-aac");
    expect((await ask(http, url(recording!.startUs))).status).toBe(200);
    await http.catalog.db("recordings").where({ id: recording!.id }).update({ local: "deleted", archive: "deleted" });
    expect((await ask(http, url(recording!.startUs))).status).toBe(404);
  });

  it.each([
    ["path=..%2fetc", "path"],
    ["path=", "path"],
    ["width=640", "path"],
    ["path=cam1&width=15", "width"],
    ["path=cam1&width=1921", "width"],
    ["path=cam1&width=1e3", "width"],
    ["path=cam1&width=99999999999999999999", "width"],
    ["path=cam1&width=-16", "width"],
    ["path=cam1&width=640&width=320", "width"],
    ["path=cam1&at=yesterday", "at"],
    ["path=cam1&at=2026-02-30T00:00:00Z", "at"],
    ["path=cam1&at=1e400", "at"],
    ["path=cam1&file=/etc/passwd", "file"],
  ])("refuses %s, and names the field", async (query, field) => {
    const http = await httpForTest();
    const problem = problemIn(await ask(http, `/api/v1/thumbnail.jpg?${query}`));
    expect([problem.status, problem.errors?.[0]?.field]).toEqual([400, field]);
  });
});

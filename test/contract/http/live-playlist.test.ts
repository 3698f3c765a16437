/** The playlist of what is still being written: it grows, and no line that was answered ever changes. */
import { appendFile, mkdir, readdir, readFile, readlink, stat, unlink, writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { storeFragmentIndexes } from "../../../src/catalog/fragment-indexes.js";
import { fileIdentity } from "../../../src/core/file-identity.js";
import { formatRfc3339 } from "../../../src/core/instant.js";
import { parsePathName } from "../../../src/core/path-name.js";
import type { Recording } from "../../../src/core/recording.js";
import { encodeFragmentIndex } from "../../../src/media/fragment-index-codec.js";
import { addFixture, FIXTURE_DIR, inspected, startOfName, VERSIONS } from "../../support/footage-rows.js";
import { checkPlaylist, type CheckedPlaylist } from "../../support/hls-check.js";
import { ask, problemIn } from "../../support/http-ask.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";
import { addRow } from "../../support/http-rows.js";
import { createRandom } from "../../support/random.js";
import { waitFor } from "../../support/wait-for.js";

interface Source {
  readonly filePath: string;
  readonly startUs: number;
  readonly bytes: Buffer;
}

async function sourcesOf(version: string, camera: string): Promise<Source[]> {
  const directory = path.join(FIXTURE_DIR, version, camera);
  const names = (await readdir(directory)).sort();
  return Promise.all(
    names.map(async (name) => ({
      filePath: `${camera}/${name}`,
      startUs: startOfName(name),
      bytes: await readFile(path.join(directory, name)),
    })),
  );
}

/** The bytes as they were before MediaMTX closed the file; MPEG-TS stays as it is. */
function unfinalised(bytes: Buffer): Buffer {
  if (bytes[0] === 0x47) return bytes;
  const open = Buffer.from(bytes);
  open.writeUInt32BE(0, open.indexOf("mvhd") + 4 + 16);
  return open;
}

/** What MediaMTX, the hook and the steps do with one file, a little at a time. */
class Writer {
  readonly #http: HttpHarness;
  readonly #source: Source;
  #recording: Recording | undefined;
  #steps = 0;

  constructor(http: HttpHarness, source: Source) {
    this.#http = http;
    this.#source = source;
  }

  get file(): string {
    return path.join(this.#http.recordDir, this.#source.filePath);
  }

  get id(): string {
    return this.#recording?.id ?? "";
  }

  async create(): Promise<void> {
    const { startUs, filePath } = this.#source;
    await mkdir(path.dirname(this.file), { recursive: true });
    await writeFile(this.file, "");
    const open = { local: "open", step: "settle", mediaDurationUs: null, fileIdentity: null, bytes: 0 } as const;
    const format = filePath.endsWith(".ts") ? "mpegts" : "fmp4";
    const place = { path: parsePathName(path.dirname(filePath)), filePath, format, startUs, endUs: startUs } as const;
    this.#recording = await addRow(this.#http.catalog, 0, { ...place, ...open });
  }

  async write(from: number, to: number): Promise<void> {
    await appendFile(this.file, unfinalised(this.#source.bytes).subarray(from, to));
  }

  /** MediaMTX writes the length into the first bytes; the hook comes, and the row is due for inspection. */
  async close(): Promise<void> {
    await writeFile(this.file, this.#source.bytes);
    const facts = await stat(this.file, { bigint: true });
    const change = { local: "present", step: "inspect", file_identity: fileIdentity(facts), bytes: Number(facts.size) };
    await this.#update(change);
  }

  /** The next of both. */
  async goOn(): Promise<void> {
    if (this.#steps === 0) await this.close();
    if (this.#steps === 1) await this.inspect();
    this.#steps += 1;
  }

  async inspect(): Promise<void> {
    const inspection = await inspected(this.file);
    if (inspection.fragments === null) throw new Error("nothing was found in it");
    const startUs = inspection.startUs ?? this.#source.startUs;
    const index = encodeFragmentIndex(inspection.fragments);
    await storeFragmentIndexes(this.#http.catalog.db, [{ id: this.#recording!.id, fragmentIndex: index }]);
    const times = { start_us: startUs, end_us: startUs + inspection.plausibleDurationUs };
    const tracks = JSON.stringify(inspection.tracks);
    await this.#update({ ...times, tracks, media_duration_us: inspection.mediaDurationUs, step: null });
  }

  async #update(change: Record<string, unknown>): Promise<void> {
    await this.#http.catalog.db("recordings").where({ id: this.#recording!.id }).update(change);
  }
}

interface Range {
  readonly from: string;
  readonly to: string;
  readonly live?: string;
}

function targetOf(camera: string, range: Range): string {
  return `/api/v1/playlist.m3u8?${new URLSearchParams({ path: camera, ...range }).toString()}`;
}

async function bytesOf(http: HttpHarness, uri: string, offset: number, size: number | undefined): Promise<Buffer> {
  const headers = { range: `bytes=${offset}-${size === undefined ? "" : offset + size - 1}` };
  const answer = await ask(http, `/api/v1/${uri}`, { headers });
  expect([answer.status, answer.headers["content-range"]?.split("/")[0]]).toEqual([
    206,
    `bytes ${offset}-${offset + answer.bytes.length - 1}`,
  ]);
  return answer.bytes;
}

/** Undefined: nothing can be played yet. */
async function look(http: HttpHarness, target: string): Promise<(CheckedPlaylist & { text: string }) | undefined> {
  const answer = await ask(http, target);
  if (answer.status === 404) return undefined;
  expect(answer.status, answer.text).toBe(200);
  const checked = await checkPlaylist(answer.text, (uri, offset, size) => bytesOf(http, uri, offset, size));
  return { ...checked, text: answer.text };
}

const ALL = { from: "2026-11-20T17:00:00Z", to: "2026-11-20T18:00:00Z" };

describe.each(VERSIONS)("the live playlist of what MediaMTX %s writes", (version) => {
  it.each([
    ["h264-aac", 1],
    ["h264-aac", 2],
    ["h264-bframes", 3],
    ["h265-only", 4],
    ["mpegts", 5],
    ["mpegts", 6],
  ])("of %s only ever grows, whatever step finds it in between (seed %i)", async (camera, seed) => {
    const http = await httpForTest();
    const random = createRandom(seed);
    const sources = await sourcesOf(version, camera);
    // In the middle of the first file.
    const from = formatRfc3339(sources[0]!.startUs + (seed % 2) * 2_500_000);
    const target = targetOf(camera, { from, to: ALL.to, live: "1" });
    let seen = "";
    let looks = 0;
    const check = async (): Promise<void> => {
      const playlist = await look(http, target);
      if (playlist === undefined) {
        expect(seen).toBe("");
        return;
      }
      expect(playlist).toMatchObject({ type: "EVENT", isEnded: false });
      expect(playlist.text.slice(0, seen.length)).toBe(seen);
      seen = playlist.text;
      looks += 1;
    };
    let closed: Writer | undefined;
    const writers: Writer[] = [];
    for (const source of sources) {
      const writer = new Writer(http, source);
      writers.push(writer);
      await writer.create();
      for (let at = 0; at < source.bytes.length;) {
        const to = Math.min(source.bytes.length, at + 1 + Math.floor(random() * 9_000));
        await writer.write(at, to);
        at = to;
        await check();
        // The steps of the file before come when they come.
        if (random() < 0.2) await closed?.goOn();
      }
      // Now and then even the closing of the file before was not noticed when the next one is created.
      if (random() < 0.5) await closed?.goOn();
      closed = writer;
      await check();
    }
    for (const writer of writers) {
      await writer.goOn();
      await check();
      await writer.goOn();
      await check();
    }
    expect(looks).toBeGreaterThan(10);
    const whole = await look(http, targetOf(camera, { from, to: ALL.to }));
    const live = await look(http, target);
    expect(live!.segments).toEqual(whole!.segments);
    expect(new Set(live!.segments.map(({ uri }) => uri)).size).toBe(sources.length);
  });
});

describe("a file that is still written", () => {
  async function half(http: HttpHarness): Promise<{ writer: Writer; source: Source; half: number }> {
    const [source] = await sourcesOf("v1.20.1", "h264-aac");
    const writer = new Writer(http, source!);
    await writer.create();
    const middle = Math.floor(source!.bytes.length / 2);
    await writer.write(0, middle);
    return { writer, source: source!, half: middle };
  }

  it("is in an ordinary playlist up to its last whole fragment", async () => {
    const http = await httpForTest();
    const { half: size } = await half(http);
    const playlist = await look(http, targetOf("h264-aac", ALL));
    expect(playlist).toMatchObject({ type: "VOD", isEnded: true });
    const last = playlist!.segments.at(-1)!;
    expect(last.offset + last.size).toBeLessThanOrEqual(size);
    expect(last.offset + last.size).toBeGreaterThan(size - 20_000);
  });

  it("of MPEG-TS is there up to the last piece that a random access point follows", async () => {
    const http = await httpForTest({ transcodingMost: 1 });
    const [source] = await sourcesOf("v1.20.1", "mpegts");
    const { fragments } = (await inspected(path.join(FIXTURE_DIR, "v1.20.1", source!.filePath))).fragments!;
    const second = fragments[1]!.offsetBytes;
    const writer = new Writer(http, source!);
    await writer.create();
    // PAT and PMT of the next piece end none.
    await writer.write(0, second + 2 * 188 + 100);
    for (const live of [{}, { live: "1" }])
      expect(await look(http, targetOf("mpegts", { ...ALL, ...live }))).toBeUndefined();
    await writer.write(second + 2 * 188 + 100, second + 3 * 188);
    for (const live of [{}, { live: "1" }]) {
      const playlist = await look(http, targetOf("mpegts", { ...ALL, ...live }));
      expect(playlist!.segments.map(({ offset, size }) => [offset, size])).toEqual([[0, second]]);
    }
    const url = `/api/v1/recordings/${writer.id}/media.ts`;
    const behind = await ask(http, url, { headers: { range: `bytes=${second + 3 * 188}-` } });
    expect([behind.status, behind.headers["content-range"]]).toEqual([416, `bytes */${second + 3 * 188}`]);
    expect(problemIn(await ask(http, url)).status).toBe(409);
    const picture = await ask(http, "/api/v1/thumbnail.jpg?path=mpegts");
    expect([picture.status, picture.headers["reelkeeper-taken-at"]]).toEqual([200, formatRfc3339(source!.startUs)]);
  });

  it("is sent by ranges up to there, never whole, and nothing behind it", async () => {
    const http = await httpForTest();
    const { writer, source, half: size } = await half(http);
    const last = (await look(http, targetOf("h264-aac", ALL)))!.segments.at(-1)!;
    const end = last.offset + last.size;
    const url = `/api/v1/recordings/${writer.id}/media.mp4`;
    const got = await ask(http, url, { headers: { range: `bytes=100-${size + 10_000}` } });
    expect([got.status, got.headers["content-range"], got.headers.etag]).toEqual([
      206,
      `bytes 100-${end - 1}/*`,
      undefined,
    ]);
    expect(got.bytes.equals(unfinalised(source.bytes).subarray(100, end))).toBe(true);
    expect(problemIn(await ask(http, url)).status).toBe(409);
    expect((await ask(http, url, { method: "HEAD" })).status).toBe(409);
    const behind = await ask(http, url, { headers: { range: `bytes=${end}-${end + 1}` } });
    expect([problemIn(behind).status, behind.headers["content-range"]]).toEqual([416, `bytes */${end}`]);
    await writer.write(size, source.bytes.length);
    expect((await ask(http, url, { headers: { range: `bytes=${end}-` } })).bytes).toHaveLength(
      source.bytes.length - end,
    );
  });

  it("that another file took the place of is walked from its beginning", async () => {
    const http = await httpForTest();
    const { writer } = await half(http);
    await look(http, targetOf("h264-aac", ALL));
    const [, other] = await sourcesOf("v1.20.1", "h264-aac");
    await writeFile(writer.file, "");
    expect(await look(http, targetOf("h264-aac", ALL))).toBeUndefined();
    await writeFile(writer.file, unfinalised(other!.bytes));
    const playlist = await look(http, targetOf("h264-aac", ALL));
    expect(playlist!.segments.at(-1)!.offset + playlist!.segments.at(-1)!.size).toBe(other!.bytes.length);
  });

  it("and is gone is in no playlist, and answers no range", async () => {
    const http = await httpForTest();
    const [source] = await sourcesOf("v1.20.1", "h264-aac");
    const writer = new Writer(http, source!);
    await writer.create();
    await unlink(writer.file);
    expect(await look(http, targetOf("h264-aac", ALL))).toBeUndefined();
    const url = `/api/v1/recordings/${writer.id}/media.mp4`;
    expect(problemIn(await ask(http, url, { headers: { range: "bytes=0-9" } })).status).toBe(416);
  });
});

describe("a live playlist", () => {
  const target = targetOf("h264-aac", { ...ALL, live: "1" });

  async function twoFiles(http: HttpHarness): Promise<[Writer, Writer, Source, Source]> {
    const [first, second] = await sourcesOf("v1.20.1", "h264-aac");
    const writers: [Writer, Writer] = [new Writer(http, first!), new Writer(http, second!)];
    for (const writer of writers) await writer.create();
    return [...writers, first!, second!];
  }

  it("names a file to its end whose closing was not noticed, once there is a newer one", async () => {
    const http = await httpForTest();
    const [older, newer, first, second] = await twoFiles(http);
    await older.write(0, first.bytes.length);
    await newer.write(0, second.bytes.length);
    const before = await look(http, target);
    const own = before!.segments.filter(({ uri }) => uri.includes(older.id));
    expect(own.at(-1)!.offset + own.at(-1)!.size).toBe(first.bytes.length);
    expect(before!.segments.some(({ uri }) => uri.includes(newer.id))).toBe(true);
    await older.goOn();
    await older.goOn();
    expect((await look(http, target))!.text).toBe(before!.text);
  });

  it("stops before a file of which nothing can be named yet, though a newer one could be", async () => {
    const http = await httpForTest();
    const [older, newer, first, second] = await twoFiles(http);
    await newer.write(0, second.bytes.length);
    expect(await look(http, target)).toBeUndefined();
    const ordinary = await look(http, targetOf("h264-aac", ALL));
    expect(ordinary!.segments.every(({ uri }) => uri.includes(newer.id))).toBe(true);
    await older.write(0, first.bytes.length);
    expect((await look(http, target))!.segments[0]!.uri).toContain(older.id);
  });

  it("keeps no file open for viewers that leave in the middle of a growing one", async () => {
    const http = await httpForTest();
    const [older, , first] = await twoFiles(http);
    await older.write(0, first.bytes.length);
    const openFiles = async (): Promise<number> => {
      const descriptors = await readdir("/proc/self/fd");
      const targets = await Promise.all(descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
      return targets.filter((file) => file === older.file).length;
    };
    for (let round = 0; round < 20; round += 1) {
      const gone = new AbortController();
      const url = `http://127.0.0.1:${http.port}/api/v1/recordings/${older.id}/media.mp4`;
      const answer = await fetch(url, { headers: { range: "bytes=0-" }, signal: gone.signal });
      expect(answer.status).toBe(206);
      gone.abort();
    }
    await waitFor("the file to be closed", async () => (await openFiles()) === 0);
    expect(http.log.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("ends when the footage has reached the end of its range, or the time has passed", async () => {
    const http = await httpForTest();
    const placed = await addFixture(http, ["v1.20.1", "h264-aac"]);
    const { startUs } = placed[2]!.recording;
    const early = { from: ALL.from, to: formatRfc3339(startUs + 1_000_000), live: "1" };
    expect((await look(http, targetOf("h264-aac", early)))!.isEnded).toBe(true);
    const late = targetOf("h264-aac", { ...ALL, live: "1" });
    expect((await look(http, late))!.isEnded).toBe(false);
    const untilUs = Date.parse(ALL.to) * 1_000 + 60_000_000;
    await http.catalog.clock.advance((untilUs - http.catalog.clock.nowUs()) / 1_000 - 1);
    expect((await look(http, late))!.isEnded).toBe(false);
    await http.catalog.clock.advance(1);
    expect((await look(http, late))!.isEnded).toBe(true);
  });
});

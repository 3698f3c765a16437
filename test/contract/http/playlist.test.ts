/** HLS playlists over real recordings of MediaMTX, read by a reader that shares no code with the product. */
import { execFile } from "node:child_process";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { formatRfc3339 } from "../../../src/core/instant.js";
import { parsePathName } from "../../../src/core/path-name.js";
import type { Recording } from "../../../src/core/recording.js";
import { addFixture, type Placed, VERSIONS } from "../../support/footage-rows.js";
import { checkPlaylist, type CheckedPlaylist } from "../../support/hls-check.js";
import { ask, problemIn } from "../../support/http-ask.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";
import { addFile } from "../../support/http-rows.js";

const run = promisify(execFile);
const BIG = { maxBuffer: 100_000_000 };
const CAMERAS = ["h264-aac", "h264-bframes", "h265-only", "killed"];
const ALL = { from: "2026-11-20T17:00:00Z", to: "2026-11-20T18:00:00Z" };

function targetOf(path: string, range: { from: string; to: string } = ALL): string {
  return `/api/v1/playlist.m3u8?${new URLSearchParams({ path, ...range }).toString()}`;
}

/** Asks for it as a player would, and checks it against the bytes that the server sends. */
async function playlistOf(http: HttpHarness, target: string): Promise<CheckedPlaylist> {
  const answer = await ask(http, target);
  expect(answer.status, answer.text).toBe(200);
  expect(answer.headers["content-type"]).toBe("application/vnd.apple.mpegurl");
  return checkPlaylist(answer.text, (uri, offset, size) => bytesOf(http, uri, offset, size));
}

async function bytesOf(http: HttpHarness, uri: string, offset: number, size: number | undefined): Promise<Buffer> {
  const range = size === undefined ? {} : { headers: { range: `bytes=${offset}-${offset + size - 1}` } };
  const answer = await ask(http, new URL(uri, "http://x/api/v1/playlist.m3u8").pathname, range);
  expect(answer.status).toBe(size === undefined ? 200 : 206);
  return answer.bytes;
}

/** Hashes of the video packets that FFmpeg reads, in order. */
async function packetsOf(input: string): Promise<string[]> {
  const shown = ["-show_packets", "-show_data_hash", "md5", "-show_entries", "packet=data_hash", "-of", "csv=p=0"];
  const { stdout } = await run("ffprobe", ["-v", "error", "-select_streams", "v:0", ...shown, input], BIG);
  return stdout.split("\n").filter((line) => line !== "");
}

/** Plays it whole; rejects at the first error, whatever it is. */
async function play(input: string): Promise<void> {
  const { stderr } = await run("ffmpeg", ["-v", "error", "-xerror", "-i", input, "-f", "null", "-"], BIG);
  expect(stderr).toBe("");
}

/** MD5 of each picture, as FFmpeg decodes it. */
async function framesOf(input: string): Promise<string[]> {
  const { stdout } = await run("ffmpeg", ["-v", "error", "-i", input, "-map", "0:v", "-f", "framemd5", "-"], BIG);
  return stdout.split("\n").flatMap((line) => (line.startsWith("0,") ? [line.split(",").at(-1)!.trim()] : []));
}

/** As one file after the other, which to FFmpeg ends a frame where the next one begins. */
async function expectPlayedWhole(http: HttpHarness, camera: string, placed: readonly Placed[]): Promise<void> {
  const url = `http://127.0.0.1:${http.port}${targetOf(camera)}`;
  const joined = path.join(http.recordDir, "joined.ts");
  for (const { file } of placed) await appendFile(joined, await readFile(file));
  expect(await packetsOf(url)).toEqual(await packetsOf(joined));
  expect(await framesOf(url)).toEqual(await framesOf(joined));
  await play(url);
}

const secOf = ({ startUs, endUs }: Recording): number => (endUs - startUs) / 1e6;

describe.each(VERSIONS)("the playlist of recordings by MediaMTX %s", (version) => {
  it.each(CAMERAS)("of %s names every fragment of every file, in order, with its time", async (camera) => {
    const http = await httpForTest();
    const placed = await addFixture(http, [version, camera]);
    const playlist = await playlistOf(http, targetOf(camera));
    expect(playlist).toMatchObject({ version: 6, type: "VOD", isEnded: true });
    const uris = [...new Set(playlist.segments.map(({ uri }) => uri))];
    expect(uris).toEqual(placed.map(({ recording }) => `recordings/${recording.id}/media.mp4`));
    expect(playlist.discontinuities).toBe(placed.length - 1);
    for (const { recording } of placed) {
      const own = playlist.segments.filter(({ uri }) => uri.includes(recording.id));
      expect(Math.abs(own[0]!.wallSec - recording.startUs / 1e6)).toBeLessThan(0.2);
      const sec = own.reduce((sum, segment) => sum + segment.sec, 0);
      expect(Math.abs(sec - secOf(recording))).toBeLessThan(0.5);
      if (!recording.partial) expect(own.at(-1)!.offset + own.at(-1)!.size).toBe(recording.bytes);
    }
  });

  // FFmpeg reads every packet, but takes the frames for unwanted whose time a new file begins again: packets are counted.
  it.each(CAMERAS)("of %s is read whole by FFmpeg, packet for packet, and decodes without an error", async (camera) => {
    const http = await httpForTest();
    const placed = await addFixture(http, [version, camera]);
    const url = `http://127.0.0.1:${http.port}${targetOf(camera)}`;
    const packets = await packetsOf(url);
    const expected: string[] = [];
    for (const { file } of placed) expected.push(...(await packetsOf(file)));
    expect(packets).toEqual(expected);
    expect(packets).toHaveLength((await playlistOf(http, targetOf(camera))).samples);
    await play(url);
  });
});

describe("any range", () => {
  const SEC = 1_000_000;

  it.each(["h264-aac", "h264-bframes", "killed"])(
    "of %s holds all that was recorded in it, from the sync sample before, and no more",
    async (camera) => {
      const http = await httpForTest();
      const placed = (await addFixture(http, ["v1.20.1", camera])).map(({ recording }) => recording);
      const [firstUs, lastUs] = [placed[0]!.startUs - 2 * SEC, placed.at(-1)!.endUs + 2 * SEC];
      const instant = fc.integer({ min: firstUs, max: lastUs });
      await fc.assert(
        fc.asyncProperty(instant, instant, async (one, other) => {
          const [fromUs, toUs] = [Math.min(one, other), Math.max(one, other) + 1];
          const target = targetOf(camera, { from: formatRfc3339(fromUs), to: formatRfc3339(toUs) });
          const answer = await ask(http, target);
          // By its own clock a file may go on for a little after its video ends.
          const inside = placed.filter(({ startUs, endUs }) => startUs < toUs && endUs - SEC / 2 > fromUs);
          if (answer.status === 404) {
            expect(inside).toEqual([]);
            return;
          }
          const { segments } = await playlistOf(http, target);
          for (const { id, startUs, endUs } of inside) {
            const own = segments.filter(({ uri }) => uri.includes(id));
            const [begins, last] = [own[0]!.wallSec * 1e6, own.at(-1)!];
            const ends = (last.wallSec + last.sec) * 1e6;
            expect(begins).toBeLessThanOrEqual(Math.max(fromUs, startUs) + 2);
            // A GOP lasts two seconds, and a fragment one.
            expect(begins).toBeGreaterThan(Math.max(fromUs, startUs) - 3.2 * SEC);
            expect(ends).toBeGreaterThan(Math.min(toUs, endUs - SEC / 2) - 2);
            expect(last.wallSec * 1e6).toBeLessThan(toUs);
          }
        }),
        { numRuns: 25, seed: 20_261_127 },
      );
    },
  );

  it("of a day has longer segments than one of an hour, of the same bytes", async () => {
    const http = await httpForTest();
    await addFixture(http, ["v1.20.1", "h264-bframes"]);
    const day = { from: "2026-11-20T00:00:00Z", to: "2026-11-21T00:00:00Z" };
    const [long, short] = [
      await playlistOf(http, targetOf("h264-bframes", day)),
      await playlistOf(http, targetOf("h264-bframes")),
    ];
    expect(long.segments.length).toBeLessThan(short.segments.length);
    expect([long.samples, Math.round(long.sec * 1e4)]).toEqual([short.samples, Math.round(short.sec * 1e4)]);
  });
});

describe.each(VERSIONS)("MPEG-TS recordings by MediaMTX %s", (version) => {
  it("are cut at every picture that needs no other, and play whole", async () => {
    const http = await httpForTest();
    const placed = await addFixture(http, [version, "mpegts"]);
    const playlist = await playlistOf(http, targetOf("mpegts"));
    expect(playlist).toMatchObject({ version: 4, isIndependent: true, discontinuities: placed.length - 1 });
    expect(playlist.segments.map(({ sec }) => sec)).toEqual([2, 2, 2, 2, 2]);
    for (const { recording } of placed) {
      const own = playlist.segments.filter(({ uri }) => uri === `recordings/${recording.id}/media.ts`);
      expect(own.reduce((sum, { size }) => sum + size, 0)).toBe(recording.bytes);
      expect(own[0]?.wallSec).toBeCloseTo(recording.startUs / 1e6, 5);
    }
    await expectPlayedWhole(http, "mpegts", placed);
  });

  it("are one segment for each file where nobody knows where to cut", async () => {
    const http = await httpForTest();
    const placed = await addFixture(http, [version, "mpegts"]);
    await http.catalog.db("fragment_indexes").delete();
    const playlist = await playlistOf(http, targetOf("mpegts"));
    expect(playlist).toMatchObject({ version: 3, isIndependent: false, discontinuities: placed.length - 1 });
    expect(playlist.segments.map(({ uri, size }) => [uri, size])).toEqual(
      placed.map(({ recording }) => [`recordings/${recording.id}/media.ts`, recording.bytes]),
    );
    for (const [index, { recording }] of placed.entries()) {
      expect(playlist.segments[index]!.sec).toBeCloseTo(secOf(recording), 5);
    }
    await expectPlayedWhole(http, "mpegts", placed);
  });

  it("begin at the sync sample before the range, and decode from there without what comes before", async () => {
    const http = await httpForTest();
    const placed = await addFixture(http, [version, "mpegts"]);
    const fromUs = placed[0]!.recording.startUs + 3e6;
    const range = { from: formatRfc3339(fromUs), to: formatRfc3339(fromUs + 2e6) };
    const { segments } = await playlistOf(http, targetOf("mpegts", range));
    // One second before the range, and where the next file begins.
    expect(segments.map(({ wallSec }) => Math.round(wallSec - fromUs / 1e6))).toEqual([-1, 1]);
    expect(segments[0]?.offset).toBeGreaterThan(0);
    for (const { uri, offset, size } of segments) {
      const file = path.join(http.recordDir, "piece.ts");
      await writeFile(file, await bytesOf(http, uri, offset, size));
      expect(await framesOf(file)).toHaveLength(20);
      await play(file);
    }
  });

  it("end where fMP4 recordings begin, and the answer says where to ask on", async () => {
    const http = await httpForTest();
    const changes = { path: parsePathName("mixed") };
    const streams = await addFixture(http, [version, "mpegts"], changes);
    const files = await addFixture(http, [version, "killed"], changes);
    const answer = await ask(http, targetOf("mixed"));
    const { startUs } = files[0]!.recording;
    expect(answer.headers["reelkeeper-format-changes-at"]).toBe(formatRfc3339(startUs));
    const { segments } = await playlistOf(http, targetOf("mixed"));
    expect(new Set(segments.map(({ uri }) => uri)).size).toBe(streams.length);
    const rest = await ask(http, targetOf("mixed", { from: formatRfc3339(startUs), to: ALL.to }));
    expect([rest.status, rest.headers["reelkeeper-format-changes-at"]]).toEqual([200, undefined]);
    expect(rest.text).toContain(files.at(-1)!.recording.id);
  });
});

describe("a multivariant playlist", () => {
  it("says what its range needs, and leads to the playlist of the same range", async () => {
    const http = await httpForTest();
    await addFixture(http, ["v1.20.1", "h264-aac"]);
    const answer = await ask(http, `${targetOf("h264-aac")}&multivariant=1`);
    const lines = answer.text.split("\n");
    expect(lines.slice(0, 2)).toEqual(["#EXTM3U", "#EXT-X-VERSION:6"]);
    const [, bandwidth, mean, codecs] =
      /^#EXT-X-STREAM-INF:BANDWIDTH=(\d+),AVERAGE-BANDWIDTH=(\d+),CODECS="([^"]+)",RESOLUTION=320x180,FRAME-RATE=(?:9|10)\.\d{3}$/.exec(
        lines[2]!,
      ) ?? [];
    expect(codecs).toBe(answer.headers["reelkeeper-codecs"]);
    const media = await playlistOf(http, `/api/v1/${lines[3]!}`);
    expect(media.segments).toEqual((await playlistOf(http, targetOf("h264-aac"))).segments);
    const rates = media.segments.map(({ size, sec }) => (size * 8) / sec);
    expect(Number(bandwidth)).toBe(Math.ceil(Math.max(...rates)));
    expect(Number(mean)).toBeLessThan(Number(bandwidth));
  });

  it.each([
    ["h264-aac", "yes"],
    ["h265-only", "some"],
  ])("of %s tells whether browsers play it: %s", async (camera, playable) => {
    const http = await httpForTest();
    await addFixture(http, ["v1.20.1", camera]);
    expect((await ask(http, targetOf(camera))).headers["reelkeeper-playable"]).toBe(playable);
  });

  it("of a camera with G.711 says that no browser plays it", async () => {
    const http = await httpForTest();
    const recording = (await addFixture(http, ["v1.20.1", "h264-bframes"]))[0]!.recording;
    const sound = { kind: "audio", id: 2, codec: "ipcm", timescale: 8_000, sampleRateHz: 8_000, channels: 1 };
    const tracks = JSON.stringify([...recording.tracks, sound]);
    await http.catalog.db("recordings").where({ id: recording.id }).update({ tracks });
    const { headers } = await ask(http, targetOf("h264-bframes"));
    expect([headers["reelkeeper-playable"], headers["reelkeeper-codecs"]]).toEqual([
      "no",
      expect.stringContaining(",ipcm"),
    ]);
  });
});

describe("a request for a playlist", () => {
  it("names the codecs of its range", async () => {
    const http = await httpForTest();
    await addFixture(http, ["v1.20.1", "h264-aac"]);
    const { headers } = await ask(http, targetOf("h264-aac"));
    expect(headers["reelkeeper-codecs"]).toMatch(/^avc1\.[0-9a-f]{6},mp4a\.40\.2$/);
  });

  it("is told when nothing of its range can be played", async () => {
    const http = await httpForTest();
    await addFile(http, 1, { content: Buffer.from("not inspected yet") });
    for (const path of ["cam1", "never/seen"]) {
      expect(problemIn(await ask(http, targetOf(path))).detail).toContain(`nothing of ${path} can be played`);
    }
  });

  it.each([
    [{ from: ALL.to, to: ALL.from }, "to", "expected an instant after from"],
    [{ from: ALL.from, to: ALL.from }, "to", "expected an instant after from"],
    [{ from: ALL.from, to: "2026-11-21T17:00:00.000001Z" }, "to", "expected at most 24 h after from"],
    [{ from: "yesterday", to: ALL.to }, "from", "RFC 3339"],
  ])("of %o is refused by the name of the field", async (range, field, message) => {
    const http = await httpForTest();
    const problem = problemIn(await ask(http, targetOf("cam1", range)));
    expect(problem.status).toBe(400);
    expect(problem.errors).toEqual([{ field, message: expect.stringContaining(message) as string }]);
  });

  it("may ask for 24 h to the microsecond", async () => {
    const http = await httpForTest();
    await addFixture(http, ["v1.20.1", "h264-aac"]);
    const fromUs = Date.parse(ALL.from) * 1_000;
    const to = formatRfc3339(fromUs + 86_400_000_000);
    expect((await ask(http, targetOf("h264-aac", { from: ALL.from, to }))).status).toBe(200);
  });
});

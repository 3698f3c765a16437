/** HLS playlists over real recordings of MediaMTX, read by a reader that shares no code with the product. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { describe, expect, it } from "vitest";

import { formatRfc3339 } from "../../../src/core/instant.js";
import type { Recording } from "../../../src/core/recording.js";
import { addFixture, VERSIONS } from "../../support/footage-rows.js";
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

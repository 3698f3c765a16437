/** Periodic pictures as viewers get them: in the place of decoded ones, and many in one with an index. */
import { execFile } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { describe, expect, it } from "vitest";

import { formatRfc3339, parseRfc3339 } from "../../../src/core/instant.js";
import { ask, problemIn } from "../../support/http-ask.js";
import { addFixtures } from "../../support/http-footage.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";
import { addRow, at } from "../../support/http-rows.js";
import { addThumbnail, jpegOf } from "../../support/http-thumbnails.js";
import { tempDir } from "../../support/temp-dir.js";

const run = promisify(execFile);
const NO_FFMPEG = { configuredPath: "/nowhere/ffmpeg", env: process.env };
const COLOURS = ["red", "lime", "blue", "yellow", "white"] as const;
const RGB = { red: [254, 0, 0], lime: [0, 255, 1], blue: [0, 0, 254], yellow: [255, 255, 0], white: [255, 255, 255] };

function range(fromSec: number, toSec: number, more: Readonly<Record<string, string>> = {}): string {
  const [from, to] = [formatRfc3339(at(fromSec)), formatRfc3339(at(toSec))];
  return new URLSearchParams({ path: "cam1", from, to, ...more }).toString();
}

/** One row of five minutes after another, each with a picture of its own colour. */
async function addCamera(http: HttpHarness, colours: readonly string[], size?: (index: number) => string) {
  for (const [index, colour] of colours.entries()) {
    const row = await addRow(http.catalog, index * 300, { endUs: at(index * 300 + 300), local: "present" });
    await addThumbnail(http, row, { atUs: at(index * 300), jpeg: await jpegOf(colour, size?.(index)) });
  }
}

/** `x,y` → red, green, blue of that pixel of a JPEG. */
async function pixelsOf(jpeg: Buffer, places: readonly (readonly [number, number])[]): Promise<number[][]> {
  const file = path.join(await tempDir(), "sprite.jpg");
  writeFileSync(file, jpeg);
  const pixels: number[][] = [];
  for (const [x, y] of places) {
    const filter = `crop=1:1:${String(x)}:${String(y)}:exact=1,format=rgb24`;
    const args = ["-v", "error", "-i", file, "-vf", `format=rgb24,${filter}`, "-f", "rawvideo", "-"];
    pixels.push([...(await run("ffmpeg", args, { encoding: "buffer" })).stdout]);
  }
  return pixels;
}

function expectColour(pixel: readonly number[] | undefined, [r = 0, g = 0, b = 0]: readonly number[]): void {
  const distance = Math.hypot((pixel?.[0] ?? 999) - r, (pixel?.[1] ?? 999) - g, (pixel?.[2] ?? 999) - b);
  expect(distance, JSON.stringify([pixel, [r, g, b]])).toBeLessThan(40);
}

async function sizeOf(jpeg: Buffer): Promise<string> {
  const file = path.join(await tempDir(), "x.jpg");
  writeFileSync(file, jpeg);
  const args = ["-v", "error", "-show_entries", "stream=width,height", "-of", "csv=p=0", file];
  return (await run("ffprobe", args)).stdout.trim();
}

/** What a page does with the index. */
function cuesIn(vtt: string) {
  return [...vtt.matchAll(/^(\S+) --> (\S+)\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)$/gm)].map(
    ([, from = "", to = "", url = "", ...box]) => ({ from, to, url, box: box.map(Number) }),
  );
}

describe("a sprite", () => {
  it("holds the pictures of the range, each where the index says", async () => {
    const http = await httpForTest();
    await addCamera(http, COLOURS);
    const index = await ask(http, `/api/v1/sprite.vtt?${range(0, 1_500)}`);
    expect([index.status, index.headers["content-type"]]).toEqual([200, expect.stringContaining("text/vtt")]);
    expect(index.text.startsWith("WEBVTT\n\n")).toBe(true);
    const cues = cuesIn(index.text);
    expect(cues.map(({ from, to }) => `${from} ${to}`)).toEqual([
      ...["00:00:00.000 00:05:00.000", "00:05:00.000 00:10:00.000", "00:10:00.000 00:15:00.000"],
      ...["00:15:00.000 00:20:00.000", "00:20:00.000 00:25:00.000"],
    ]);
    const sprite = await ask(http, `/api/v1/${cues[0]!.url}`);
    expect([sprite.status, sprite.headers["content-type"]]).toEqual([200, "image/jpeg"]);
    expect(await sizeOf(sprite.bytes)).toBe("800,90");
    const middles = cues.map(({ box: [x = 0, y = 0, w = 0, h = 0] }) => [x + w / 2, y + h / 2] as const);
    for (const [index2, pixel] of (await pixelsOf(sprite.bytes, middles)).entries()) {
      expectColour(pixel, RGB[COLOURS[index2]!]);
    }
  });

  it("begins a new row after ten, fits every shape, and leaves the rest black", async () => {
    const http = await httpForTest();
    const colours = Array.from({ length: 12 }, (_, index) => COLOURS[index % COLOURS.length]!);
    // A camera that was turned, and one of the old shape.
    const sizes = ["640x360", "360x640", "640x480"];
    await addCamera(http, colours, (index) => sizes[index % 3]!);
    const cues = cuesIn((await ask(http, `/api/v1/sprite.vtt?${range(0, 3_600, { width: "80" })}`)).text);
    const sprite = await ask(http, `/api/v1/${cues[0]!.url}`);
    expect(await sizeOf(sprite.bytes)).toBe("800,92");
    expect(cues.at(-1)!.box).toEqual([80, 46, 80, 46]);
    const middles = cues.map(({ box: [x = 0, y = 0, w = 0, h = 0] }) => [x + w / 2, y + h / 2] as const);
    const pixels = await pixelsOf(sprite.bytes, [...middles, [83, 22], [600, 66]]);
    for (const [index, colour] of colours.entries()) expectColour(pixels[index], RGB[colour]);
    // Beside the picture of the turned camera, and where there are no tiles.
    expectColour(pixels[12], [0, 0, 0]);
    expectColour(pixels[13], [0, 0, 0]);
  });

  it("thins out evenly what is more than asked for", async () => {
    const http = await httpForTest();
    await addCamera(http, COLOURS);
    const cues = cuesIn((await ask(http, `/api/v1/sprite.vtt?${range(0, 1_500, { tiles: "2" })}`)).text);
    expect(cues.map(({ from, to }) => [from, to])).toEqual([
      ["00:00:00.000", "00:10:00.000"],
      ["00:10:00.000", "00:25:00.000"],
    ]);
  });

  it("is made once, answered by its ETag, and another one when there is another picture", async () => {
    const http = await httpForTest();
    await addCamera(http, ["red", "lime"]);
    const [cue] = cuesIn((await ask(http, `/api/v1/sprite.vtt?${range(0, 1_500)}`)).text);
    const target = `/api/v1/${cue!.url}`;
    const first = await ask(http, target);
    const { etag = "" } = first.headers;
    const known = await ask(http, target, { headers: { "if-none-match": etag } });
    expect([known.status, known.bytes.length, known.headers.etag]).toEqual([304, 0, etag]);
    const plain = await ask(http, `/api/v1/sprite.jpg?${range(0, 1_500)}`);
    expect(plain.bytes.equals(first.bytes)).toBe(true);
    const row = await addRow(http.catalog, 900, { endUs: at(1_200) });
    await addThumbnail(http, row, { atUs: at(900), jpeg: await jpegOf("blue") });
    const outdated = problemIn(await ask(http, target));
    expect([outdated.status, outdated.detail]).toEqual([404, expect.stringContaining("others by now")]);
    const later = await ask(http, `/api/v1/sprite.jpg?${range(0, 1_500)}`);
    expect([later.status, later.headers.etag === etag]).toEqual([200, false]);
  });

  it("of a range without pictures, or whose recordings are gone, is not found", async () => {
    const http = await httpForTest();
    await addCamera(http, ["red", "lime"]);
    const both = async (query: string) => {
      const index = await ask(http, `/api/v1/sprite.vtt?${query}`);
      return [index.status, index.text, problemIn(await ask(http, `/api/v1/sprite.jpg?${query}`)).status];
    };
    expect(await both(range(2_000, 3_000))).toEqual([200, "WEBVTT\n", 404]);
    await http.catalog.db("recordings").update({ local: "deleted", archive: "deleted" });
    expect(await both(range(0, 1_500))).toEqual([200, "WEBVTT\n", 404]);
  });

  it("of which somebody took a picture out of the store is there without it the next time", async () => {
    const http = await httpForTest();
    await addCamera(http, ["red", "lime", "blue"]);
    const bucket = path.join(path.dirname(http.recordDir), "bucket");
    const [{ object_key: key }] = (await http.catalog.db("thumbnails").orderBy("at_us")) as [{ object_key: string }];
    expect(existsSync(path.join(bucket, key))).toBe(true);
    await rm(path.join(bucket, key));
    expect(problemIn(await ask(http, `/api/v1/sprite.jpg?${range(0, 1_500)}`)).status).toBe(503);
    expect(await sizeOf((await ask(http, `/api/v1/sprite.jpg?${range(0, 1_500)}`)).bytes)).toBe("320,90");
  });

  it("without ffmpeg says so", async () => {
    const http = await httpForTest({ ffmpeg: NO_FFMPEG });
    await addCamera(http, ["red"]);
    const problem = problemIn(await ask(http, `/api/v1/sprite.jpg?${range(0, 1_500)}`));
    expect([problem.status, problem.detail]).toEqual([503, expect.stringContaining("ffmpeg")]);
  });
});

describe("a thumbnail where there is a periodic picture", () => {
  const of = (atUs: number, more: Readonly<Record<string, string>> = {}): string =>
    `/api/v1/thumbnail.jpg?${new URLSearchParams({ path: "cam1", at: formatRfc3339(atUs), ...more }).toString()}`;

  it("is that one, when it is of the same sync sample: no footage is read", async () => {
    const http = await httpForTest({ ffmpeg: NO_FFMPEG });
    const [recording] = await addFixtures(http, "v1.20.1/h264-aac", { where: "archived" });
    const { "reelkeeper-taken-at": taken } = (await ask(http, of(recording!.startUs), { method: "HEAD" })).headers;
    const jpeg = await jpegOf("red");
    await addThumbnail(http, recording!, { atUs: parseRfc3339(String(taken)), jpeg });
    const answer = await ask(http, of(recording!.startUs));
    expect([answer.status, answer.bytes.equals(jpeg)]).toEqual([200, true]);
    // Of another sync sample there is none, nor is it wide enough for more.
    expect((await ask(http, of(recording!.startUs + 2_500_000))).status).toBe(503);
    expect((await ask(http, of(recording!.startUs, { width: "1000" }))).status).toBe(503);
  });

  it("may be a little older when that is asked for, and is made as wide as asked", async () => {
    const http = await httpForTest();
    const rows = await addFixtures(http, "v1.20.1/h264-aac", { where: "archived" });
    const head = await ask(http, of(rows[0]!.startUs), { method: "HEAD" });
    const taken = String(head.headers["reelkeeper-taken-at"]);
    await addThumbnail(http, rows[0]!, { atUs: parseRfc3339(taken), jpeg: await jpegOf("lime") });
    const late = rows[1]!.startUs + 1_000_000;
    const near = await ask(http, of(late, { tolerance: "60", width: "160" }));
    expect([near.status, near.headers["reelkeeper-taken-at"], await sizeOf(near.bytes)]).toEqual([
      ...[200, taken, "160,90"],
    ]);
    expectColour((await pixelsOf(near.bytes, [[80, 45]]))[0], RGB.lime);
    const exact = await ask(http, of(late, { width: "160" }));
    expect([exact.status, exact.headers["reelkeeper-taken-at"] === taken]).toEqual([200, false]);
    const tooOld = await ask(http, of(late, { tolerance: "1", width: "160" }));
    expect(tooOld.headers["reelkeeper-taken-at"]).toBe(exact.headers["reelkeeper-taken-at"]);
  });

  it("is never from before the range that a caller may see", async () => {
    const jpeg = await jpegOf("red");
    let fromUs = 0;
    const http = await httpForTest({
      identify: () =>
        Promise.resolve({
          ...({ kind: "share", id: "s", name: "share", role: "viewer", scopes: [], sessionId: null } as const),
          range: { fromUs, toUs: fromUs + 60_000_000 },
        }),
    });
    const rows = await addFixtures(http, "v1.20.1/h264-aac");
    fromUs = rows[1]!.startUs + 100_000;
    await addThumbnail(http, rows[0]!, { atUs: rows[0]!.startUs, jpeg });
    const answer = await ask(http, of(fromUs + 500_000, { tolerance: "3600" }));
    expect([answer.status, answer.bytes.equals(jpeg)]).toEqual([200, false]);
  });
});

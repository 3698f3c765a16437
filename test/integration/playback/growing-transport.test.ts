/**
 * MPEG-TS that a real MediaMTX is writing: played up to its last whole piece, and the same once it is closed; clips of its
 * last seconds, and H.264 made of it, meanwhile.
 */
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { expect, it } from "vitest";

import { type CheckedPlaylist, checkPlaylist } from "../../support/hls-check.js";
import { formatRfc3339, parseRfc3339 } from "../../../src/core/instant.js";
import { decodeWarnings, type ProbedPacket, probePackets, probeWarnings } from "../../support/media-probe.js";
import { waitFor } from "../../support/wait-for.js";
import { folderScene, type Scene } from "../app/scene.js";

interface Looked extends CheckedPlaylist {
  readonly text: string;
}

async function bytesOf({ app }: Scene, uri: string, offset: number, size: number): Promise<Buffer> {
  const headers = { range: `bytes=${offset}-${offset + size - 1}` };
  const answer = await fetch(`${app.url}/api/v1/${uri}`, { headers });
  expect(answer.status).toBe(206);
  return Buffer.from(await answer.arrayBuffer());
}

type Query = Readonly<Record<string, string>>;

/** Undefined: there is nothing to play yet. */
async function textOf({ app }: Scene, query: Query): Promise<string | undefined> {
  const answer = await fetch(`${app.url}/api/v1/playlist.m3u8?${new URLSearchParams(query).toString()}`);
  if (answer.status === 404) return undefined;
  expect(answer.status).toBe(200);
  return answer.text();
}

/** Each named range is fetched, and has to begin with PAT and PMT, and to hold a sync sample. */
async function look(scene: Scene, query: Query): Promise<Looked | undefined> {
  const text = await textOf(scene, query);
  if (text === undefined) return undefined;
  const playlist = await checkPlaylist(text, (uri, offset, size) => bytesOf(scene, uri, offset, size ?? 0));
  return { ...playlist, text };
}

/** Resolves once so many pieces are named; none that was named changes meanwhile. */
function lookUntil(scene: Scene, query: Query, pieces: number): Promise<Looked> {
  let seen = "";
  return waitFor(
    `${pieces} pieces of a file that is written`,
    async () => {
      const playlist = await look(scene, { ...query, live: "1" });
      expect(playlist === undefined ? "" : playlist.text.slice(0, seen.length)).toBe(seen);
      seen = playlist?.text ?? "";
      return playlist !== undefined && playlist.segments.length >= pieces && playlist;
    },
    { timeoutMs: 60_000, intervalMs: 200 },
  );
}

/** Where the camera was cut off, the last piece may be a single picture: as text. */
async function closedText(scene: Scene, query: Query): Promise<string | undefined> {
  await waitFor(
    "the file to be closed and looked into",
    async () => {
      const closed = await scene.app.recordings();
      return closed.every(({ local, mediaDurationSec }) => local === "present" && mediaDurationSec !== null);
    },
    { timeoutMs: 60_000 },
  );
  return textOf(scene, { ...query, live: "1" });
}

function around(): { readonly path: string; readonly from: string; readonly to: string } {
  const [from, to] = [-60_000, 3_600_000].map((ms) => new Date(Date.now() + ms).toISOString());
  return { path: "cam1", from: from!, to: to! };
}

/** Of a file with which neither ffmpeg nor ffprobe finds any fault, and which begins with a sync sample. */
async function picturesOf(scene: Scene, target: string): Promise<ProbedPacket[]> {
  return (await madeBy(scene, target)).pictures;
}

interface Made {
  readonly pictures: ProbedPacket[];
  /** As its header says; NaN: none. */
  readonly startUs: number;
}

async function madeBy({ app, directory }: Scene, target: string): Promise<Made> {
  const answer = await fetch(new URL(target, app.url));
  const bytes = Buffer.from(await answer.arrayBuffer());
  expect(answer.status, bytes.toString("utf8", 0, 300)).toBe(200);
  const file = path.join(directory, "made");
  await writeFile(file, bytes);
  expect([await probeWarnings(file), await decodeWarnings(file)]).toEqual(["", ""]);
  const pictures = (await probePackets(file)).filter(({ kind }) => kind === "video");
  expect(pictures[0]?.isKey).toBe(true);
  const steps = pictures.slice(1).map(({ dtsSec }, at) => dtsSec - pictures[at]!.dtsSec);
  expect(Math.min(...steps)).toBeGreaterThan(0);
  const start = answer.headers.get("reelkeeper-start");
  return { pictures, startUs: start === null ? NaN : parseRfc3339(start) };
}

async function clipOfLastSeconds(scene: Scene, format: string): Promise<void> {
  const answer = await fetch(`${scene.app.url}/playback/list?path=cam1`);
  const [span, ...others] = (await answer.json()) as { start: string; duration: number; url: string }[];
  expect(others).toEqual([]);
  const endUs = parseRfc3339(span!.start) + span!.duration * 1e6;
  const range = { from: formatRfc3339(endUs - 2_500_000), to: formatRfc3339(endUs + 60e6), format };
  const target = `/api/v1/clip.mp4?${new URLSearchParams({ path: "cam1", ...range }).toString()}`;
  const pictures = await picturesOf(scene, target);
  expect(lengthSec(pictures)).toBeGreaterThan(2.4);
  const { pathname, search } = new URL(span!.url);
  // Sound in front of a file's first picture is left out.
  const all = await madeBy(scene, `${pathname}${search}&format=${format}`);
  expect(Math.abs(all.startUs / 1e6 + lengthSec(all.pictures) - endUs / 1e6)).toBeLessThan(0.3);
}

function lengthSec(pictures: readonly ProbedPacket[]): number {
  const [first, last] = [pictures[0]!, pictures.at(-1)!];
  return last.ptsSec + last.durationSec - first.ptsSec;
}

async function exportOfWhatIsWhole(scene: Scene): Promise<void> {
  const [from, to] = [-600_000, 600_000].map((ms) => new Date(Date.now() + ms).toISOString());
  const asked = await scene.app.request("POST", "/api/v1/exports", { path: "cam1", from, to });
  expect(asked.status).toBe(202);
  const target = `/api/v1/exports/${(asked.body as { id: string }).id}`;
  await waitFor("the export", async () => (await scene.app.get<{ state: string }>(target)).state === "done", {
    timeoutMs: 60_000,
  });
  expect((await picturesOf(scene, `${target}/file`)).length).toBeGreaterThan(0);
}

it.each(["1.21.0", "1.19.3"] as const)(
  "the file that MediaMTX %s writes plays to its last whole piece",
  async (version) => {
    const scene = await folderScene({ version, env: { TRANSCODING: "on" } });
    const { app, directory } = scene;
    await scene.addPath("cam1", { recordFormat: "mpegts", recordSegmentDuration: "1h" });
    const range = around();
    const camera = await scene.startCamera("cam1", { audio: true, gopSec: 1 });
    const grown = await lookUntil(scene, range, 3);
    const [recording] = await app.recordings();
    expect([recording!.local, recording!.format]).toEqual(["open", "mpegts"]);
    expect(grown.isEnded).toBe(false);
    const ordinary = (await look(scene, range))!;
    expect(ordinary.isEnded).toBe(true);
    for (const { beginsWithSync } of [...grown.segments, ...ordinary.segments]) expect(beginsWithSync).toBe(true);
    expect(ordinary.segments.length).toBeGreaterThanOrEqual(grown.segments.length);
    // What is played alone, as after a seek, decodes without a word.
    const { uri, offset, size } = grown.segments.at(-1)!;
    const piece = path.join(directory, "piece.ts");
    await writeFile(piece, await bytesOf(scene, uri, offset, size));
    expect(await decodeWarnings(piece)).toBe("");
    const picture = await fetch(`${app.url}/api/v1/thumbnail.jpg?path=cam1`);
    expect([picture.status, picture.headers.get("content-type")]).toEqual([200, "image/jpeg"]);
    const takenMs = Date.parse(picture.headers.get("reelkeeper-taken-at") ?? "");
    expect(takenMs).toBeGreaterThan(Date.parse(recording!.startAt) + 1_000);
    for (const format of ["mp4", "fmp4"]) await clipOfLastSeconds(scene, format);
    const made = await waitFor(
      "a piece in H.264",
      async () => {
        const text = await textOf(scene, { ...range, live: "1", transcode: "h264" });
        return text === undefined ? undefined : /^recordings.*$/m.exec(text)?.[0];
      },
      { timeoutMs: 60_000 },
    );
    expect((await picturesOf(scene, `/api/v1/${made}`)).length).toBeGreaterThan(30);
    await exportOfWhatIsWhole(scene);
    await camera.stop();
    const closed = await closedText(scene, range);
    expect(closed?.slice(0, grown.text.length)).toBe(grown.text);
    expect(closed?.length).toBeGreaterThan(grown.text.length);
  },
);

const VIDEO_PID = 256;

/** Of the first packet behind PAT and PMT. */
async function firstPidOf(scene: Scene): Promise<number> {
  const file = await waitFor("a file that is written", async () => {
    const open = (await scene.app.recordings()).find(({ local, format }) => local === "open" && format === "mpegts");
    if (open === undefined) return undefined;
    const bytes = await readFile(path.join(scene.app.recordDir, open.filePath));
    return bytes.length > 3 * 188 && bytes;
  });
  return file.readUInt16BE(2 * 188 + 1) & 0x1fff;
}

it("a file that begins with sound, as a recorder that restarts writes it, plays alike", async () => {
  const scene = await folderScene();
  const { app, directory } = scene;
  await scene.addPath("cam1", { record: false });
  const range = around();
  const camera = await scene.startCamera("cam1", { audio: true, gopSec: 4, fps: 25 });
  await app.patch("/api/v1/paths/cam1", { record: true, recordFormat: "mpegts", recordSegmentDuration: "1h" });
  // The recorder that restarts right before a sync sample begins with it.
  for (let hours = 2; (await firstPidOf(scene)) === VIDEO_PID; hours += 1) {
    await app.patch("/api/v1/paths/cam1", { recordSegmentDuration: `${hours}h` });
  }
  const grown = await lookUntil(scene, range, 3);
  expect(grown.isEnded).toBe(false);
  const { uri, offset, size } = grown.segments.at(-1)!;
  const piece = path.join(directory, "piece.ts");
  await writeFile(piece, await bytesOf(scene, uri, offset, size));
  expect(await probeWarnings(piece)).toBe("");
  for (const format of ["mp4", "fmp4"]) await clipOfLastSeconds(scene, format);
  await camera.stop();
  const closed = await closedText(scene, range);
  expect(closed?.slice(0, grown.text.length)).toBe(grown.text);
  expect(closed?.length).toBeGreaterThan(grown.text.length);
});

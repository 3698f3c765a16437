/**
 * A live playlist of H.264 made while MediaMTX still writes the H.265 file: pieces that are whole, lines that stay, and
 * in the end every picture of the file.
 */
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { expect, it } from "vitest";

import { formatRfc3339, parseRfc3339 } from "../../../src/core/instant.js";
import { decodeWarnings, type ProbedPacket, probePackets } from "../../support/media-probe.js";
import { waitFor } from "../../support/wait-for.js";
import { folderScene, type Scene } from "../app/scene.js";

const run = promisify(execFile);
const LONG_MS = 60_000;
const FRAME_SEC = 0.1;

interface Playlist {
  readonly text: string;
  readonly uris: readonly string[];
}

interface Range {
  readonly from: string;
  readonly to: string;
}

/** Undefined: there is nothing yet. */
async function playlistOf(scene: Scene, range: Range): Promise<Playlist | undefined> {
  const query = new URLSearchParams({ path: "yard", ...range, live: "1", transcode: "h264" });
  const answer = await fetch(`${scene.app.url}/api/v1/playlist.m3u8?${query.toString()}`);
  const text = await answer.text();
  if (answer.status === 404) return undefined;
  expect(answer.status, text).toBe(200);
  expect(answer.headers.get("reelkeeper-playable")).toBe("yes");
  return { text, uris: text.split("\n").filter((line) => line !== "" && !line.startsWith("#")) };
}

/** Its pictures; the file itself is one that ffmpeg has nothing to say of. */
async function picturesOf(scene: Scene, uri: string): Promise<ProbedPacket[]> {
  const answer = await fetch(`${scene.app.url}/api/v1/${uri}`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  expect(answer.status, bytes.toString("utf8", 0, 300)).toBe(200);
  const file = path.join(scene.directory, "piece.ts");
  await writeFile(file, bytes);
  expect(await decodeWarnings(file)).toBe("");
  const pictures = (await probePackets(file)).filter(({ kind }) => kind === "video");
  expect(pictures[0]?.isKey).toBe(true);
  return pictures;
}

async function framesIn(file: string): Promise<number> {
  const count = ["-count_frames", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"];
  const { stdout } = await run("ffprobe", ["-v", "error", "-select_streams", "v", ...count, file]);
  return Number(stdout.split("\n")[0]);
}

it("grows while the file is written, and ends as the file does", async () => {
  const scene = await folderScene({ env: { TRANSCODING: "on" } });
  await scene.addPath("yard", { recordSegmentDuration: "10m" });
  const camera = await waitFor("the camera", () =>
    scene.startCamera("yard", { codec: "h265", fps: 10, gopSec: 2, audio: true }).catch(() => undefined),
  );
  const from = formatRfc3339(parseRfc3339(new Date().toISOString()) - 600e6);
  const range = { from, to: formatRfc3339(parseRfc3339(from) + 3_600e6) };
  const early = await waitFor(
    "two pieces of what is being written",
    async () => {
      const playlist = await playlistOf(scene, range);
      return (playlist?.uris.length ?? 0) >= 2 && playlist;
    },
    { timeoutMs: LONG_MS },
  );
  expect(early.text).toContain("#EXT-X-PLAYLIST-TYPE:EVENT");
  expect(early.text).not.toContain("#EXT-X-ENDLIST");
  const seen: ProbedPacket[] = [];
  for (const uri of early.uris) seen.push(...(await picturesOf(scene, uri)));
  const grown = await waitFor(
    "one more piece",
    async () => {
      const playlist = await playlistOf(scene, range);
      return (playlist?.uris.length ?? 0) > early.uris.length && playlist;
    },
    { timeoutMs: LONG_MS },
  );
  expect(grown.text.startsWith(early.text)).toBe(true);
  await camera.stop();
  await scene.app.drained();
  const [recording] = await scene.app.recordings({ path: "yard" });
  const ended = await playlistOf(scene, { ...range, to: formatRfc3339(parseRfc3339(recording!.endAt) - 2e6) });
  expect(ended!.text).toContain("#EXT-X-ENDLIST");
  const whole = await playlistOf(scene, range);
  expect(whole!.text.startsWith(grown.text)).toBe(true);
  const all = [...seen];
  for (const uri of whole!.uris.slice(early.uris.length)) all.push(...(await picturesOf(scene, uri)));
  // As many as there are, and each follows the one before: what was made of the growing file joins what came later.
  expect(all).toHaveLength(await framesIn(path.join(scene.app.recordDir, recording!.filePath)));
  const steps = all.slice(1).map(({ ptsSec }, at) => ptsSec - all[at]!.ptsSec);
  expect(Math.min(...steps)).toBeGreaterThan(0);
  expect(Math.max(...steps)).toBeLessThan(5 * FRAME_SEC);
});

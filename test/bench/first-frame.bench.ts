/** From a click on the timeline to the first frame of that instant, in Chromium, over segments of an hour. */
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { it } from "vitest";

import { nameOf } from "../contract/steps/footage.js";
import { openFolderScene, openS3Scene, type Scene } from "../integration/app/scene.js";
import { findBrowser, type Page, startBrowser } from "../support/browser.js";
import { createRandom } from "../support/random.js";
import { tempDir } from "../support/temp-dir.js";
import { waitFor } from "../support/wait-for.js";
import { below, IS_QUICK, type Line, percentile, report } from "./support/report.js";

const run = promisify(execFile);
const START_US = Date.UTC(2026, 5, 1) * 1_000;
const FILES = IS_QUICK ? 1 : 3;
const FILE_SEC = IS_QUICK ? 60 : 3_600;
const CLICKS = IS_QUICK ? 3 : 40;
const GOALS_MS = { local: 250, store: 400 } as const;
const VIEW = { widthPx: 1_440, heightPx: 1_000 } as const;

it("shows the first frame after a click", async () => {
  const executable = findBrowser();
  if (executable === undefined) throw new Error("there is no Chromium on PATH");
  const source = await hourOfFootage();
  const lines: Line[] = [];
  for (const where of ["local", "store"] as const) {
    const retention = { LOCAL_RETENTION: where === "local" ? "30d" : "0s" };
    const env = { ...retention, QUIET_TIME: "1s", RECORD_TIMEZONE: "UTC" };
    const scene = await (where === "local" ? openFolderScene({ env }) : openS3Scene({ env }));
    const browser = await startBrowser(executable);
    try {
      await place(scene, source);
      await waitFor("all to be where it is to be", () => isThere(scene, where), { timeoutMs: 300_000 });
      const page = await browser.newPage();
      await page.setView(VIEW);
      const timesMs = await clickAround(scene, page);
      const what = `click to first frame, segments of ${FILE_SEC} s, ${where === "local" ? "on disk" : "versitygw"}`;
      const goal = { value: GOALS_MS[where], unit: "ms" };
      lines.push(below(`${what}, p50`, percentile(timesMs, 0.5), goal));
      lines.push(below(`${what}, p95`, percentile(timesMs, 0.95), goal));
    } finally {
      await browser.stop();
      await scene.close();
    }
  }
  report("first-frame", lines);
});

/** Ten seconds of 4 Mbit/s again and again, in MediaMTX's layout: no encoder would be done in time. */
async function hourOfFootage(): Promise<string> {
  const directory = await tempDir();
  const [piece, whole] = ["piece.mp4", "whole.mp4"].map((name) => path.join(directory, name)) as [string, string];
  const picture = ["-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25:duration=10"];
  const encoder = [
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-tune",
    "zerolatency",
    "-g",
    "50",
    "-pix_fmt",
    "yuv420p",
  ];
  const rate = ["-b:v", "4M", "-maxrate", "4M", "-bufsize", "4M"];
  await run("ffmpeg", ["-v", "error", ...picture, ...encoder, ...rate, piece]);
  const layout = ["-movflags", "empty_moov+default_base_moof", "-frag_duration", "1000000"];
  const loop = ["-stream_loop", "-1", "-i", piece, "-c", "copy", "-t", String(FILE_SEC)];
  await run("ffmpeg", ["-v", "error", ...loop, ...layout, whole]);
  return whole;
}

async function place({ app, addPath }: Scene, source: string): Promise<void> {
  await addPath("cam1");
  for (let number = 0; number < FILES; number += 1) {
    const file = path.join(app.recordDir, nameOf("cam1", START_US + number * FILE_SEC * 1_000_000));
    await mkdir(path.dirname(file), { recursive: true });
    await run("cp", ["--reflink=auto", source, file]);
    await run("touch", ["-d", "2026-06-01T06:00:00Z", file]);
  }
  await app.post("/api/v1/scan", {});
}

async function isThere({ app }: Scene, where: "local" | "store"): Promise<boolean> {
  const recordings = await app.recordings();
  const local = where === "local" ? "present" : "released";
  return recordings.length === FILES && recordings.every((one) => one.archive === "verified" && one.local === local);
}

/** All over the footage, at rest, so that the next frame that is shown is the one of the click. */
async function clickAround({ app }: Scene, page: Page): Promise<number[]> {
  const random = createRandom(20_261_129);
  const lengthMs = FILES * FILE_SEC * 1_000;
  const startMs = START_US / 1_000;
  const zoomSec = IS_QUICK ? 60 : 21_600;
  await page.goto(`${app.url}/?path=cam1&at=${new Date(startMs + lengthMs / 2).toISOString()}&zoom=${zoomSec}`);
  const isReady = `document.querySelector("video")?.readyState >= 3 && document.querySelector("video").dataset.wall !== undefined`;
  await waitFor("the picture", () => page.evaluate<boolean>(isReady), { timeoutMs: 60_000 });
  await page.evaluate(`document.querySelector("[data-do=pause]").click()`);
  const timesMs: number[] = [];
  for (let click = 0; click < CLICKS; click += 1) {
    timesMs.push(await clickAt(page, startMs + random() * (lengthMs - 5_000)));
  }
  return timesMs;
}

async function clickAt(page: Page, atMs: number): Promise<number> {
  const { x, y } = await page.evaluate<{ x: number; y: number }>(`(() => {
    const canvas = document.querySelector(".timeline canvas");
    canvas.scrollIntoView({ block: "center" });
    const { left, top, width } = canvas.getBoundingClientRect();
    const [fromMs, toMs] = [Date.parse(canvas.dataset.from), Date.parse(canvas.dataset.to)];
    const video = document.querySelector("video");
    window.firstFrame = new Promise((resolve) => {
      addEventListener("pointerup", () => {
        const clickedMs = performance.now();
        video.requestVideoFrameCallback(() => resolve(performance.now() - clickedMs));
      }, { once: true, capture: true });
    });
    return { x: left + ((${atMs} - fromMs) / (toMs - fromMs)) * width, y: top + 40 };
  })()`);
  for (const type of ["mousePressed", "mouseReleased"]) {
    await page.send("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 });
  }
  return page.evaluate<number>("window.firstFrame");
}

/**
 * Periodic pictures and transcoding as a person meets them: the built product with versitygw as its bucket and a real
 * Chromium, on what MediaMTX recorded.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, readdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { type Browser, findBrowser, type Page, startBrowser } from "../../support/browser.js";
import { waitFor } from "../../support/wait-for.js";
import { openS3Scene, type S3Scene } from "../app/scene.js";

const run = promisify(execFile);
const ROOT = path.resolve(import.meta.dirname, "../../..");
const FIXTURES = path.join(ROOT, "test", "fixtures", "recordings", "v1.20.1");
const PICTURES = path.join(ROOT, "test-output", "pages");
const DESKTOP = { widthPx: 1440, heightPx: 1000 } as const;
const PHONE = { widthPx: 375, heightPx: 812 } as const;
const PATHS = [
  ["gate", "h264-aac"],
  ["old", "h265-only"],
] as const;

/** A finger moves by thrice as much, and what is paused may go on by less. */
const NEAR_MS = 1_000;

let scene: S3Scene;
let browser: Browser;
let page: Page;

describe("a timeline with pictures", () => {
  beforeAll(async () => {
    browser = await startBrowser(findBrowser() ?? "no Chromium", { ...process.env, TZ: "Europe/Berlin" });
    scene = await openS3Scene({
      env: { QUIET_TIME: "1s", RECORD_TIMEZONE: "UTC", THUMBNAIL_INTERVAL: "10s", TRANSCODING: "on" },
    });
    for (const [name, fixture] of PATHS) {
      await scene.addPath(name, {});
      await cp(path.join(FIXTURES, fixture), path.join(scene.app.recordDir, name), { recursive: true });
    }
    await scene.app.post("/api/v1/scan", {});
    await waitFor("everything to be proven", isProven, { timeoutMs: 60_000 });
    await waitFor(
      "the pictures of both paths",
      async () => (await Promise.all(PATHS.map(([name]) => picturesOf(name)))).every((found) => found.length >= 2),
      { timeoutMs: 60_000 },
    );
    await mkdir(PICTURES, { recursive: true });
  });

  afterAll(async () => {
    await browser.stop();
    await scene.close();
  });

  beforeEach(async () => {
    page = await browser.newPage();
    await page.setView(DESKTOP);
    return () => page.close();
  });

  it("counts what was made", async () => {
    await waitFor("as many counted as there are", async () => {
      const metrics = await (await fetch(`${scene.app.url}/metrics`)).text();
      const made = Number(/reelkeeper_thumbnails_total\{result="made"\} (\d+)/.exec(metrics)?.[1]);
      const found = (await Promise.all(PATHS.map(([name]) => picturesOf(name)))).flat();
      return made === found.length;
    });
  });

  it("shows a tile at once wherever the pointer moves, and then the very picture", async () => {
    await waitFor("the sprite, which is made once", () => isSpriteThere("gate"), { timeoutMs: 60_000 });
    await show("gate", await beginningOf("gate"));
    await playing();
    // The timeline goes on with what plays.
    await page.send("Input.dispatchKeyEvent", { type: "keyDown", key: " ", text: " " });
    await page.send("Input.dispatchKeyEvent", { type: "keyUp", key: " " });
    // The very picture takes the tile's place: where it comes first, no tile is ever seen.
    await page.send("Network.enable");
    await page.send("Network.setBlockedURLs", { urls: ["*thumbnail.jpg*"] });
    await page.evaluate(`(() => {
      window.tiles = new Set();
      new MutationObserver(() => {
        const tile = document.querySelector(".hover-card .sprite-tile");
        if (tile !== null) window.tiles.add(tile.dataset.at + " " + tile.style.backgroundPosition);
      }).observe(document.body, { subtree: true, childList: true, attributes: true });
    })()`);
    await waitFor("tiles of two pictures", async () => {
      for (const share of [0.52, 0.56, 0.6, 0.64, 0.68, 0.72, 0.76]) await hover(share);
      return (await page.evaluate<number>(`window.tiles.size`)) >= 2;
    });
    await picture("preview-tile");
    await page.send("Network.setBlockedURLs", { urls: [] });
    await waitFor("the very picture", async () => {
      await hover(0.58);
      return page.evaluate<boolean>(`document.querySelector(".hover-card img.picture")?.naturalWidth === 160`);
    });
    await picture("preview-desktop");
  });

  it("shows a tile above a finger that rests or drags, seeks where it is lifted, and still pans and pinches", async () => {
    await page.setView(PHONE);
    await page.send("Emulation.setTouchEmulationEnabled", { enabled: true, maxTouchPoints: 2 });
    await show("gate", await beginningOf("gate"));
    await playing();
    await page.evaluate(`document.querySelector("video").pause()`);
    const first = await timelineBox();
    // At rest: the card comes by itself, and follows the finger while the timeline stays.
    await touch("touchStart", [0.55]);
    await waitFor("a tile above the finger", () => page.evaluate<boolean>(HAS_PICTURE), { timeoutMs: 30_000 });
    await touch("touchMove", [0.6]);
    const soughtMs = first.view.fromMs + 0.6 * (first.view.toMs - first.view.fromMs);
    const scrubbed = await waitFor("the instant under the finger", async () => {
      const found = await card();
      return found !== null && Math.abs(found.atMs - soughtMs) < NEAR_MS && found;
    });
    await waitFor("its picture", () => page.evaluate<boolean>(HAS_PICTURE), { timeoutMs: 30_000 });
    await picture("preview-finger");
    expect(scrubbed.bottom).toBeLessThanOrEqual(first.top);
    expect([scrubbed.left >= 0, scrubbed.right <= PHONE.widthPx]).toEqual([true, true]);
    expect(Math.abs((await timelineBox()).view.fromMs - first.view.fromMs)).toBeLessThan(NEAR_MS);
    await touch("touchEnd", []);
    await waitFor("the card to go", noCard);
    await waitFor("the player to be there", async () => Math.abs((await wallMs()) - soughtMs) < 2 * NEAR_MS);
    // Dragged at once: the timeline goes with the finger, and what it holds is told. One that is late has rested.
    const second = await timelineBox();
    await waitFor("the timeline to go with the finger", async () => {
      await Promise.all([
        touch("touchStart", [0.5], second),
        ...[0.52, 0.55, 0.6, 0.65, 0.7].map((share) => touch("touchMove", [share], second)),
      ]);
      if ((await timelineBox()).view.fromMs < second.view.fromMs - 5_000) return true;
      await touch("touchEnd", []);
      return false;
    });
    await waitFor("what the finger holds to be told", async () => !(await noCard()));
    await touch("touchEnd", []);
    await waitFor("the card to go again", noCard);
    // Two fingers: no card, and a wider look; the one that is left goes on from there.
    const third = await timelineBox();
    await touch("touchStart", [0.1]);
    await touch("touchStart", [0.1, 0.9]);
    for (const apart of [0.35, 0.3, 0.25, 0.2, 0.15]) await touch("touchMove", [0.5 - apart, 0.5 + apart]);
    const lengthMs = (box: TimelineBox): number => box.view.toMs - box.view.fromMs;
    await waitFor("a wider look", async () => lengthMs(await timelineBox()) > 2 * lengthMs(third));
    await waitFor("the card to make room for two fingers", noCard);
    const wide = lengthMs(await timelineBox());
    await liftSecond();
    for (const share of [0.4, 0.45]) await touch("touchMove", [share]);
    await waitFor("a card", async () => !(await noCard()));
    await touch("touchEnd", []);
    await waitFor("the card to go at last", noCard);
    expect(lengthMs(await timelineBox()) / wide).toBeCloseTo(1, 2);
  });

  it.each([
    ["desktop", DESKTOP],
    ["phone", PHONE],
  ] as const)("offers to convert what this browser does not play, and plays it then: %s", async (what, view) => {
    await page.setView(view);
    await show("old", await beginningOf("old"));
    await seen(".unplayable", /does not play H\.265/);
    await picture(`unplayable-${what}`);
    await page.evaluate(`document.querySelector(".unplayable button").click()`);
    await seen(".unplayable", /converts H\.265/);
    await playing();
    const begunMs = await beginningOf("old");
    await waitFor("it to go on", async () => (await wallMs()) > begunMs + 1_500, { timeoutMs: 30_000 });
    await picture(`converted-${what}`);
    expect(await page.evaluate(`document.querySelector("video").videoWidth`)).toBe(320);
  });

  it("converts the G.711 of a camera to what browsers play, and leaves its H.264 as it is", async () => {
    await scene.addPath("phone", { recordSegmentDuration: "4s" });
    const camera = await scene.startCamera("phone", { audio: "g711" });
    const closed = await waitFor(
      "two closed recordings",
      async () => {
        const own = (await scene.app.recordings()).filter(({ path: of, local }) => of === "phone" && local !== "open");
        return own.filter(({ tracks }) => tracks.length > 0).length >= 2 && own;
      },
      { timeoutMs: 60_000 },
    );
    await camera.stop();
    const [from, to] = [closed.at(-1)!.startAt, new Date().toISOString()];
    const query = { path: "phone", from, to, transcode: "h264" };
    const playlist = await fetch(`${scene.app.url}/api/v1/playlist.m3u8?${new URLSearchParams(query).toString()}`);
    expect(playlist.headers.get("reelkeeper-codecs")).toBe("avc1.4d402a,mp4a.40.2");
    const uri = /^recordings\S+$/m.exec(await playlist.text())![0];
    const file = path.join(scene.directory, "piece.ts");
    await writeFile(file, Buffer.from(await (await fetch(`${scene.app.url}/api/v1/${uri}`)).arrayBuffer()));
    const { stderr } = await run("ffmpeg", ["-i", file, "-af", "volumedetect", "-f", "null", "-"]);
    expect(stderr).toMatch(/Video: h264/);
    expect(stderr).toMatch(/Audio: aac/);
    // The tone of the camera, and not the hiss of samples taken for others.
    expect(Number(/max_volume: (-?[\d.]+) dB/.exec(stderr)![1])).toBeLessThan(-12);
    expect(Number(/mean_volume: (-?[\d.]+) dB/.exec(stderr)![1])).toBeGreaterThan(-30);
  });

  it("loses the pictures of a recording that a person deletes, in the bucket too", async () => {
    const before = await picturesOf("gate");
    const recordings = (await scene.app.recordings()).filter(({ path: of }) => of === "gate");
    for (const { id } of recordings) {
      const answer = await fetch(`${scene.app.url}/api/v1/recordings/${id}`, { method: "DELETE" });
      expect(answer.ok).toBe(true);
    }
    await waitFor("the pictures to be gone", async () => (await picturesOf("gate")).length === 0, {
      timeoutMs: 60_000,
    });
    expect([before.length > 0, (await picturesOf("old")).length > 0]).toEqual([true, true]);
  });
});

async function isProven(): Promise<boolean> {
  const recordings = await scene.app.recordings();
  return recordings.length >= 8 && recordings.every(({ archive }) => archive === "verified");
}

/** As the bucket has them. */
async function picturesOf(name: string): Promise<string[]> {
  const directory = path.join(scene.server.bucketDir, "recordings", "~thumbnails", name);
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

/** The one that the page asks for. */
async function isSpriteThere(name: string): Promise<boolean> {
  const range = { path: name, from: "2026-11-20T12:00:00.000Z", to: "2026-11-20T18:00:00.000Z" };
  const query = new URLSearchParams({ ...range, width: "160", tiles: "300" }).toString();
  const index = await fetch(`${scene.app.url}/api/v1/sprite.vtt?${query}`);
  const uri = /^sprite\.jpg[^#\s]+/m.exec(await index.text())?.[0];
  return uri !== undefined && (await fetch(`${scene.app.url}/api/v1/${uri}`)).ok;
}

async function beginningOf(name: string): Promise<number> {
  const recordings = (await scene.app.recordings()).filter(({ path: of }) => of === name);
  return Math.min(...recordings.map(({ startAt }) => Date.parse(startAt)));
}

async function show(name: string, atMs: number): Promise<void> {
  await page.goto(`${scene.app.url}/?path=${name}&at=${new Date(atMs + 500).toISOString()}&zoom=60`);
  await waitFor("the timeline", () => page.evaluate<boolean>(`document.querySelector(".legend li") !== null`));
}

/** Over the timeline, at that share of its width. */
async function hover(share: number): Promise<void> {
  const { left, top, width } = await page.evaluate<{ left: number; top: number; width: number }>(`(() => {
    const canvas = document.querySelector(".timeline canvas");
    canvas.scrollIntoView({ block: "center" });
    const { left, top, width } = canvas.getBoundingClientRect();
    return { left, top, width };
  })()`);
  const x = Math.round(left + share * width);
  await page.send("Input.dispatchMouseEvent", { type: "mouseMoved", x, y: top + 40, pointerType: "mouse" });
}

const HAS_PICTURE = `document.querySelector(".hover-card .picture") !== null`;

interface TimelineBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly view: { readonly fromMs: number; readonly toMs: number };
}

function timelineBox(): Promise<TimelineBox> {
  return page.evaluate<TimelineBox>(`(() => {
    const canvas = document.querySelector(".timeline canvas");
    const { left, top, width } = canvas.getBoundingClientRect();
    return { left, top, width, view: { fromMs: Date.parse(canvas.dataset.from), toMs: Date.parse(canvas.dataset.to) } };
  })()`);
}

/** Fingers on the timeline, at those shares of its width; none: all are lifted. */
async function touch(
  type: "touchStart" | "touchMove" | "touchEnd",
  shares: readonly number[],
  box?: TimelineBox,
): Promise<void> {
  const { left, top, width } = box ?? (await timelineBox());
  const touchPoints = shares.map((share, id) => ({ x: Math.round(left + share * width), y: top + 40, id }));
  await page.send("Input.dispatchTouchEvent", { type, touchPoints });
}

async function liftSecond(): Promise<void> {
  const { left, top } = await timelineBox();
  await page.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [{ x: left, y: top + 40, id: 1 }] });
}

interface Card {
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
  /** The instant that it tells. */
  readonly atMs: number;
}

/** What a finger is told; null: nothing. */
function card(): Promise<Card | null> {
  return page.evaluate<Card | null>(`(() => {
    const element = document.querySelector(".hover-card");
    if (element === null) return null;
    const { left, right, bottom } = element.getBoundingClientRect();
    const utc = element.title.split("\\n")[1].replace(" ", "T").replace(" UTC", "Z");
    return { left, right, bottom, atMs: Date.parse(utc) };
  })()`);
}

const noCard = async (): Promise<boolean> => (await card()) === null;

const wallMs = async (): Promise<number> =>
  Date.parse(await page.evaluate<string>(`document.querySelector("video").dataset.wall ?? ""`));

async function playing(): Promise<void> {
  const isPlaying = `document.querySelector("video")?.readyState >= 3 && document.querySelector("video").dataset.wall !== undefined`;
  await waitFor("the picture", () => page.evaluate<boolean>(isPlaying), { timeoutMs: 30_000 });
}

function seen(selector: string, words: RegExp): Promise<boolean> {
  const text = `document.querySelector(${JSON.stringify(selector)})?.innerText ?? ""`;
  return waitFor(`${selector} to say ${String(words)}`, async () => words.test(await page.evaluate<string>(text)), {
    timeoutMs: 20_000,
  });
}

async function picture(name: string): Promise<void> {
  await writeFile(path.join(PICTURES, `${name}.png`), await page.screenshot());
}

/** Chromium with hls.js plays the playlist of real recordings, across file edges and a reconnect, and seeks in it. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { addFixture, VERSIONS } from "../../support/footage-rows.js";
import { type Browser, findBrowser, startBrowser } from "../../support/browser.js";
import { httpForTest } from "../../support/http-harness.js";
import { createRandom } from "../../support/random.js";

const SEEKS = 8;

let browser: Browser;
let hlsJs: string;

beforeAll(async () => {
  const executable = findBrowser();
  if (executable === undefined) throw new Error("this machine has no Chromium");
  browser = await startBrowser(executable);
  hlsJs = await readFile(createRequire(import.meta.url).resolve("hls.js/dist/hls.min.js"), "utf8");
});
afterAll(() => browser.stop());

interface Played {
  readonly fatal: string[];
  readonly durationSec: number;
  readonly endedAtSec: number;
  /** Where each seek was meant to go, where a frame was shown, and what the wall clock of it is. */
  readonly seeks: readonly {
    readonly to: number;
    readonly at: number;
    readonly ready: number;
    readonly wallMs: number;
  }[];
}

/** Runs in the page. */
const PLAY = `async (source, seeks) => {
  const video = document.createElement("video");
  video.muted = true;
  document.body.append(video);
  const hls = new Hls({ enableWorker: false });
  const fatal = [];
  hls.on(Hls.Events.ERROR, (_name, { fatal: isFatal, details }) => isFatal && fatal.push(details));
  const loaded = new Promise((resolve) => hls.once(Hls.Events.LEVEL_LOADED, (_name, { details }) => resolve(details)));
  hls.loadSource(source);
  hls.attachMedia(video);
  const details = await loaded;
  const until = (event, isSo) =>
    new Promise((resolve) => {
      const look = () => {
        if (!isSo() && fatal.length === 0) return;
        video.removeEventListener(event, look);
        clearInterval(timer);
        resolve();
      };
      const timer = setInterval(look, 50);
      video.addEventListener(event, look);
      look();
    });
  const shown = [];
  for (const share of seeks) {
    const to = share * details.totalduration;
    video.currentTime = to;
    await until("seeked", () => {
      // Before the first sync sample of a segment there may be no frame for the length of a fragment: go on to it.
      const next = [...Array(video.buffered.length).keys()].map((at) => video.buffered.start(at));
      const hole = next.find((start) => start > video.currentTime && start < video.currentTime + 1.2);
      if (video.seeking && video.readyState < 2 && hole !== undefined) video.currentTime = hole + 0.001;
      return !video.seeking && video.readyState >= 2;
    });
    shown.push({ to, at: video.currentTime, ready: video.readyState, wallMs: hls.playingDate?.getTime() ?? 0 });
  }
  video.currentTime = 0;
  video.playbackRate = 4;
  await video.play();
  // hls.js says where the stream ends while there is something to play: whoever plays fast comes to the end before that.
  await until("ended", () => video.ended || video.currentTime >= video.duration);
  return { fatal, durationSec: details.totalduration, endedAtSec: video.currentTime, seeks: shown };
}`;

describe.each(VERSIONS)("recordings by MediaMTX %s", (version) => {
  it.each(["h264-aac", "h264-bframes", "killed", "mpegts"])(
    "of %s play whole in Chromium, and are found at any time",
    async (camera) => {
      const http = await httpForTest();
      const placed = (await addFixture(http, [version, camera])).map(({ recording }) => recording);
      const page = await browser.newPage();
      await page.send("Page.setBypassCSP", { enabled: true });
      await page.goto(`http://127.0.0.1:${http.port}/`);
      await page.send("Runtime.evaluate", { expression: hlsJs });
      const range = { path: camera, from: "2026-11-20T17:00:00Z", to: "2026-11-20T18:00:00Z" };
      const source = `/api/v1/playlist.m3u8?${new URLSearchParams(range).toString()}`;
      const random = createRandom(7);
      const seeks = Array.from({ length: SEEKS }, () => random() * 0.97);
      const played = await page.evaluate<Played>(`(${PLAY})(${JSON.stringify(source)}, ${JSON.stringify(seeks)})`);
      expect(played.fatal).toEqual([]);
      expect(Math.abs(played.endedAtSec - played.durationSec)).toBeLessThan(0.5);
      for (const { to, at, ready, wallMs } of played.seeks) {
        expect(ready).toBeGreaterThanOrEqual(2);
        // Where the sound of a file goes on after its picture, there is no frame to land on.
        expect(Math.abs(at - to)).toBeLessThan(1.2);
        expect(placed.some(({ startUs, endUs }) => startUs / 1e3 - 500 <= wallMs && wallMs <= endUs / 1e3 + 500)).toBe(
          true,
        );
      }
      await page.close();
    },
  );
});

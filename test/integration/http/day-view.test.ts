/** The day view in a real browser: what MediaMTX recorded is found, played, seeked and cut, from disk and from the store. */
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";

import type { AxeResults } from "axe-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import type { RecordingView } from "../../../src/contract/recordings.js";
import { type Browser, findBrowser, type Page, startBrowser } from "../../support/browser.js";
import { createRandom, printedSeed } from "../../support/random.js";
import { waitFor } from "../../support/wait-for.js";
import { openFolderScene, type Scene } from "../app/scene.js";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const FIXTURES = path.join(ROOT, "test", "fixtures", "recordings", "v1.20.1");
const PICTURES = path.join(ROOT, "test-output", "pages");
const DESKTOP = { widthPx: 1440, heightPx: 1000 } as const;
const PHONE = { widthPx: 375, heightPx: 812 } as const;
const GOP_MS = 2_000;
const FRAME_MS = 100;
const SEEKS = 20;
const MOST_SCRIPT_BYTES = 300_000;
/** [path, what was recorded, how long its local copies stay] */
const PATHS = [
  ["gate", "h264-aac", "1h"],
  ["stored", "h264-aac", "0s"],
  ["yard", "h264-bframes", "1h"],
  ["torn", "killed", "1h"],
] as const;

const executable = findBrowser();
/** Elsewhere a missing browser is no failure of the product; CI has one or fails. */
const isSkipped = executable === undefined && process.env["CI"] === undefined;

let scene: Scene;
let browser: Browser;
let page: Page;

describe.skipIf(isSkipped)("the day view", () => {
  beforeAll(async () => {
    if (executable === undefined) throw new Error("there is no Chromium on PATH");
    browser = await startBrowser(executable, { ...process.env, TZ: "Europe/Berlin" });
    scene = await openFolderScene({ env: { QUIET_TIME: "1s", RECORD_TIMEZONE: "UTC" } });
    for (const [name, fixture, localRetention] of PATHS) {
      await scene.addPath(name, { localRetention });
      await cp(path.join(FIXTURES, fixture), path.join(scene.app.recordDir, name), { recursive: true });
    }
    await scene.app.post("/api/v1/scan", {});
    await waitFor("everything to be proven, and what is stored to be only there", settled, { timeoutMs: 60_000 });
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

  it.each(PATHS)(`plays %s (%s) and lands within a GOP at ${SEEKS} random times`, async (name) => {
    const random = createRandom(printedSeed());
    const runs = await footageOf(name);
    await show(name, runs[0]!.fromMs);
    await playing();
    // What stands still cannot come by where it should be.
    await key(" ");
    for (let seek = 0; seek < SEEKS; seek += 1) {
      const { fromMs, toMs } = runs[Math.floor(random() * runs.length)]!;
      const toAtMs = fromMs + random() * (toMs - fromMs - 500);
      const askedMs = await waitFor("the click to be taken", async () => {
        const clickedMs = await click(toAtMs);
        return Math.abs((await addressedMs()) - clickedMs) < GOP_MS && clickedMs;
      });
      await waitFor(`${name} to show ${new Date(askedMs).toISOString()}`, () => isShown(askedMs));
    }
    expect(page.complaints.filter((text) => !text.includes("/thumbnail.jpg?"))).toEqual([]);
  });

  it("goes on over a gap by itself, and keeps the sound", async () => {
    const runs = await footageOf("gate");
    expect(runs.length).toBeGreaterThan(1);
    const [before, after] = runs as [Footage, Footage];
    await show("gate", before.toMs - 1_500);
    await playing();
    await waitFor("what comes after the gap", async () => (await wallMs()) >= after.fromMs, { timeoutMs: 30_000 });
    const hasSound = `document.querySelector("video").webkitAudioDecodedByteCount > 0`;
    await waitFor("the sound", () => page.evaluate<boolean>(hasSound));
  });

  it("is worked with keys: pause, frames, marks, the clip, another path, and Back", async () => {
    const [{ fromMs }] = (await footageOf("gate")) as [Footage];
    await show("gate", fromMs + 500);
    await playing();
    // With this event the video has told for the last time where it is.
    await page.evaluate(`void (window.paused = new Promise((resolve) =>
      document.querySelector("video").addEventListener("pause", () => resolve(true), { once: true })))`);
    await key(" ");
    expect(await page.evaluate("window.paused")).toBe(true);
    const before = await wallMs();
    await key(".");
    const after = await waitFor("the next frame", async () => {
      const now = await wallMs();
      return now > before && now;
    });
    expect(after - before).toBeLessThan(2 * FRAME_MS);
    await key("i");
    await key("ArrowRight");
    await key("o");
    await seen("#clip", /Download clip, 5\.0 s/);
    await key("?");
    await seen("[role=dialog]", /Play or pause/);
    await key("Escape");
    await waitFor("the dialogue to close", async () => (await count("[role=dialog]")) === 0);
    await waitFor("the other paths", async () => (await count("[data-path=stored]")) > 0, { timeoutMs: 20_000 });
    await key("ArrowDown");
    await waitFor("the next path", () => page.evaluate<boolean>(`location.search.startsWith("?path=stored")`));
    await page.evaluate(`history.back()`);
    await waitFor("the one before", () => page.evaluate<boolean>(`location.search.startsWith("?path=gate")`));
  });

  it("shows gaps with their cause, the days that have footage, and the segments of what is seen", async () => {
    const [{ fromMs }] = (await footageOf("gate")) as [Footage];
    await show("gate", fromMs);
    await playing();
    await seen(".legend", /On disk and archived/);
    await seen(".legend", /Cause unknown/);
    await seen(".days button[aria-current]", /^20$/);
    await seen("#rows .state", "Proven");
    await waitFor("that day alone", async () => (await count(".days button:not(:disabled)")) === 1);
  });

  it("has several paths beside each other, at one moment", async () => {
    const [{ fromMs }] = (await footageOf("yard")) as [Footage];
    await show("gate,stored,yard", fromMs + 1_000);
    await waitFor("three pictures", async () => (await count(".tile[data-status=ready]")) === 3, { timeoutMs: 30_000 });
    // Whoever comes later than the others is put together with them while they play.
    await waitFor("one moment", async () => {
      const walls = await page.evaluate<string[]>(
        `[...document.querySelectorAll("video")].map((one) => one.dataset.wall ?? "")`,
      );
      return walls.every((wall) => Math.abs(Date.parse(wall) - Date.parse(walls[0]!)) < 2 * GOP_MS);
    });
    await key(" ");
    await picture("wall");
  });

  it.each([
    ["desktop-light", DESKTOP, "light"],
    ["desktop-dark", DESKTOP, "dark"],
    ["phone-light", PHONE, "light"],
    ["phone-dark", PHONE, "dark"],
  ] as const)("can be used by weak eyes, keys and screen readers: %s", async (what, view, scheme) => {
    await page.setView({ ...view, scheme });
    const [{ fromMs }] = (await footageOf("gate")) as [Footage];
    for (const [name, address] of [
      ["day", `/?path=gate&at=${new Date(fromMs + 500).toISOString()}&zoom=60`],
      ["list", "/"],
    ] as const) {
      await page.goto(scene.app.url + address);
      await seen("#rows .state", "Proven");
      if (name === "day") await playing();
      await picture(`${name}-${what}`);
      expect(await violations(), name).toEqual([]);
      const isWider = `document.documentElement.scrollWidth > document.documentElement.clientWidth`;
      expect(await page.evaluate(isWider), `${name} scrolls sideways`).toBe(false);
    }
  });
});

it(`loads at most ${MOST_SCRIPT_BYTES} bytes of script at first`, async () => {
  const assets = path.join(ROOT, "dist", "web", "assets");
  const index = await readFile(path.join(ROOT, "dist", "web", "index.html"), "utf8");
  const scripts = (await readdir(assets)).filter((name) => name.endsWith(".js") && index.includes(name));
  expect(scripts.length).toBeGreaterThan(0);
  const sizes = await Promise.all(
    scripts.map(async (name) => gzipSync(await readFile(path.join(assets, name))).length),
  );
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MOST_SCRIPT_BYTES);
});

async function settled(): Promise<boolean> {
  const recordings = await scene.app.recordings();
  const counts = new Map(PATHS.map(([name]) => [name as string, 0]));
  for (const { path: name } of recordings) counts.set(name, (counts.get(name) ?? 0) + 1);
  const isSettled = ({ path: name, local, archive }: RecordingView): boolean =>
    archive === "verified" && local === (name === "stored" ? "released" : "present");
  return [...counts.values()].every((found) => found > 1) && recordings.every(isSettled);
}

interface Footage {
  readonly fromMs: number;
  readonly toMs: number;
}

async function footageOf(name: string): Promise<Footage[]> {
  const range = "from=2026-11-20T17:00:00Z&to=2026-11-20T17:10:00Z";
  const { paths } = await scene.app.get<{
    paths: { spans: { kind: string; from: string; to: string }[] }[];
  }>(`/api/v1/timeline?path=${name}&${range}`);
  const spans = paths[0]!.spans.filter(({ kind }) => kind === "footage");
  return spans.map(({ from, to }) => ({ fromMs: Date.parse(from), toMs: Date.parse(to) }));
}

async function show(paths: string, atMs: number): Promise<void> {
  await page.goto(`${scene.app.url}/?path=${paths}&at=${new Date(atMs).toISOString()}&zoom=60`);
}

async function playing(): Promise<void> {
  const isPlaying = `document.querySelector("video")?.readyState >= 3 && document.querySelector("video").dataset.wall !== undefined`;
  await waitFor("the picture", () => page.evaluate<boolean>(isPlaying), { timeoutMs: 30_000 });
}

const wallMs = async (): Promise<number> =>
  Date.parse(await page.evaluate<string>(`document.querySelector("video").dataset.wall ?? ""`));

const addressedMs = async (): Promise<number> =>
  Date.parse(await page.evaluate<string>(`new URLSearchParams(location.search).get("at") ?? ""`));

async function isShown(askedMs: number): Promise<boolean> {
  const isThere = await page.evaluate<boolean>(
    `!document.querySelector("video").seeking && document.querySelector("video").readyState >= 2`,
  );
  const shownMs = await wallMs();
  return isThere && Math.abs(shownMs - askedMs) < GOP_MS;
}

/** On the timeline, as near as a pixel is; answers with the instant of that pixel. */
async function click(atMs: number): Promise<number> {
  const { left, top, width, fromMs, toMs } = await page.evaluate<{
    left: number;
    top: number;
    width: number;
    fromMs: number;
    toMs: number;
  }>(`(() => {
    const canvas = document.querySelector(".timeline canvas");
    canvas.scrollIntoView({ block: "center" });
    const { left, top, width } = canvas.getBoundingClientRect();
    return { left, top, width, fromMs: Date.parse(canvas.dataset.from), toMs: Date.parse(canvas.dataset.to) };
  })()`);
  const x = Math.round(left + ((atMs - fromMs) / (toMs - fromMs)) * width);
  for (const type of ["mousePressed", "mouseReleased"]) {
    await page.send("Input.dispatchMouseEvent", { type, x, y: top + 40, button: "left", clickCount: 1 });
  }
  return fromMs + ((x - left) / width) * (toMs - fromMs);
}

async function key(name: string): Promise<void> {
  const text = name.length === 1 ? { text: name } : {};
  await page.send("Input.dispatchKeyEvent", { type: "keyDown", key: name, ...text });
  await page.send("Input.dispatchKeyEvent", { type: "keyUp", key: name });
}

const count = (selector: string): Promise<number> =>
  page.evaluate(`document.querySelectorAll(${JSON.stringify(selector)}).length`);

function seen(selector: string, words: RegExp | string): Promise<boolean> {
  return waitFor(
    `${selector} to say ${String(words)}`,
    async () => {
      const text = await page.evaluate<string>(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ""`);
      return typeof words === "string" ? text.includes(words) : words.test(text);
    },
    { timeoutMs: 20_000 },
  );
}

async function picture(name: string): Promise<void> {
  await writeFile(path.join(PICTURES, `${name}.png`), await page.screenshot());
}

/** What axe calls serious, each with where it is. */
async function violations(): Promise<string[]> {
  await page.evaluate(await readFile(path.join(ROOT, "node_modules", "axe-core", "axe.min.js"), "utf8"));
  const { violations: found } = await page.evaluate<Pick<AxeResults, "violations">>(`axe.run()`);
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
}

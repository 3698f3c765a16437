/** The day view in a real browser: where N, P and Play lead, what is exported, what MPEG-TS plays, and what happened when. */
import { cp, mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import path from "node:path";

import type { AxeResults } from "axe-core";
import sqlite from "sqlite3";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { type Browser, findBrowser, type Page, startBrowser } from "../../support/browser.js";
import { waitFor } from "../../support/wait-for.js";
import { openFolderScene, type Scene } from "../app/scene.js";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const FIXTURES = path.join(ROOT, "test", "fixtures", "recordings", "v1.20.1");
const PICTURES = path.join(ROOT, "test-output", "pages");
const DESKTOP = { widthPx: 1280, heightPx: 1000 } as const;
const PHONE = { widthPx: 390, heightPx: 844 } as const;
const LEFT_AT = "2026-11-20T17:04:52.000Z";
const CAME_AT = "2026-11-20T17:05:04.000Z";
const FIRST_AT = "2026-11-20T17:04:43.022Z";
const RECONNECT_AT = "2026-11-20T17:04:58.150Z";

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
    await scene.addPath("gate");
    await scene.addPath("yard", { recordFormat: "mpegts" });
    await place("gate", "h264-aac");
    await place("yard", "mpegts");
    // As after a change of the recording format.
    await place("yard", "h264-aac", "2026-11-20_17-05-02-099572.mp4");
    await scene.app.post("/api/v1/scan", {});
    await waitFor("everything to be proven", isProven, { timeoutMs: 60_000 });
    await addEvents();
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

  it("goes to the next and the previous footage or event by N and P, and says where there is none", async () => {
    await show("gate", "2026-11-20T17:04:50Z");
    await playing();
    await key(" ");
    for (const [press, at] of [
      ["n", LEFT_AT],
      ["n", RECONNECT_AT],
      ["n", CAME_AT],
      ["p", RECONNECT_AT],
      ["p", LEFT_AT],
      ["p", FIRST_AT],
    ] as const) {
      await key(press);
      await waitFor(`${press} to lead to ${at}`, async () => Math.abs((await addressedMs()) - Date.parse(at)) < 2);
    }
    await key("p");
    await seen("#said", /Nothing begins or happens in the week before this/);
  });

  it("tells its keys by H, and which marks are events", async () => {
    await show("gate", "2026-11-20T17:04:50Z");
    await playing();
    await seen(".legend", /Camera left/);
    await seen(".legend", /Camera came/);
    await key("h");
    await seen("[role=dialog]", /Next, previous footage or event/);
  });

  it("opens at the segment whose Play is chosen in a list", async () => {
    await page.goto(scene.app.url);
    await seen("#rows", /yard/);
    await page.evaluate(
      `[...document.querySelectorAll("#rows tr")].find((row) => row.innerText.includes("18:04:46")).querySelector(".play").click()`,
    );
    await waitFor("the address", async () => (await page.evaluate<string>("location.search")).startsWith("?path=gate"));
    await playing();
    expect(Math.abs((await addressedMs()) - Date.parse("2026-11-20T17:04:46.974Z"))).toBeLessThan(2);
    await page.evaluate("history.back()");
    await seen("#rows", /yard/);
  });

  it("plays MPEG-TS, and goes on where the recording format changes", async () => {
    await show("yard", "2026-11-20T17:04:44.5Z");
    await playing();
    await waitFor("the sound", () => page.evaluate<boolean>(HAS_SOUND));
    await show("yard", "2026-11-20T17:04:52Z");
    await playing();
    const changeMs = Date.parse("2026-11-20T17:05:02Z");
    await waitFor("what was recorded as fMP4", async () => (await wallMs()) >= changeMs, { timeoutMs: 30_000 });
    // Also when it is gone to right away.
    await show("yard", "2026-11-20T17:05:03Z");
    await playing();
    await waitFor("the instant itself", async () => Math.abs((await wallMs()) - changeMs) < 4_000);
  });

  it("has a clip made in the background: progress, the file, until when, and its end", async () => {
    await show("gate", "2026-11-20T17:04:44Z");
    await playing();
    await key(" ");
    await key("i");
    await key("ArrowRight");
    await key("o");
    await seen("#export", /Export/);
    await page.evaluate(`document.querySelector("#export").click()`);
    await seen("[role=dialog] .exports", /Ready/);
    await seen("[role=dialog] .exports", /kB · Kept until/);
    const size = await page.evaluate<number>(
      `fetch(document.querySelector(".exports .save").href).then((r) => r.blob()).then((b) => b.size)`,
    );
    expect(size).toBeGreaterThan(10_000);
    await picture("exports-desktop");
    expect(await violations()).toEqual([]);
    await page.evaluate(`[...document.querySelectorAll(".exports button")].at(-1).click()`);
    await seen("[role=dialog] .exports", /Deleted/);
  });

  it("says why an export cannot be made", async () => {
    await show("yard", "2026-11-20T17:04:58Z");
    await page.evaluate(
      `fetch("/api/v1/exports", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ path: "yard", from: "2026-11-20T17:04:44Z", to: "2026-11-20T17:05:06Z" }) })`,
    );
    await seen("#exports", /Exports/);
    await page.evaluate(`document.querySelector("#exports").click()`);
    await seen("[role=dialog] .exports", /Failed/);
    await seen("[role=dialog] .exports", /one file cannot hold both/);
  });

  it.each([
    ["desktop", DESKTOP],
    ["phone", PHONE],
  ] as const)("can be used by weak eyes and screen readers: events and exports, %s", async (what, view) => {
    await page.setView(view);
    await show("gate", "2026-11-20T17:04:50Z");
    await playing();
    await seen(".legend", /Camera left/);
    await picture(`events-${what}`);
    expect(await violations()).toEqual([]);
    await page.evaluate(`document.querySelector("#exports").click()`);
    await seen("[role=dialog]", /Exports/);
    await picture(`exports-${what}-list`);
    expect(await violations()).toEqual([]);
    const isWider = `document.documentElement.scrollWidth > document.documentElement.clientWidth`;
    expect(await page.evaluate(isWider)).toBe(false);
  });
});

/** Long ago by its own clock: nobody writes it any more. */
async function place(name: string, fixture: string, only?: string): Promise<void> {
  const directory = path.join(scene.app.recordDir, name);
  await mkdir(directory, { recursive: true });
  for (const file of await readdir(path.join(FIXTURES, fixture))) {
    if (only !== undefined && file !== only) continue;
    await cp(path.join(FIXTURES, fixture, file), path.join(directory, file));
    await utimes(path.join(directory, file), 1.7e9, 1.7e9);
  }
}

async function isProven(): Promise<boolean> {
  const recordings = await scene.app.recordings();
  return recordings.length === 10 && recordings.every(({ archive }) => archive === "verified");
}

/** As the hooks of MediaMTX leave them. */
async function addEvents(): Promise<void> {
  const database = new sqlite.Database(scene.app.databaseFile);
  const insert = "insert into path_events (id, path, at_us, kind) values (?, 'gate', ?, ?)";
  for (const [at, kind] of [
    [LEFT_AT, "not-ready"],
    [CAME_AT, "ready"],
  ] as const) {
    await new Promise<void>((resolve, reject) => {
      database.run(insert, [`event-${kind}`, Date.parse(at) * 1_000, kind], (error) =>
        error === null ? resolve() : reject(error),
      );
    });
  }
  await new Promise<void>((resolve) => database.close(() => resolve()));
}

const HAS_SOUND = `document.querySelector("video").webkitAudioDecodedByteCount > 0`;

async function show(name: string, at: string): Promise<void> {
  await page.goto(`${scene.app.url}/?path=${name}&at=${at}&zoom=60`);
}

async function playing(): Promise<void> {
  const isPlaying = `document.querySelector("video")?.readyState >= 3 && document.querySelector("video").dataset.wall !== undefined`;
  await waitFor("the picture", () => page.evaluate<boolean>(isPlaying), { timeoutMs: 30_000 });
}

const wallMs = async (): Promise<number> =>
  Date.parse(await page.evaluate<string>(`document.querySelector("video").dataset.wall ?? ""`));

const addressedMs = async (): Promise<number> =>
  Date.parse(await page.evaluate<string>(`new URLSearchParams(location.search).get("at") ?? ""`));

async function key(name: string): Promise<void> {
  const text = name.length === 1 ? { text: name } : {};
  await page.send("Input.dispatchKeyEvent", { type: "keyDown", key: name, ...text });
  await page.send("Input.dispatchKeyEvent", { type: "keyUp", key: name });
}

function seen(selector: string, words: RegExp): Promise<boolean> {
  return waitFor(
    `${selector} to say ${String(words)}`,
    async () =>
      words.test(await page.evaluate<string>(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ""`)),
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

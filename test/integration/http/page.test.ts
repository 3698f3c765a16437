/** The list in a real browser, over the real product with a real camera. */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import type { RecordingView } from "../../../src/contract/recordings.js";
import { type Browser, findBrowser, type Page, startBrowser } from "../../support/browser.js";
import { waitFor } from "../../support/wait-for.js";
import { openFolderScene, type Scene } from "../app/scene.js";

const ADMIN_TOKEN = "a-token-for-the-page-0123456789";
const DESKTOP = { widthPx: 1280, heightPx: 800 } as const;
const PHONE = { widthPx: 375, heightPx: 812 } as const;

const executable = findBrowser();
/** Elsewhere a missing browser is no failure of the product; CI has one or fails. */
const isSkipped = executable === undefined && process.env["CI"] === undefined;

let scene: Scene;
let browser: Browser;
let page: Page;

/** What a person reads there; undefined while it cannot be seen. */
const textOf = (selector: string): Promise<string | undefined> =>
  page.evaluate(`document.querySelector(${JSON.stringify(selector)})?.checkVisibility()
    ? document.querySelector(${JSON.stringify(selector)}).innerText : undefined`);

function seen(selector: string, words: RegExp | string, timeoutMs = 20_000): Promise<string> {
  const look = async (): Promise<string | undefined> => {
    const text = await textOf(selector);
    const isThere = text !== undefined && (typeof words === "string" ? text.includes(words) : words.test(text));
    if (!isThere) throw new Error(`${selector} says ${JSON.stringify(text)}`);
    return text;
  };
  return waitFor(`${selector} to say ${String(words)}`, look, { timeoutMs });
}

async function focused(selector: string): Promise<void> {
  const isFocused = `document.activeElement?.matches(${JSON.stringify(selector)}) === true`;
  await waitFor(`${selector} to have the focus`, () => page.evaluate<boolean>(isFocused));
}

/** Answers of the API for this page alone. */
async function answerRecordings(recordings: readonly Partial<RecordingView>[]): Promise<void> {
  const items = recordings.map((recording, index) => ({ ...RECORDING, id: `id-${index}`, ...recording }));
  const source = `{
    const real = window.fetch;
    const answer = new Response(${JSON.stringify(JSON.stringify({ items, nextCursor: null }))});
    window.fetch = async (url, init) => url.includes("/recordings?") ? answer.clone() : real(url, init);
  }`;
  await page.send("Page.addScriptToEvaluateOnNewDocument", { source });
}

const RECORDING: Omit<RecordingView, "id"> = {
  path: "gate",
  startAt: "2026-07-20T17:04:43.02294Z",
  endAt: "2026-07-20T17:05:47.02294Z",
  durationSec: 64,
  mediaDurationSec: 64,
  bytes: 12_345_678,
  format: "fmp4",
  tracks: [
    { kind: "video", codec: "avc1.42c028", width: 1920, height: 1080, frameRate: 25 },
    { kind: "audio", codec: "mp4a.40.2", sampleRate: 48_000, channels: 2 },
  ],
  partial: false,
  gapBeforeSec: null,
  missingBefore: 0,
  streamId: null,
  segmentNumber: null,
  local: "present",
  archive: "verified",
  filePath: "gate/1.mp4",
  objectKey: null,
  publicUrl: null,
  sha256: null,
  verifiedAt: null,
  error: null,
};

describe.skipIf(isSkipped)("the page", () => {
  beforeAll(async () => {
    if (executable === undefined) throw new Error("there is no Chromium on PATH");
    browser = await startBrowser(executable, { ...process.env, TZ: "Europe/Berlin" });
    scene = await openFolderScene();
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

  it("leads from an empty list to a proven recording, in place and without a reload", async () => {
    await page.goto(scene.app.url);
    await seen("[data-view=empty] h2", "Nothing is recorded yet");
    await seen("#publish", scene.app.rtspUrl("cam1"));
    await seen("#ffmpeg", /^ffmpeg .* -f rtsp /);

    // One file, for as long as anybody needs to see that it is written.
    await scene.addPath("gate", { recordSegmentDuration: "1h" });
    const camera = await scene.startCamera("gate", { size: "320x240", audio: true });
    await seen("#rows tr:last-child .state", "Recording…");
    await page.evaluate(`document.querySelector("#rows tr:last-child").isTheSame = true`);
    await camera.stop();
    await seen("#rows tr:last-child .state", "Proven");
    expect(await page.evaluate(`document.querySelector("#rows tr:last-child").isTheSame`)).toBe(true);
    expect(await textOf("#rows tr:last-child .media")).toBe("320×240 · H.264 · AAC");
    await scene.app.drained();
    await seen("#backlog", "Nothing left to archive");
    // A path that has no footage yet has no picture either.
    expect(page.complaints.filter((text) => !text.includes("/thumbnail.jpg?"))).toEqual([]);
  });

  it("shows states, gaps and errors in words, times with their zone, and stored names as text", async () => {
    const evil = `<img src="x" onerror="document.title='broken'">`;
    await answerRecordings([
      { local: "open", durationSec: 0, tracks: [], archive: "none" },
      { path: evil, error: evil, local: "quarantined", archive: "none" },
      { gapBeforeSec: 2.5, partial: true },
      { missingBefore: 3, archive: "uploading" },
      { local: "released" },
      { local: "missing", archive: "none" },
      { archive: "conflict" },
      { archive: "none" },
    ]);
    await page.goto(scene.app.url);
    await seen("#rows", "Recording…");
    const column = (name: string): Promise<string[]> =>
      page.evaluate(`[...document.querySelectorAll("#rows .${name}")].map((cell) => cell.innerText.trim())`);
    expect(await column("state")).toEqual([
      "Recording…",
      "Quarantined",
      "Proven",
      "Archiving",
      "Released, only in the store",
      "Missing",
      "Conflict: the store holds other bytes",
      "On disk",
    ]);
    const notes = await column("notes");
    expect(notes[1]).toBe(evil);
    expect(notes[2]).toMatch(/^2\.5 s missing before\s+Partial/);
    expect(notes[3]).toBe("3 segments missing before");
    expect((await column("path"))[1]).toBe(evil);
    const injected = `[document.title, document.querySelectorAll("img[src=x]").length]`;
    expect(await page.evaluate(injected)).toEqual(["Recordings · Reelkeeper", 0]);
    expect(await column("length")).toEqual(["", ...Array<string>(7).fill("1 min 04 s")]);
    expect((await column("size"))[2]).toBe("12.3 MB");
    expect(await textOf("#rows time")).toBe("19:04:43");
    expect(await page.evaluate(`document.querySelector("#rows time").title`)).toMatch(
      /CEST\n2026-07-20 17:04:43\.02294 UTC$/,
    );
    await seen("#zone", "Europe/Berlin");
  });

  it("has names for all controls, readable contrast and no sideways scrolling, light and dark, wide and narrow", async () => {
    await answerRecordings([{}, { gapBeforeSec: 2.5, error: "no answer" }, { local: "missing", archive: "none" }]);
    for (const view of [DESKTOP, PHONE]) {
      for (const scheme of ["light", "dark"] as const) {
        await page.setView({ ...view, scheme });
        await page.goto(scene.app.url);
        await seen("#rows", "Proven");
        expect(await page.evaluate(LOW_CONTRAST)).toEqual([]);
        expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(view.widthPx);
      }
    }
    const nodes = (await page.send("Accessibility.getFullAXTree"))["nodes"] as AxNode[];
    const named = nodes.filter(({ ignored }) => !ignored).map(({ role, name }) => [role?.value, name?.value ?? ""]);
    const roles = new Set(named.map(([role]) => role));
    for (const role of ["banner", "main", "navigation", "table", "columnheader", "status"]) {
      expect(roles).toContain(role);
    }
    const controls = named.filter(([role]) => ["link", "button", "combobox", "textbox"].includes(role ?? ""));
    expect(controls.filter(([, name]) => name === "")).toEqual([]);
    expect(controls.map(([, name]) => name)).toContainEqual(
      expect.stringMatching(/^Download gate, 19:04:43, Monday,? 20 July 2026$/),
    );
  });

  it("is used by keyboard: the first Tab offers to skip, and focus can be seen", async () => {
    await page.goto(scene.app.url);
    await seen("#rows", "gate");
    await page.press("Tab");
    await seen("a:focus", "Skip to the recordings");
    await page.press("Enter");
    await page.press("Tab");
    expect(await page.evaluate("document.activeElement.textContent")).toBe("Play");
    expect(await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")).toBe("solid");
  });

  it("narrows to the path of the address, and says so when it has no recordings", async () => {
    await page.goto(`${scene.app.url}/?path=nobody/here`);
    await seen("[data-view=none] h2", "No recordings of this path");
    await seen("[data-path=gate] button", "");
    await page.evaluate(`document.querySelector("[data-path=gate] button").click()`);
    await seen("#rows .path", "gate");
    expect(await page.evaluate("location.search")).toBe("?path=gate");
    await page.evaluate("history.back()");
    await seen("[data-view=none] h2", "No recordings of this path");
  });

  it("keeps the list with the time of the last answer while the server is away, and goes on when it is back", async () => {
    await page.goto(scene.app.url);
    await seen("#rows", "Proven");
    await scene.app.stop();
    await seen("#stale", /^This is how it was at \d\d:\d\d:\d\d, no answer since\. The server does not answer\.$/);
    await seen("#rows", "Proven");
    await scene.app.start();
    await waitFor("the notice to go", async () => (await textOf("#stale")) === undefined, { timeoutMs: 30_000 });
  });

  it("says why there is nothing to see, and tries again", async () => {
    await page.send("Network.enable");
    await page.send("Network.setBlockedURLs", { urls: ["*/api/v1/*"] });
    await page.goto(scene.app.url);
    await seen("[data-view=failed]", "The server does not answer.");
    await page.send("Network.setBlockedURLs", { urls: [] });
    await page.evaluate(`document.querySelector("#again").click()`);
    await seen("#rows", "Proven");
  });

  it("asks for ADMIN_TOKEN, refuses a wrong one, and downloads the same bytes with the right one", async () => {
    const recording = (await scene.app.recordings())[0]!;
    await scene.app.restart({ ADMIN_TOKEN });
    await page.goto(scene.app.url);
    await seen("form", "This server asks for its token");
    await focused("#token");
    await page.type("not-the-token-of-this-server");
    await page.press("Enter");
    await seen("#refused", "The server refuses this token.");
    await focused("#token");
    await page.type(ADMIN_TOKEN);
    await page.press("Enter");
    await seen("#rows", "Proven");
    const downloadPath = path.join(scene.directory, "downloads");
    await page.send("Page.setDownloadBehavior", { behavior: "allow", downloadPath });
    await page.evaluate(`document.querySelector('.save[href*="${recording.id}"]').click()`);
    const file = await waitFor("the download", async () => {
      const name = (await readdir(downloadPath)).find((entry) => entry.endsWith(".mp4"));
      return name === undefined ? undefined : readFile(path.join(downloadPath, name));
    });
    expect(createHash("sha256").update(file).digest("hex")).toBe(recording.sha256);
    await scene.app.restart();
  });

  it("documents every operation of the API, without a request to elsewhere", async () => {
    await page.goto(`${scene.app.url}/api/docs`);
    await seen("#docs", "/api/v1/recordings");
    const origins = `[...new Set(performance.getEntriesByType("resource").map(({ name }) => new URL(name).origin))]`;
    expect(await page.evaluate(origins)).toEqual([scene.app.url]);
    expect(page.complaints).toEqual([]);
  });
});

interface AxNode {
  readonly ignored: boolean;
  readonly role?: { readonly value: string };
  readonly name?: { readonly value: string };
}

/** WCAG 2.2, 1.4.3: texts of less than 4.5 : 1 against what they stand on. */
const LOW_CONTRAST = `(() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = channels(color).map((part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const { backgroundColor } = getComputedStyle(element);
    return channels(backgroundColor)[3] === 0 && element.parentElement ? ground(element.parentElement) : backgroundColor;
  };
  const texts = [...document.querySelectorAll("body *")].filter((element) =>
    element.checkVisibility() && [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ""));
  return texts.flatMap((element) => {
    const [a, b] = [luminance(getComputedStyle(element).color), luminance(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    return ratio < 4.5 ? [element.textContent + " " + ratio.toFixed(2)] : [];
  });
})()`;

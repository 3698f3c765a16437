/** The page of a share link in a real browser: it plays its range and nothing else, on a phone too, light and dark. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import type { AxeResults } from "axe-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { formatRfc3339 } from "../../../src/core/instant.js";
import { type Browser, findBrowser, type Page, startBrowser } from "../../support/browser.js";
import { ask } from "../../support/http-ask.js";
import { addFixtures } from "../../support/http-footage.js";
import { type HttpHarness, startHttp } from "../../support/http-harness.js";
import { waitFor } from "../../support/wait-for.js";

const ROOT = path.resolve(import.meta.dirname, "../../..");
const PICTURES = path.join(ROOT, "test-output", "pages");
const PHONE = { widthPx: 375, heightPx: 812 } as const;
const DESKTOP = { widthPx: 1280, heightPx: 900 } as const;
const SEC = 1_000_000;

const executable = findBrowser();
/** Elsewhere a missing browser is no failure of the product; CI has one or fails. */
const isSkipped = executable === undefined && process.env["CI"] === undefined;

let http: HttpHarness;
let browser: Browser;
let page: Page;
let share: { readonly id: string; readonly url: string };

describe.skipIf(isSkipped)("the page of a share link", () => {
  beforeAll(async () => {
    if (executable === undefined) throw new Error("there is no Chromium on PATH");
    browser = await startBrowser(executable);
    http = await startHttp();
    await mkdir(PICTURES, { recursive: true });
    const [first] = await addFixtures(http, "v1.20.1/h264-aac");
    const fromUs = first!.startUs + SEC;
    const range = { from: formatRfc3339(fromUs), to: formatRfc3339(fromUs + 6 * SEC) };
    const expiresAt = formatRfc3339(http.catalog.clock.nowUs() + 7_200 * SEC);
    const body = { path: "cam1", ...range, label: "Parcel <img src=x onerror=alert(1)> at the gate", expiresAt };
    share = (await ask(http, "/api/v1/shares", { method: "POST", body })).json() as typeof share;
  });

  afterAll(async () => {
    await browser.stop();
    await http.close();
  });

  beforeEach(async () => {
    page = await browser.newPage();
    return () => page.close();
  });

  it("plays its range by signed URLs alone, and shows names as text", async () => {
    await page.setView(DESKTOP);
    await open();
    expect(await page.evaluate("document.querySelector('h1').textContent")).toContain("<img src=x");
    const durationSec = await page.evaluate<number>("video.duration");
    expect(durationSec).toBeGreaterThan(6);
    expect(durationSec).toBeLessThan(10);
    await page.evaluate("(video.muted = true, video.play())");
    await waitFor("it to play to its end", () => page.evaluate<boolean>("video.ended"), { timeoutMs: 30_000 });
    const urls = await page.evaluate<string[]>("performance.getEntriesByType('resource').map(({name}) => name)");
    for (const url of urls.filter((each) => each.includes("/api/"))) expect(url).toContain("signature=");
    expect(page.complaints).toEqual([]);
  });

  it.each([
    ["phone-light", { ...PHONE, scheme: "light" }],
    ["phone-dark", { ...PHONE, scheme: "dark" }],
    ["desktop-light", { ...DESKTOP, scheme: "light" }],
    ["desktop-dark", { ...DESKTOP, scheme: "dark" }],
  ] as const)("is fit to be looked at (%s)", async (name, view) => {
    await page.setView(view);
    await open();
    await page.evaluate("(video.currentTime = 3)");
    await waitFor("the picture", () => page.evaluate<boolean>("video.readyState >= 2 && !video.seeking"));
    await writeFile(path.join(PICTURES, `share-${name}.png`), await page.screenshot());
    expect(await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
    await page.evaluate(await readFile(path.join(ROOT, "node_modules", "axe-core", "axe.min.js"), "utf8"));
    const { violations } = await page.evaluate<Pick<AxeResults, "violations">>("axe.run()");
    expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
  });

  it("asks for new URLs when the old ones are over, and goes on", async () => {
    await page.setView(DESKTOP);
    await page.send("Network.enable");
    const block = (urls: string[]) => page.send("Network.setBlockedURLs", { urls });
    // It has the playlist, and no media yet.
    await block(["*media.mp4*"]);
    await page.goto(share.url);
    await page.evaluate("(globalThis.video = document.querySelector('video'), 0)");
    const asked = "performance.getEntriesByType('resource').filter(({name}) => name.includes('media.mp4')).length";
    await waitFor("it to ask for media", () => page.evaluate<boolean>(`${asked} > 0`), { timeoutMs: 20_000 });
    await http.catalog.clock.advance(3_601_000);
    await block([]);
    await waitFor("the video to be there", () => page.evaluate<boolean>("video.readyState >= 2"), {
      timeoutMs: 30_000,
    });
    const links = "performance.getEntriesByType('resource').filter(({name}) => name.endsWith('/links')).length";
    expect(await page.evaluate(links)).toBeGreaterThan(2);
  });

  it("says that it is over once it is revoked", async () => {
    await ask(http, `/api/v1/shares/${share.id}`, { method: "DELETE" });
    await page.goto(share.url);
    expect(await page.evaluate("document.body.textContent")).toContain("not any more");
  });
});

async function open(): Promise<void> {
  await page.goto(share.url);
  await page.evaluate("(globalThis.video = document.querySelector('video'), 0)");
  await waitFor("the video to be there", () => page.evaluate<boolean>("video.readyState >= 1"), { timeoutMs: 20_000 });
}

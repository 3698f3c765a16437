/** The audit log in a real browser, over the real product: found by any part of an entry, by action and by time. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { type Browser, findBrowser, type Page, startBrowser } from "../../support/browser.js";
import { Person } from "../../support/person.js";
import { waitFor } from "../../support/wait-for.js";
import { openFolderScene, type Scene } from "../app/scene.js";

const executable = findBrowser();
/** Elsewhere a missing browser is no failure of the product; CI has one or fails. */
const isSkipped = executable === undefined && process.env["CI"] === undefined;

let scene: Scene;
let browser: Browser;
let page: Page;
let person: Person;

const hash = (): Promise<string> => page.evaluate("location.hash");
/** Of every entry that is shown: its action and its target. */
const shown = async (): Promise<string[]> => {
  const cells = `[...document.querySelectorAll(".admin-table > tbody > tr")].map((row) =>
    [...row.children].slice(2, 4).map((cell) => cell.innerText.trim()).join(" "))`;
  return page.evaluate<string[]>(cells);
};

async function sees(entries: readonly string[]): Promise<void> {
  const isSeen = async () => {
    const now = await shown();
    if (JSON.stringify(now) !== JSON.stringify(entries)) throw new Error(`shown: ${JSON.stringify(now)}`);
    return true;
  };
  await waitFor(`the entries ${entries.join(", ")}`, isSeen, { timeoutMs: 20_000 });
}

async function search(text: string): Promise<void> {
  await person.fillIn("[name=search]", text);
  await person.clickOn("form[role=search] button[type=submit]");
}

describe.skipIf(isSkipped)("the audit log", () => {
  beforeAll(async () => {
    if (executable === undefined) throw new Error("there is no Chromium on PATH");
    browser = await startBrowser(executable, { ...process.env, TZ: "Europe/Berlin" });
    scene = await openFolderScene();
    const { app } = scene;
    await app.post("/api/v1/paths", { name: "site-a/Gate", labels: ["100% door"], maxReaders: 5 });
    await app.post("/api/v1/paths", {
      ...{ name: "a-camera-with-a-rather-long-name/behind-the-shed-of-the-neighbour/second-floor", group: "Jörg" },
    });
    await app.request("PATCH", "/api/v1/paths/site-a/Gate", { source: "rtsp://192.0.2.77:9/stream_1", maxReaders: 6 });
    await app.request("DELETE", "/api/v1/paths/site-a/Gate");
  });

  afterAll(async () => {
    await browser.stop();
    await scene.close();
  });

  beforeEach(async () => {
    page = await browser.newPage();
    await page.setView({ widthPx: 1280, heightPx: 900 });
    person = new Person(page);
    await page.goto(`${scene.app.url}/#/audit`);
    await person.seen(".admin-table", "path.delete");
    return () => page.close();
  });

  it("is searched by part of a target or of a value, whatever its case, and shows what was found", async () => {
    await search("SITE-A/ga");
    await sees(["path.delete site-a/Gate", "path.update site-a/Gate", "path.create site-a/Gate"]);
    expect(await hash()).toBe("#/audit?search=SITE-A%2Fga");
    await search("0.2.77:9/STREAM_");
    await sees(["path.delete site-a/Gate", "path.update site-a/Gate"]);
    // Nobody has to unfold what was found.
    await person.seen(".admin-table > tbody > tr:nth-child(2) .changes", "192.0.2.77");
    await search("jÖRG");
    await person.seen(".admin-table > tbody > tr:first-child .changes", "Jörg");
    await search("100%");
    await person.seesNo('.admin-table a[href*="behind-the-shed"]');
    await person.seen(".admin-table", "path.create");
    await search("gate%");
    await person.seen("[data-view=audit]", "Nothing like this was done.");
    await person.click("Clear");
    await person.seen(".admin-table", "behind-the-shed");
    expect(await hash()).toBe("#/audit");
  });

  it("is narrowed by action and time together with a search, and by a click on who or what", async () => {
    await person.chooseIn("[name=action]", "path.update");
    await sees(["path.update site-a/Gate"]);
    await person.chooseIn("[name=action]", "path");
    await search("gate");
    await sees(["path.delete site-a/Gate", "path.update site-a/Gate", "path.create site-a/Gate"]);
    await person.chooseIn("[name=within]", "3600");
    await waitFor("the address to say so", async () => (await hash()).includes("within=3600"));
    await sees(["path.delete site-a/Gate", "path.update site-a/Gate", "path.create site-a/Gate"]);
    await person.chooseIn("[name=within]", "between");
    await person.seen("form[role=search]", /Times in CES?T/);
    await page.evaluate(`location.hash = "#/audit?search=gate&to=2020-01-01T00:00:00Z"`);
    await person.seen("[data-view=audit]", "Nothing like this was done.");
    expect(await page.evaluate(`document.querySelector("[name=to]").value`)).toMatch(/^2020-01-01T01:00/);
    await person.click("Clear");
    await person.click("site-a/Gate");
    await person.seen(".narrowed", "Only of site-a/Gate");
    await sees(["path.delete site-a/Gate", "path.update site-a/Gate", "path.create site-a/Gate"]);
    await person.click("Only of site-a/Gate: show others too");
    await person.seen(".admin-table", "behind-the-shed");
    expect(await hash()).toBe("#/audit");
  });

  it.each([
    ["desktop-light", { widthPx: 1280, heightPx: 900 }, "light"],
    ["phone-dark", { widthPx: 390, heightPx: 844 }, "dark"],
  ] as const)("can be used by weak eyes, keys and screen readers: %s", async (what, view, scheme) => {
    await page.setView({ ...view, scheme });
    await person.chooseIn("[name=within]", "between");
    await search("gate");
    await person.seen(".admin-table", "path.delete");
    await person.takePicture(`audit-search-${what}`);
    expect(await person.hardships()).toEqual([]);
    expect(page.complaints).toEqual([]);
  });
});

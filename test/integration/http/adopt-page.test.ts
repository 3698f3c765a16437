/** Adopting a mediamtx.yml in a real browser, over the real product: nothing before it was seen, and the way back. */
import { readFile, writeFile } from "node:fs/promises";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { type Browser, findBrowser, type Page, startBrowser } from "../../support/browser.js";
import { Person } from "../../support/person.js";
import { waitFor } from "../../support/wait-for.js";
import { configured, openFolderScene, type Scene } from "../app/scene.js";

const PASSWORD = "canary-password";
const GIVEN = `# The whole house
logLevel: warn # as the manual says
pathDefaults:
  # Long files
  recordSegmentDuration: 30m
  recordDeleteAfter: 7d
paths:
  # The gate
  site-a/gate:
    source: rtsp://admin:${PASSWORD}@192.0.2.10:9/1
    sourceOnDemand: yes
    rtspTransport: tcp
    recordDeleteAfter: 3d
  site-a/a-camera-with-a-rather-long-name/behind-the-shed:
    runOnDemand: ffmpeg -i rtsp://192.0.2.11:9/1 -c copy -f rtsp rtsp://localhost:$RTSP_PORT/$MTX_PATH
  known:
    maxReaders: 3
  yard:
    record: yes
  # Visitors
  "~^guest/":
    record: true
  all_others:
`;

const executable = findBrowser();
/** Elsewhere a missing browser is no failure of the product; CI has one or fails. */
const isSkipped = executable === undefined && process.env["CI"] === undefined;

let scene: Scene;
let browser: Browser;
let page: Page;
let person: Person;

const newestVersion = async (): Promise<number> => (await scene.app.get<{ version: number }>("/api/v1/config")).version;
const baseFile = (): string => scene.app.installed.env["MEDIAMTX_BASE_CONFIG"] ?? "";
const openAdopt = (): Promise<void> => page.goto(`${scene.app.url}/#/paths?view=adopt`);
const isDisabled = (id: string): Promise<boolean> => page.evaluate(`document.getElementById("${id}").disabled`);

async function check(text: string): Promise<void> {
  await person.fillIn("#adopt-text", text);
  await person.clickOn("#check-adopt");
}

describe.skipIf(isSkipped)("the view that adopts a mediamtx.yml", () => {
  beforeAll(async () => {
    if (executable === undefined) throw new Error("there is no Chromium on PATH");
    browser = await startBrowser(executable, { ...process.env, TZ: "Europe/Berlin" });
    scene = await openFolderScene();
    await scene.app.post("/api/v1/paths", { name: "known", maxReaders: 9 });
    await configured(scene.app, "known");
  });

  afterAll(async () => {
    await browser.stop();
    await scene.close();
  });

  beforeEach(async () => {
    page = await browser.newPage();
    await page.setView({ widthPx: 1280, heightPx: 900 });
    person = new Person(page);
    return () => page.close();
  });

  it("says what is wrong with a text, and what blocks, and adopts nothing of it", async () => {
    const before = await newestVersion();
    await openAdopt();
    await check("paths: [");
    await person.seen("#adopt", "line 1");
    expect(await person.textOf("#adopt-report")).toBeUndefined();
    await check("logFile: /etc/cron.d/x\npaths:\n  gate: {}\n");
    await person.seen("#adopt-verdict", "1 thing has to be solved first");
    await person.seen("#adopt-left", /Server settings, logFile: names a file of the server/);
    expect(await isDisabled("adopt-ask")).toBe(true);
    expect(await newestVersion()).toBe(before);
  });

  it("shows what becomes of each part before anything is done", async () => {
    const [before, base] = [await newestVersion(), await readFile(baseFile(), "utf8")];
    await openAdopt();
    await check(GIVEN);
    await person.seen("#adopt-verdict", "A command does not come along");
    await person.seen(
      "#adopt-create",
      /site-a\/gate\s+source rtsp:\/\/admin:\*\*\*@192\.0\.2\.10:9\/1 · sourceOnDemand on/,
    );
    await person.seen("#adopt-left", /known: is a path with other settings already/);
    await person.seen("#adopt-left", /Defaults of all paths, recordDeleteAfter: MediaMTX must not delete/);
    await person.seen("#adopt-left [data-left=command]", /runOnDemand: is a command/);
    await person.clickOn("#adopt-kept summary");
    await person.seen("#adopt-kept", /Server settings\s+logLevel/);
    expect(await isDisabled("adopt-ask")).toBe(true);
    for (const [what, view, scheme] of [
      ["desktop-light", { widthPx: 1280, heightPx: 900 }, "light"],
      ["phone-dark", { widthPx: 390, heightPx: 844 }, "dark"],
    ] as const) {
      await page.setView({ ...view, scheme });
      await page.evaluate(`document.querySelector("#adopt-report").scrollIntoView()`);
      await person.takePicture(`adopt-report-${what}`);
      expect(await person.hardships(), what).toEqual([]);
    }
    expect(await page.evaluate(`document.querySelector("#adopt-report").innerText`)).not.toContain(PASSWORD);
    expect([await newestVersion(), await readFile(baseFile(), "utf8")]).toEqual([before, base]);
  });

  it("adopts after a question, leads to the history, and tells that what was before cannot be rolled back to", async () => {
    const before = await newestVersion();
    const base = await readFile(baseFile(), "utf8");
    await openAdopt();
    await check(GIVEN);
    await person.clickOn("#leave-commands");
    await person.seen("#adopt-verdict", "It can be adopted.");
    await person.clickOn("#adopt-ask");
    await person.seen("#adopt-question", "3 paths are added.");
    await person.seen("#adopt-question", "The base file is replaced.");
    await person.takePicture("adopt-question-desktop-light");
    expect(await newestVersion()).toBe(before);
    await person.clickOn("#adopt-apply");
    await person.seen("#adopted", "Adopted: 3 paths.");
    await person.takePicture("adopt-done-desktop-light");
    expect(await scene.app.get("/api/v1/paths/yard")).toMatchObject({ record: true });
    expect(await scene.app.get("/api/v1/paths/known")).toMatchObject({ maxReaders: 9 });
    expect(await readFile(baseFile(), "utf8")).toContain("# The whole house");

    await person.clickOn("#to-history");
    const newest = await newestVersion();
    await person.seen(`[data-version="${newest}"]`, "3 paths adopted, with the base");
    await person.clickOn(`[data-version="${before}"] a`);
    await person.seen("#other-base", "This version cannot be rolled back to");
    await person.seen("#other-base .diff", /−\s*logLevel: warn/);
    expect(await person.textOf("#rollback")).toBeUndefined();
    await person.takePicture("history-other-base-desktop-light");
    expect(await person.hardships()).toEqual([]);

    // As it says: the base of before, and then back.
    await writeFile(baseFile(), base);
    await page.goto("about:blank");
    await page.goto(`${scene.app.url}/#/paths?view=history&version=${before}`);
    await person.clickOn("#rollback");
    await person.seen("[role=dialog] .diff", /−\s+"?site-a\/gate"?:/);
    await person.clickOn("#apply");
    await person.seen("#path-said", `Rolled back to version ${before}`);
    await waitFor("the paths to be gone", async () => {
      return (await scene.app.request("GET", "/api/v1/paths/yard")).status === 404;
    });
    expect(page.complaints.filter((text) => !/\b4(?:00|04|09)\b/.test(text))).toEqual([]);
  });
});

/** The view of drift in a real browser, over the real product and the real MediaMTX: told in words, decided either way. */
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parseDocument } from "yaml";

import { type Browser, findBrowser, type Page, startBrowser } from "../../support/browser.js";
import { PATIENCE } from "../../support/patience.js";
import { Person } from "../../support/person.js";
import { waitFor } from "../../support/wait-for.js";
import { configured, openFolderScene, type Scene } from "../app/scene.js";

const API_PASSWORD = "the-api-password";
const SOURCE = "rtsp://admin:canary-password@192.0.2.10:9/1";
/** The file is looked at twice a minute. */
const LOOK_MS = 90_000;
/**
 * MediaMTX reads a changed file at once, or never: it drops what comes just after its last reload. As soon on a busy
 * machine: writing it once more does no harm.
 */
const READ_MS = 3_000 / PATIENCE;

const executable = findBrowser();
/** Elsewhere a missing browser is no failure of the product; CI has one or fails. */
const isSkipped = executable === undefined && process.env["CI"] === undefined;

let scene: Scene;
let browser: Browser;
let page: Page;
let person: Person;

interface Item {
  readonly path: string | null;
  readonly setting: string;
  readonly file: string | null;
  readonly server: string | null;
}

const fileOf = (): string => path.join(scene.app.dataDir, "mediamtx", "mediamtx.yml");
const readFileNow = (): Promise<string> => readFile(fileOf(), "utf8");
const items = async (): Promise<readonly Item[]> =>
  (await scene.app.get<{ items: Item[] }>("/api/v1/config/drift")).items;
const state = () => scene.app.get<{ applied: boolean; drift: boolean }>("/api/v1/config");
const row = (place: string, setting: string): string => `[data-place="${place}"] [data-setting="${setting}"]`;
const openDrift = (): Promise<void> => page.goto(`${scene.app.url}/#/paths?view=drift`);

/** By hand, and read by MediaMTX. */
async function editFile(where: readonly string[], value: unknown): Promise<void> {
  const [name, setting] = [where.at(-2), where.at(-1)];
  const isRead = async () => {
    const found = (await items()).find((each) => each.path === name && each.setting === setting);
    // MediaMTX says it in its own form: 20m as 20m0s.
    return found?.file === String(value) && [String(value), `${String(value)}0s`].includes(found.server ?? "");
  };
  await waitFor(
    "MediaMTX to run what was edited",
    async () => {
      const document = parseDocument(await readFileNow());
      document.setIn(where, value);
      await writeFile(fileOf(), document.toString());
      await waitFor("it to be read", isRead, { timeoutMs: READ_MS });
      return true;
    },
    { timeoutMs: LOOK_MS },
  );
}

async function patchByApi(name: string, body: object): Promise<void> {
  const authorization = `Basic ${Buffer.from(`reelkeeper:${API_PASSWORD}`).toString("base64")}`;
  const answer = await fetch(`${scene.app.mediamtxApiUrl}/v3/config/paths/patch/${name}`, {
    ...{ method: "PATCH", headers: { authorization }, body: JSON.stringify(body) },
  });
  expect(answer.status).toBe(200);
}

async function agreed(): Promise<void> {
  await waitFor("agreement", async () => (await state()).applied && (await items()).length === 0, {
    timeoutMs: LOOK_MS,
  });
}

describe.skipIf(isSkipped)("the view of drift", () => {
  beforeAll(async () => {
    if (executable === undefined) throw new Error("there is no Chromium on PATH");
    browser = await startBrowser(executable, { ...process.env, TZ: "Europe/Berlin" });
    scene = await openFolderScene({ env: { MEDIAMTX_API_PASSWORD: API_PASSWORD } });
    await scene.app.post("/api/v1/paths", { name: "site-a/gate", source: SOURCE, sourceOnDemand: true, maxReaders: 5 });
    await scene.app.post("/api/v1/paths", { name: "yard", record: true, recordSegmentDuration: "10m" });
    await configured(scene.app, "yard");
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

  it("says that all agree, and that comments alone were edited, which is no alarm", async () => {
    await agreed();
    await openDrift();
    await person.seen("#verdict", "All three say the same.");
    expect(await person.textOf("#preview-drift")).toBeUndefined();
    await writeFile(fileOf(), `# by hand\n${await readFileNow()}`);
    await person.seen("#verdict", "edited by hand, but nothing that counts differs");
    expect(await state()).toMatchObject({ drift: false });
    await person.takePicture("drift-comments-desktop-light");
    await person.clickOn("#preview-drift");
    await person.seen("[role=dialog] .diff", "# by hand");
    await person.seen("[role=dialog]", "Nobody is disconnected.");
    expect(await readFileNow()).toContain("# by hand");
    await person.clickOn("#apply");
    await person.seen("#path-said", "It is decided.");
    await waitFor("the file to be written anew", async () => !(await readFileNow()).includes("# by hand"));
    await person.seesNo("#preview-drift");
    await person.seen("#verdict", "All three say the same.");
  });

  it("lists each difference with its three values, and lets one be kept and one be undone", async () => {
    await editFile(["paths", "site-a/gate", "maxReaders"], 7);
    await editFile(["paths", "yard", "recordSegmentDuration"], "20m");
    await patchByApi("yard", { maxReaders: 3 });
    await page.goto(`${scene.app.url}/#/paths`);
    // The file is looked at now and then.
    await waitFor("the alarm", async () => (await state()).drift, { timeoutMs: LOOK_MS });
    await person.clickOn("#to-drift");
    await person.seen("#verdict", "3 things differ between the three.");
    const texts = async (place: string, setting: string) =>
      (await person.seen(row(place, setting), setting)).replaceAll(/\s+/g, " ");
    expect(await texts("site-a/gate", "maxReaders")).toBe("maxReaders 5 7 7");
    expect(await texts("yard", "recordSegmentDuration")).toMatch(/^recordSegmentDuration 10m 20m 20m/);
    expect(await texts("yard", "maxReaders")).toBe("maxReaders 0 0 3");
    expect(await person.hardships()).toEqual([]);

    await person.clickOn(`${row("yard", "recordSegmentDuration")} [data-side=file] input`);
    await person.clickOn("#preview-drift");
    await person.seen("#outcomes", "yard: recordSegmentDuration becomes 20m, as in mediamtx.yml");
    await person.seen("#outcomes", "site-a/gate: maxReaders goes back to 5");
    await person.seen("#reconnects", /site-a\/gate: maxReaders is not changed under a running path/);
    await person.seen("#reconnects", /yard: maxReaders/);
    await person.seen("[role=dialog] .diff", /−\s+maxReaders: 7/);
    await person.takePicture("drift-review-desktop-light");
    expect(await person.hardships()).toEqual([]);
    expect(await scene.app.get("/api/v1/paths/yard")).toMatchObject({ recordSegmentDuration: "10m" });
    await person.clickOn("#apply");
    await person.seen("#path-said", "It is decided.");
    await agreed();
    await person.seen("#verdict", "All three say the same.");
    expect(await scene.app.get("/api/v1/paths/yard")).toMatchObject({ recordSegmentDuration: "20m" });
    expect(await scene.app.get("/api/v1/paths/site-a/gate")).toMatchObject({ maxReaders: 5 });
    expect(page.complaints).toEqual([]);
  });

  it("says what only the table decides, shows no password, and can be used on a phone and in the dark", async () => {
    const document = parseDocument(await readFileNow());
    document.setIn(["paths", "site-a/gate", "source"], SOURCE.replace("canary", "canary-two"));
    document.setIn(["paths", "yard", "recordFormat"], "mpegts");
    document.setIn(["paths", "a-camera-with-a-long-name/that-somebody-added-by-hand/behind-the-shed"], {
      source: "publisher",
    });
    document.setIn(["writeQueueSize"], 1024);
    await writeFile(fileOf(), document.toString());
    await openDrift();
    await person.seen(row("Server settings", "writeQueueSize"), "change the base file");
    await person.seen(row("site-a/gate", "source"), "They differ in what is hidden.");
    await person.clickOn("#choose-all button:nth-of-type(2)");
    const counts = `${row("yard", "recordFormat")} [data-side=file][data-counts]`;
    await person.seen(counts, "mpegts");
    for (const [what, view, scheme] of [
      ["desktop-light", { widthPx: 1280, heightPx: 900 }, "light"],
      ["desktop-dark", { widthPx: 1280, heightPx: 900 }, "dark"],
      ["phone-light", { widthPx: 390, heightPx: 844 }, "light"],
      ["phone-dark", { widthPx: 390, heightPx: 844 }, "dark"],
    ] as const) {
      await page.setView({ ...view, scheme });
      await person.seen(counts, "mpegts");
      await person.takePicture(`drift-${what}`);
      expect(await person.hardships(), what).toEqual([]);
    }
    expect(await page.evaluate("document.documentElement.innerHTML")).not.toContain("canary");
    await person.clickOn("#preview-drift");
    await person.seen("#outcomes", "behind-the-shed: becomes a path here");
    await person.seen("#outcomes", "Server settings: writeQueueSize is set no more");
    await person.takePicture("drift-review-phone-dark");
    expect(await person.hardships(), "review").toEqual([]);
    expect(page.complaints).toEqual([]);
  });
});

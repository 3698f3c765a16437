/**
 * The whole product below a path of a host that it shares, behind a proxy that takes the path off and behind one that
 * leaves it, in a real browser: whatever the browser asks for stays below that path.
 */
import { cp, readdir, readFile } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { type Browser, findBrowser, startBrowser } from "../../support/browser.js";
import { type OidcServer, startOidcProvider } from "../../support/oidc-provider.js";
import { Person } from "../../support/person.js";
import { type PrefixProxy, startPrefixProxy } from "../../support/prefix-proxy.js";
import { waitFor } from "../../support/wait-for.js";
import { openFolderScene, type Scene } from "../app/scene.js";

const FIXTURES = path.resolve(import.meta.dirname, "../../fixtures/recordings/v1.20.1");
const PREFIX = "/reelkeeper";
const ADMIN_PASSWORD = "the-first-admin-0123";
const CLIENT = { clientId: "reelkeeper", clientSecret: "secret-of-the-client" };
const AT = "2026-11-20T17:04:46.000Z";

const executable = findBrowser();
/** Elsewhere a missing browser is no failure of the product; CI has one or fails. */
const isSkipped = executable === undefined && process.env["CI"] === undefined;

let scene: Scene;
let proxy: PrefixProxy;
let provider: OidcServer;
let browser: Browser;
let home: string;

describe.skipIf(isSkipped)("below a path of a host", () => {
  beforeAll(async () => {
    if (executable === undefined) throw new Error("there is no Chromium on PATH");
    browser = await startBrowser(executable, process.env);
    scene = await openFolderScene({ env: { QUIET_TIME: "1s", RECORD_TIMEZONE: "UTC" } });
    await scene.addPath("gate", { localRetention: "1h" });
    await cp(path.join(FIXTURES, "h264-aac"), path.join(scene.app.recordDir, "gate"), { recursive: true });
    await scene.app.post("/api/v1/scan", {});
    await scene.app.drained();
    proxy = await startPrefixProxy({ prefix: PREFIX, port: scene.app.installed.port });
    home = `${proxy.url}${PREFIX}`;
    const redirectUrl = `${home}/api/v1/login/oidc/callback`;
    provider = await startOidcProvider({ ...CLIENT, redirectUrl, host: "localhost" });
    provider.people.set("anna", { preferred_username: "anna", groups: ["guards"] });
    await scene.app.restart({
      ...{ LOGIN: "required", ADMIN_PASSWORD, PUBLIC_URL: `${home}/` },
      ...{ OIDC_ISSUER: provider.issuer, OIDC_ROLES: "guards=viewer:gate" },
      ...{ OIDC_CLIENT_ID: CLIENT.clientId, OIDC_CLIENT_SECRET: CLIENT.clientSecret },
    });
  });

  afterAll(async () => {
    await browser.stop();
    await provider.stop();
    await proxy.stop();
    await scene.close();
  });

  beforeEach(() => {
    proxy.takesOff = true;
    proxy.asked.length = 0;
  });

  it("logs in, plays, downloads, administers, documents itself and logs out", async () => {
    const person = await stranger();
    await person.page.goto(`${home}/`);
    await person.logIn("admin", ADMIN_PASSWORD);
    await person.seen("#rows", "gate");
    await sees(person, ".sidebar img.picture");
    expect(await cookieNames(person)).toEqual(
      ["access", "refresh"].map((which) => `__Host-reelkeeper-${which}.reelkeeper`),
    );

    await person.page.goto(`${home}/?path=gate&at=${AT}&zoom=60`);
    await plays(person);
    await person.page.evaluate(`document.querySelector("video").pause()`);
    expect(await isDrawn(person)).toBe(true);
    await downloadsClip(person);
    expect(await person.page.evaluate("location.href")).toContain(`${home}/?path=gate&at=`);

    await person.click("Administration");
    await person.seen("main", "gate");
    await person.page.evaluate(`location.hash = "#/users"`);
    await person.seenRow("admin", "admin");
    await person.page.goto(`${home}/api/docs`);
    await person.seen("#docs", "/api/v1/recordings");
    await triesOut(person);
    await person.click("← Recordings");
    await person.click("Log out");
    await person.seen("[data-view=login] h1", "Log in");
    expect(await cookieNames(person)).toEqual([]);
    expect(proxy.strayed()).toEqual([]);
    for (const part of [
      "media.mp4",
      "playlist.m3u8",
      "timeline?",
      "thumbnail.jpg",
      "clip.mp4",
      "assets/",
      "icon.svg",
    ]) {
      expect(proxy.asked.join("\n"), part).toContain(part);
    }
  });

  it("opens a share link for whoever has it, without a login", async () => {
    const admin = await stranger();
    await admin.page.goto(`${home}/`);
    await admin.logIn("admin", ADMIN_PASSWORD);
    await admin.seen("#rows", "gate");
    await admin.page.evaluate(`location.hash = "#/shares?path=gate&from=${AT}&to=2026-11-20T17:04:52.000Z"`);
    await admin.click("Share a range", "[role=dialog] button");
    const url = await admin.seen("#new-share", /\/share\/[\w-]{43}$/);
    expect(url.startsWith(`${home}/share/`)).toBe(true);

    const outsider = await stranger();
    // One slash too many leads there as well.
    await outsider.page.goto(`${url}/`);
    await sharePlays(outsider);
    const resources = `performance.getEntriesByType("resource").map(({ name }) => name)`;
    const signed = (await outsider.page.evaluate<string[]>(resources)).filter((each) => each.includes("signature="));
    expect(signed.some((each) => each.includes("media.mp4"))).toBe(true);
    await outsider.page.evaluate(`document.querySelector("#clip").click()`);
    await asked(/^GET \/reelkeeper\/api\/v1\/clip\.mp4\?.*signature=/m);
    expect(outsider.page.complaints).toEqual([]);
    expect(proxy.strayed()).toEqual([]);
  });

  it("goes to the login provider and comes back to where one was", async () => {
    const person = await stranger();
    await person.page.goto(`${home}/?path=gate#/account`);
    await person.click("Log in with your organisation");
    await person.fill("login", "anna");
    await person.fill("password", "whatever");
    await person.page.press("Enter");
    await person.click("Continue");
    await person.seen("[data-view=account]", "Open to you: gate.");
    expect(await person.page.evaluate("location.href")).toBe(`${home}/?path=gate#/account`);
    expect(proxy.strayed()).toEqual([]);
  });

  it("works behind a proxy that leaves the path where it is, too", async () => {
    proxy.takesOff = false;
    const person = await stranger();
    // Without its slash.
    await person.page.goto(home);
    expect(await person.page.evaluate("location.href")).toBe(`${home}/`);
    await person.logIn("admin", ADMIN_PASSWORD);
    await person.seen("#rows", "gate");
    await person.page.goto(`${home}/?path=gate&at=${AT}&zoom=60`);
    await plays(person);
    const share = await person.page.evaluate<string>(
      `fetch("api/v1/shares", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({
        path: "gate", from: "${AT}", to: "2026-11-20T17:04:52.000Z",
        expiresAt: new Date(Date.now() + 3_600_000).toISOString(), label: "" }) }).then((r) => r.json()).then((s) => s.url)`,
    );
    await person.page.goto(share);
    await sharePlays(person);
    expect(proxy.strayed()).toEqual([]);
  });
});

/** Somebody without a cookie. */
async function stranger(): Promise<Person> {
  const page = await browser.newPage();
  onTestFinished(() => page.close());
  await page.setView({ widthPx: 1280, heightPx: 900 });
  await page.send("Network.enable");
  await page.send("Network.clearBrowserCookies");
  return new Person(page);
}

async function sees({ page }: Person, picture: string): Promise<void> {
  const width = `document.querySelector(${JSON.stringify(picture)})?.naturalWidth ?? 0`;
  await waitFor(`${picture} to be there`, async () => (await page.evaluate<number>(width)) > 0);
}

async function plays({ page }: Person): Promise<void> {
  const isPlaying = `document.querySelector("video")?.readyState >= 3 && document.querySelector("video").dataset.wall !== undefined`;
  await waitFor("the picture", () => page.evaluate<boolean>(isPlaying), { timeoutMs: 30_000 });
}

async function sharePlays({ page }: Person): Promise<void> {
  const isThere = `document.querySelector("#video")?.readyState >= 2 && document.querySelector("#video").videoWidth > 0`;
  await waitFor("the shared picture", () => page.evaluate<boolean>(isThere), { timeoutMs: 30_000 });
}

/** The timeline has lanes of footage. */
async function isDrawn({ page }: Person): Promise<boolean> {
  await asked(/^GET \/reelkeeper\/api\/v1\/timeline\?/m);
  return page.evaluate<boolean>(`document.querySelector("canvas") !== null`);
}

async function downloadsClip(person: Person): Promise<void> {
  const downloadPath = path.join(scene.directory, "downloads");
  await person.page.send("Page.setDownloadBehavior", { behavior: "allow", downloadPath });
  for (const key of ["i", "ArrowRight", "o"]) {
    const text = key.length === 1 ? { text: key } : {};
    await person.page.send("Input.dispatchKeyEvent", { type: "keyDown", key, ...text });
    await person.page.send("Input.dispatchKeyEvent", { type: "keyUp", key });
  }
  await person.seen("#clip", /Download clip, /);
  await person.page.evaluate(`document.querySelector("#clip").click()`);
  const clip = await waitFor("the clip", async () => {
    const name = (await readdir(downloadPath).catch(() => [])).find((entry) => entry.endsWith(".mp4"));
    return name === undefined ? undefined : readFile(path.join(downloadPath, name));
  });
  expect(clip.subarray(4, 8).toString("latin1")).toBe("ftyp");
}

/** What Swagger UI asks by the document's `servers`. */
async function triesOut({ page }: Person): Promise<void> {
  const click = (what: string): Promise<unknown> =>
    waitFor(`${what} to be there`, () =>
      page.evaluate<boolean>(`(() => {
        const found = document.querySelector('[id$="-getHealth"]')?.querySelector(${JSON.stringify(what)});
        found?.click();
        return found != null;
      })()`),
    );
  await click(".opblock-summary-control");
  await click(".try-out__btn");
  await click(".execute");
  await asked(/^GET \/reelkeeper\/health$/m);
}

async function asked(line: RegExp): Promise<void> {
  await waitFor(`${String(line)} to be asked`, () => Promise.resolve(line.test(proxy.asked.join("\n"))));
}

async function cookieNames({ page }: Person): Promise<string[]> {
  const { cookies } = (await page.send("Network.getCookies", { urls: [home] })) as { cookies: { name: string }[] };
  return cookies.map(({ name }) => name).sort();
}

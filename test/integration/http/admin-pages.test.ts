/** Logging in and the administration pages in a real browser, over the real product. */
import { cp } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { type Browser, findBrowser, startBrowser } from "../../support/browser.js";
import { Person } from "../../support/person.js";
import { waitFor } from "../../support/wait-for.js";
import { openFolderScene, type Scene } from "../app/scene.js";

const FIXTURES = path.resolve(import.meta.dirname, "../../fixtures/recordings/v1.20.1");
const DESKTOP = { widthPx: 1280, heightPx: 900 } as const;
const PHONE = { widthPx: 390, heightPx: 844 } as const;
const ADMIN_TOKEN = "a-token-for-scripts-0123456789";
const ADMIN_PASSWORD = "the-first-admin-0123";
const PASSWORD = "correct-horse-battery";
const FROM = "2026-11-20T17:00:00Z";

const executable = findBrowser();
/** Elsewhere a missing browser is no failure of the product; CI has one or fails. */
const isSkipped = executable === undefined && process.env["CI"] === undefined;

let scene: Scene;
let browser: Browser;
let person: Person;

describe.skipIf(isSkipped)("the page where people log in", () => {
  beforeAll(async () => {
    if (executable === undefined) throw new Error("there is no Chromium on PATH");
    browser = await startBrowser(executable, { ...process.env, TZ: "Europe/Berlin" });
    scene = await openFolderScene({ env: { QUIET_TIME: "1s", RECORD_TIMEZONE: "UTC" } });
    for (const name of ["gate", "yard"]) {
      await scene.addPath(name, { localRetention: "1h" });
      await cp(path.join(FIXTURES, "h264-aac"), path.join(scene.app.recordDir, name), { recursive: true });
    }
    await scene.app.post("/api/v1/scan", {});
    await scene.app.drained();
    await scene.app.restart({ LOGIN: "required", ADMIN_TOKEN, ADMIN_PASSWORD });
  });

  afterAll(async () => {
    await browser.stop();
    await scene.close();
  });

  beforeEach(async () => {
    const page = await browser.newPage();
    person = new Person(page);
    await page.setView(DESKTOP);
    await page.send("Network.enable");
    await page.send("Network.clearBrowserCookies");
    return () => page.close();
  });

  it("asks who one is, tells a wrong password as a wrong name, lets in and out, and renews the login by itself", async () => {
    await open("/");
    await person.logIn("admin", "not-the-password");
    await person.seen("#login-failure", "Name or password is wrong.");
    await person.logIn("nobody", "not-the-password");
    await person.seen("#login-failure", "Name or password is wrong.");
    await person.logIn("admin", ADMIN_PASSWORD);
    await person.seen("#rows", "gate");
    await person.seen("#account", "admin");

    const expiring = { name: "__Host-reelkeeper-access", url: scene.app.url };
    await person.page.send("Network.deleteCookies", expiring);
    await waitFor("a new access token", async () => (await cookieNames()).includes(expiring.name));
    expect(await person.textOf("[data-view=login]")).toBeUndefined();

    await person.click("Log out");
    await person.seen("[data-view=login] h1", "Log in");
    expect(await cookieNames()).toEqual([]);
  });

  it("shows a viewer their cameras and their account, and asks for nothing that their role may not do", async () => {
    await addUser("vera", { role: "viewer", paths: ["yard"] });
    await open("/");
    await person.logIn("vera", PASSWORD);
    await person.seen("#rows", "yard");
    // The paths come by an answer of their own.
    await person.seen("[data-path]", "yard");
    expect(
      await person.page.evaluate(`[...document.querySelectorAll("[data-path]")].map((e) => e.dataset.path)`),
    ).toEqual(["yard"]);
    expect(await person.textOf("#rows")).not.toContain("gate");
    expect(await person.textOf("#administration")).toBeUndefined();
    await open("#/users");
    await person.seen("[data-view=no-page]", "There is no such page, or it is not open to you");
    await open("#/account");
    await person.seen("[data-view=account]", "Open to you: yard.");
    expect(await person.textOf(".sidebar nav")).toBe("Recordings\nYour account");
    expect(person.page.complaints.filter((text) => text.includes("403"))).toEqual([]);
  });

  it("brings the login back in the middle of work, and what was typed is still there", async () => {
    await addUser("hugo", { role: "admin" });
    await open("/#/users");
    await person.logIn("hugo", PASSWORD);
    await person.click("Add user");
    await person.fill("new-name", "half-typed");
    for (const { id } of await sessionsOf("hugo")) await ask("DELETE", `/api/v1/sessions/${id}`);
    await person.seen("[data-view=login]", "Your login has ended.");
    expect(await person.textOf("[role=dialog]")).toBeUndefined();
    await person.fill("password", PASSWORD);
    await person.page.press("Enter");
    await person.seen("[role=dialog]", "Add a user");
    expect(await person.page.evaluate(`document.querySelector("[name=new-name]").value`)).toBe("half-typed");
  });

  it("adds a user who can log in, gives them another role, another password, and locks them out", async () => {
    await openAsAdmin("users");
    await person.click("Add user");
    await person.fill("new-name", "otto");
    await person.choose("role", "operator");
    await person.fill("paths", "site-a/*, gate");
    await person.click("Add user", "[role=dialog] button");
    await person.seen("[role=dialog]", "otto can log in now");
    const first = await person.seen("#new-password", /.{12}/);
    expect(await me("otto", first)).toMatchObject({ role: "operator", paths: ["gate", "site-a/*"] });
    await person.click("Done");

    await person.click("Edit: otto");
    await person.choose("role", "viewer");
    await person.click("Save");
    await person.seenRow("otto", "Viewer");
    expect(await me("otto", first)).toMatchObject({ role: "viewer" });

    await person.click("Reset password: otto");
    await person.click("Reset password", "[role=dialog] button");
    await person.seen("[role=dialog]", "otto has a new password");
    const second = await person.seen("#new-password", /.{12}/);
    await person.click("Done");
    expect(await me("otto", first)).toBeUndefined();
    expect(await me("otto", second)).toMatchObject({ name: "otto" });

    await person.click("Disable: otto");
    await person.click("Disable", "[role=dialog] button");
    await person.seenRow("otto", "Disabled");
    expect(await me("otto", second)).toBeUndefined();
  });

  it("says which field of a user is wrong, and that somebody has the name", async () => {
    await openAsAdmin("users");
    await person.click("Add user");
    await person.fill("new-name", "-otto");
    await person.click("Add user", "[role=dialog] button");
    await person.seen("[role=dialog]", "expected 1 to 64 lowercase letters");
    await person.fill("new-name", "admin");
    await person.click("Add user", "[role=dialog] button");
    await person.seen("[role=dialog] [role=alert]", `A user named "admin" exists.`);
  });

  it("makes an API token that is shown once, opens what it was made for, and is refused once revoked", async () => {
    await openAsAdmin("tokens");
    await person.click("Make a token");
    await person.fill("token-name", "nightly-copy");
    await person.click("Make a token", "[role=dialog] button");
    const token = await person.seen("#new-token", /^rk_/);
    await person.click("Done");
    const bearer = { authorization: `Bearer ${token}` };
    const asToken = () => fetch(`${scene.app.url}/api/v1/me`, { headers: bearer });
    expect(await (await asToken()).json()).toMatchObject({ kind: "token", role: "viewer" });
    await person.seenRow("nightly-copy", "Viewer, Every path");
    await person.click("Revoke: nightly-copy");
    await person.click("Revoke", "[role=dialog] button");
    await person.seenRow("nightly-copy", "Revoked");
    expect((await asToken()).status).toBe(401);
    expect(await person.page.evaluate("document.body.textContent")).not.toContain(token);
  });

  it("ends the session of somebody, and the audit log tells by whom; what was changed, before and after", async () => {
    const carla = await addUser("carla", { role: "viewer", paths: ["gate"] });
    const { accessToken } = (await logInByApi("carla", PASSWORD))!;
    await openAsAdmin("sessions");
    await person.click("End: carla, curl");
    await person.click("End", "[role=dialog] button");
    await waitFor("the session to end", async () => (await meBy(accessToken)) === undefined);

    await ask("PATCH", `/api/v1/users/${carla}`, { paths: ["yard"], role: "operator" });
    await person.click("Audit log");
    await person.choose("action", "session");
    await person.seen("[data-view=audit] tbody tr:first-child", /admin[\s\S]*session\.revoke[\s\S]*session:/);
    await person.choose("action", "");
    await person.fill("search", "user:carla");
    await person.click("Search");
    const entry = "[data-view=audit] tbody tr:first-child";
    await person.seen(`${entry} summary`, /Changed: role, paths/);
    await person.page.evaluate(`document.querySelector(${JSON.stringify(`${entry} summary`)}).click()`);
    expect((await person.seen(`${entry} .changes table`, "paths")).replaceAll(/\s+/g, " ")).toMatch(
      /role viewer operator paths \["gate"\] \["yard"\]/,
    );
    expect(await person.page.evaluate("location.hash")).toBe("#/audit?search=user%3Acarla");
  });

  it("shares what is marked with outsiders, counts who opens it, and takes it back", async () => {
    await openAsAdmin(`shares?path=gate&from=${FROM}&to=2026-11-20T17:05:00Z`);
    await person.fill("label", "Parcel");
    await person.click("Share a range", "[role=dialog] button");
    const url = await person.seen("#new-share", /\/share\/[\w-]{43}$/);
    expect((await fetch(url)).status).toBe(200);
    await person.click("Done");
    await person.seenRow("Parcel", "1×");
    await person.takePicture("shares-desktop-light");
    await person.click("Revoke: gate Parcel");
    await person.click("Revoke", "[role=dialog] button");
    await person.seenRow("Parcel", "Revoked");
    expect((await fetch(url)).status).toBe(404);
  });

  it("lets people change their password, which ends their other sessions", async () => {
    await addUser("petra", { role: "viewer", paths: ["*"] });
    const other = (await logInByApi("petra", PASSWORD))!;
    await open("/#/account");
    await person.logIn("petra", PASSWORD);
    await person.fill("current-password", "not-the-password");
    await person.fill("new-password", "another-battery-horse");
    await person.click("Change password");
    await person.seen("[data-view=account]", "is not the password");
    await person.fill("current-password", PASSWORD);
    await person.click("Change password");
    await person.seen("[data-view=account]", "The password is changed");
    expect(await meBy(other.accessToken)).toBeUndefined();
    expect(await me("petra", "another-battery-horse")).toMatchObject({ name: "petra" });
    await person.seen("[data-view=account] table", "This one");
  });

  it.each([
    ["desktop-light", DESKTOP, "light"],
    ["desktop-dark", DESKTOP, "dark"],
    ["phone-light", PHONE, "light"],
    ["phone-dark", PHONE, "dark"],
  ] as const)("can be used by weak eyes, keys and screen readers: %s", async (what, view, scheme) => {
    await person.page.setView({ ...view, scheme });
    await open("/");
    await person.seen("[data-view=login] h1", "Log in");
    await person.takePicture(`login-${what}`);
    expect(await person.hardships(), "login").toEqual([]);
    await person.logIn("admin", ADMIN_PASSWORD);
    await person.seen("#rows", "gate");
    for (const [name, words] of [
      ["account", "This one"],
      ["users", "admin"],
      ["tokens", "For scripts"],
      ["sessions", "admin"],
      ["audit", "login.password"],
      ["shares", "Whoever has a link"],
    ] as const) {
      await open(`#/${name}`);
      await person.seen(`[data-view=${name}]`, words);
      await person.takePicture(`${name}-${what}`);
      expect(await person.hardships(), name).toEqual([]);
    }
    await open("#/users");
    await person.click("Add user");
    await person.seen("[role=dialog]", "Add a user");
    await person.takePicture(`add-user-${what}`);
    expect(await person.hardships(), "adding a user").toEqual([]);
    expect(person.page.complaints.filter((text) => !/\b401\b/.test(text) && !text.includes("/thumbnail.jpg?"))).toEqual(
      [],
    );
  });
});

const open = (place: string): Promise<void> =>
  place.startsWith("#")
    ? person.page.evaluate(`void (location.hash = ${JSON.stringify(place)})`)
    : person.page.goto(scene.app.url + place);

async function openAsAdmin(place: string): Promise<void> {
  await open(`/#/${place}`);
  await person.logIn("admin", ADMIN_PASSWORD);
  await person.seen(".admin h1", /\w/);
}

async function cookieNames(): Promise<string[]> {
  const { cookies } = await person.page.send("Network.getCookies", { urls: [scene.app.url] });
  return (cookies as { name: string }[]).map(({ name }) => name);
}

/** As a script does it, with ADMIN_TOKEN. */
async function ask<T>(method: string, target: string, body?: unknown): Promise<T> {
  const response = await fetch(scene.app.url + target, {
    method,
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${target} answers ${response.status}: ${text}`);
  return JSON.parse(text) as T;
}

/** The id. */
async function addUser(name: string, rights: { role: string; paths?: string[] }): Promise<string> {
  return (await ask<{ id: string }>("POST", "/api/v1/users", { name, password: PASSWORD, ...rights })).id;
}

async function sessionsOf(name: string): Promise<{ id: string }[]> {
  const users = await ask<{ items: { id: string; name: string }[] }>("GET", "/api/v1/users");
  const user = users.items.find((each) => each.name === name)!;
  return (await ask<{ items: { id: string }[] }>("GET", `/api/v1/sessions?user=${user.id}`)).items;
}

interface LoggedIn {
  readonly accessToken: string;
  readonly user: object;
}

/** Undefined: refused. */
async function logInByApi(name: string, password: string): Promise<LoggedIn | undefined> {
  const response = await fetch(`${scene.app.url}/api/v1/login`, {
    method: "POST",
    headers: { "content-type": "application/json", "user-agent": "curl/8.5.0" },
    body: JSON.stringify({ name, password }),
  });
  return response.ok ? ((await response.json()) as LoggedIn) : undefined;
}

const me = async (name: string, password: string): Promise<object | undefined> =>
  (await logInByApi(name, password))?.user;

async function meBy(accessToken: string): Promise<object | undefined> {
  const response = await fetch(`${scene.app.url}/api/v1/me`, { headers: { authorization: `Bearer ${accessToken}` } });
  return response.ok ? ((await response.json()) as object) : undefined;
}

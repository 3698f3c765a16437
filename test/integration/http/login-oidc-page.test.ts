/** Logging in by a provider of another site, in a real browser: there, and back to where one was. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";

import { type Browser, findBrowser, startBrowser } from "../../support/browser.js";
import { type OidcServer, startOidcProvider } from "../../support/oidc-provider.js";
import { Person } from "../../support/person.js";
import { openFolderScene, type Scene } from "../app/scene.js";

const CLIENT = { clientId: "reelkeeper", clientSecret: "secret-of-the-client" };

const executable = findBrowser();
/** Elsewhere a missing browser is no failure of the product; CI has one or fails. */
const isSkipped = executable === undefined && process.env["CI"] === undefined;

let scene: Scene;
let provider: OidcServer;
let browser: Browser;

describe.skipIf(isSkipped)("the page with a login provider", () => {
  beforeAll(async () => {
    if (executable === undefined) throw new Error("there is no Chromium on PATH");
    browser = await startBrowser(executable, process.env);
    scene = await openFolderScene();
    await scene.addPath("gate");
    await scene.addPath("yard");
    const redirectUrl = `${scene.app.url}/api/v1/login/oidc/callback`;
    provider = await startOidcProvider({ ...CLIENT, redirectUrl, host: "localhost" });
    provider.people.set("anna", { preferred_username: "anna", groups: ["guards"] });
    provider.people.set("eve", { preferred_username: "eve", groups: [] });
    await scene.app.restart({
      ...{ LOGIN: "required", ADMIN_PASSWORD: "the-first-admin-0123", PUBLIC_URL: scene.app.url },
      ...{ OIDC_ISSUER: provider.issuer, OIDC_ROLES: "guards=viewer:yard" },
      ...{ OIDC_CLIENT_ID: CLIENT.clientId, OIDC_CLIENT_SECRET: CLIENT.clientSecret },
    });
  });

  afterAll(async () => {
    await browser.stop();
    await provider.stop();
    await scene.close();
  });

  async function begin(place: string): Promise<Person> {
    const page = await browser.newPage();
    const person = new Person(page);
    await page.send("Network.enable");
    await page.send("Network.clearBrowserCookies");
    await page.goto(`${scene.app.url}${place}`);
    onTestFinished(() => page.close());
    return person;
  }

  async function logInThere(person: Person, name: string): Promise<void> {
    await person.click("Log in with your organisation");
    await person.fill("login", name);
    await person.fill("password", "whatever");
    await person.page.press("Enter");
    await person.click("Continue");
  }

  it("goes there and comes back to where one was, with what one's group opens", async () => {
    const person = await begin("/#/account");
    await logInThere(person, "anna");
    await person.seen("[data-view=account]", "Open to you: yard.");
    expect(await person.page.evaluate("location.href")).toBe(`${scene.app.url}/#/account`);
  });

  it("tells whom no group lets in, and leaves the other way open", async () => {
    const person = await begin("/");
    await logInThere(person, "eve");
    await person.seen("#login-failure", "was not accepted here");
    await person.takePicture("login-provider-refused");
    await person.logIn("admin", "the-first-admin-0123");
    await person.seen("#account", "admin");
  });
});

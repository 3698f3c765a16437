/** Names as long as they may be, on the pages of users in a real browser: nothing runs out of the page or of a dialogue. */
import { expect, it, onTestFinished } from "vitest";

import { findBrowser, startBrowser } from "../../support/browser.js";
import { Person } from "../../support/person.js";
import { folderScene } from "../app/scene.js";

const ADMIN_TOKEN = "a-token-for-scripts-0123456789";
const ADMIN_PASSWORD = "the-first-admin-0123";
const NAME = "bert.with.a.very.long.name.that.goes.on.and.on@subsidiary.exampl";
const PATH = "a-camera-with-a-rather-long-name/behind-the-shed-of-the-neighbour/second-floor-left-of-the-stairs";

const executable = findBrowser();
/** Elsewhere a missing browser is no failure of the product; CI has one or fails. */
const isSkipped = executable === undefined && process.env["CI"] === undefined;

it.skipIf(isSkipped)(
  "keeps long names of users and paths inside of the page, and every button of a dialogue",
  async () => {
    if (executable === undefined) throw new Error("there is no Chromium on PATH");
    const { app } = await folderScene({ env: { LOGIN: "required", ADMIN_TOKEN, ADMIN_PASSWORD } });
    const made = await fetch(`${app.url}/api/v1/users`, {
      method: "POST",
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify({ name: NAME, role: "viewer", paths: [PATH], password: "correct-horse-battery" }),
    });
    expect(made.status).toBe(201);
    const browser = await startBrowser(executable, process.env);
    onTestFinished(() => browser.stop());
    const page = await browser.newPage();
    const person = new Person(page);
    await page.setView({ widthPx: 1280, heightPx: 900 });
    await page.goto(`${app.url}/#/users`);
    await person.logIn("admin", ADMIN_PASSWORD);
    for (const [what, view] of [
      ["desktop", { widthPx: 1280, heightPx: 900 }],
      ["phone", { widthPx: 390, heightPx: 844 }],
    ] as const) {
      await page.setView(view);
      await person.seenRow(NAME, "Active");
      await person.takePicture(`long-names-${what}`);
      expect(await person.hardships(), what).toEqual([]);
      await person.click(`Edit: ${NAME}`);
      await person.seen("[role=dialog]", "Save");
      await person.takePicture(`long-names-dialogue-${what}`);
      const inside = `(() => {
      const edge = (selector) => [...document.querySelectorAll(selector)].at(-1).getBoundingClientRect().right;
      return edge("[role=dialog] button[type=submit]") <= edge("[role=dialog]");
    })()`;
      expect(await page.evaluate<boolean>(inside), what).toBe(true);
      await person.click("Close");
      await person.seesNo("[role=dialog]");
    }
  },
);

/** The hands of the page tests: what they click and fill in is what was meant, whatever the page does meanwhile. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Browser, findBrowser, type Page, startBrowser } from "../../support/browser.js";
import { Person } from "../../support/person.js";

const executable = findBrowser();
/** Elsewhere a missing browser is no failure of the product; CI has one or fails. */
const isSkipped = executable === undefined && process.env["CI"] === undefined;

const BUTTONS = `<button id="wrong" style="position: fixed; top: 100px; left: 20px">Delete all</button>
  <label style="position: fixed; top: 20px; left: 20px"><input type="checkbox" id="right"> Keep</label>
  <script>
    window.clicked = [];
    addEventListener("click", ({ target, isTrusted }) => isTrusted && clicked.push(target.id || target.tagName));
  </script>`;

const FIELDS = `<input name="first"><input name="second">
  <script>document.querySelector("[name=first]").addEventListener("focus", () => setTimeout(() =>
    document.querySelector("[name=second]").focus()));</script>`;

let browser: Browser;

describe.skipIf(isSkipped)("a person at a page", () => {
  beforeAll(async () => {
    browser = await startBrowser(executable ?? "no Chromium");
  });
  afterAll(() => browser.stop());

  async function open(content: string): Promise<Page> {
    const page = await browser.newPage();
    await page.goto(`data:text/html,<body>${encodeURIComponent(content)}`);
    return page;
  }

  it.each([["#right"], ["label"]])(
    "clicks on %s alone, though another is in its place when the mouse comes",
    async (selector) => {
      const page = await open(BUTTONS);
      let isSwapped = false;
      const send: Page["send"] = async (method, params) => {
        if (method === "Input.dispatchMouseEvent" && !isSwapped) {
          isSwapped = true;
          await page.evaluate(`(() => {
          document.querySelector("label").style.top = "200px";
          document.querySelector("#wrong").style.top = "20px";
        })()`);
        }
        return page.send(method, params);
      };
      await new Person({ ...page, send }).clickOn(selector);
      expect(isSwapped).toBe(true);
      expect(await page.evaluate("clicked")).toEqual(selector === "label" ? ["LABEL", "right"] : ["right"]);
      expect(await page.evaluate(`document.querySelector("#right").checked`)).toBe(true);
    },
  );

  it("fills in the field that was meant, though another one takes the focus", async () => {
    const page = await open(FIELDS);
    const person = new Person(page);
    await person.fill("first", "one");
    await person.fill("second", "two, three");
    await person.fill("second", "two");
    const values = `[...document.querySelectorAll("input")].map(({ value }) => value)`;
    expect(await page.evaluate(values)).toEqual(["one", "two"]);
    await person.fillIn("[name=second]", "");
    expect(await page.evaluate(values)).toEqual(["one", ""]);
  });
});

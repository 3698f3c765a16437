/** Somebody at a page: what they read, fill in and click, and what they would find hard to use. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import type { AxeResults } from "axe-core";

import type { Page } from "./browser.js";
import { waitFor } from "./wait-for.js";

const ROOT = path.resolve(import.meta.dirname, "../..");
const PICTURES = path.join(ROOT, "test-output", "pages");
const SEEN_TIMEOUT_MS = 20_000;

/** What lies below a login or a dialogue counts as little as what is not there. */
const FIND = `(selector, words) => [...document.querySelectorAll(selector)].filter((element) =>
  element.checkVisibility() && (words === null || element.innerText.trim() === words ||
    element.getAttribute("aria-label") === words)).at(-1)`;

/** Until \`watchedClick\` is asked whether it hit, a click on anything else reaches nobody. */
const WATCH = `(isIn) => {
  let isHit = true;
  const kinds = ["pointerdown", "mousedown", "pointerup", "mouseup", "click"];
  const look = (event) => {
    if (isHit && isIn(event.target)) return;
    isHit = false;
    event.preventDefault();
    event.stopImmediatePropagation();
  };
  for (const kind of kinds) window.addEventListener(kind, look, true);
  window.watchedClick = () => {
    for (const kind of kinds) window.removeEventListener(kind, look, true);
    return isHit;
  };
}`;

export class Person {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** The text of an element once it says so. */
  seen(selector: string, words: RegExp | string): Promise<string> {
    const look = async (): Promise<string> => {
      const text = await this.textOf(selector);
      const isThere = text !== undefined && (typeof words === "string" ? text.includes(words) : words.test(text));
      if (!isThere) throw new Error(`${selector} says ${JSON.stringify(text)}`);
      return text;
    };
    return waitFor(`${selector} to say ${String(words)}`, look, { timeoutMs: SEEN_TIMEOUT_MS });
  }

  /** Undefined: it cannot be seen. */
  textOf(selector: string): Promise<string | undefined> {
    return this.page.evaluate(`(${FIND})(${JSON.stringify(selector)}, null)?.innerText`);
  }

  /** The row of a table that has this word in it, once it says so. */
  seenRow(word: string, words: string): Promise<string> {
    const rows = `[...document.querySelectorAll(".admin-table tbody > tr")].map((row) => row.innerText)`;
    const look = async (): Promise<string | undefined> => {
      const texts = (await this.page.evaluate<string[]>(rows)).filter((text) => text.includes(word));
      const row = texts.find((text) => text.includes(words));
      if (row === undefined) throw new Error(`rows with ${word}: ${JSON.stringify(texts)}`);
      return row;
    };
    return waitFor(`the row of ${word} to say ${words}`, look, { timeoutMs: SEEN_TIMEOUT_MS });
  }

  /** A button or link, by what it says or by its name for screen readers. */
  async click(words: string, selector = "button, a"): Promise<void> {
    const act = (what: string) => `(() => {
      const element = (${FIND})(${JSON.stringify(selector)}, ${JSON.stringify(words)});
      if (element === undefined || element.disabled) return false;
      element.${what}();
      return true;
    })()`;
    // One after the other, as a mouse does it: what has the focus is told first that it loses it.
    for (const what of ["focus", "click"]) {
      const isDone = () => this.page.evaluate<boolean>(act(what));
      await waitFor(`"${words}" to ${what}`, isDone, { timeoutMs: SEEN_TIMEOUT_MS });
    }
  }

  /** A field by its name or id, in place of what stands in it. */
  async fill(name: string, text: string): Promise<void> {
    await this.fillIn(`input[name="${name}"], input[id="${name}"]`, text);
  }

  async choose(name: string, value: string): Promise<void> {
    const act = `(() => {
      const element = (${FIND})(${JSON.stringify(`select[name="${name}"]`)}, null);
      if (element === undefined) return false;
      Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, "value").set.call(element, ${JSON.stringify(value)});
      element.dispatchEvent(new Event("change", { bubbles: true }));
      return element.value === ${JSON.stringify(value)};
    })()`;
    await waitFor(`${value} in ${name}`, () => this.page.evaluate<boolean>(act), { timeoutMs: SEEN_TIMEOUT_MS });
  }

  /** Whatever stands there, in its middle, once one can. What has moved or was drawn anew meanwhile is looked for again. */
  async clickOn(selector: string): Promise<void> {
    const find = `(() => {
      const element = (${FIND})(${JSON.stringify(selector)}, null);
      if (element === undefined || element.disabled) return null;
      element.scrollIntoView({ block: "center" });
      const { left, top, width, height } = element.getBoundingClientRect();
      const [x, y] = [left + width / 2, top + height / 2];
      // A label and what it is for are clicked as one.
      const control = element.closest("label")?.control;
      const parts = [element, ...(element.labels ?? []), ...(control ? [control] : [])];
      const isIn = (target) => parts.some((part) => part.contains(target));
      if (!isIn(document.elementFromPoint(x, y))) return null;
      (${WATCH})(isIn);
      return { x, y };
    })()`;
    await waitFor(`${selector} to be where one can click`, async () => {
      const at = await this.page.evaluate<{ x: number; y: number } | null>(find);
      if (at === null) return false;
      for (const type of ["mousePressed", "mouseReleased"]) {
        await this.page.send("Input.dispatchMouseEvent", { type, ...at, button: "left", clickCount: 1 });
      }
      // Another page in its place: it was the click that led there.
      return this.page.evaluate<boolean>("window.watchedClick?.() ?? true").catch(() => true);
    });
  }

  /** In place of what stands there; no text empties it. At once, so that nothing takes the focus away meanwhile. */
  async fillIn(selector: string, text: string): Promise<void> {
    const act = `(() => {
      const element = (${FIND})(${JSON.stringify(selector)}, null);
      if (element === undefined) return false;
      element.focus();
      element.select();
      if (document.activeElement !== element) return false;
      const text = ${JSON.stringify(text)};
      if (text !== "") document.execCommand("insertText", false, text);
      else if (element.value !== "") document.execCommand("delete");
      return true;
    })()`;
    await waitFor(`the field ${selector}`, () => this.page.evaluate<boolean>(act), { timeoutMs: SEEN_TIMEOUT_MS });
  }

  async chooseIn(selector: string, value: string): Promise<void> {
    const act = `(() => {
      const element = (${FIND})(${JSON.stringify(selector)}, null);
      if (![...(element?.options ?? [])].some((option) => option.value === ${JSON.stringify(value)})) return false;
      Object.getOwnPropertyDescriptor(HTMLSelectElement.prototype, "value").set.call(element, ${JSON.stringify(value)});
      element.dispatchEvent(new Event("change", { bubbles: true }));
      return true;
    })()`;
    await waitFor(`${value} in ${selector}`, () => this.page.evaluate<boolean>(act), { timeoutMs: SEEN_TIMEOUT_MS });
  }

  async seesNo(selector: string): Promise<void> {
    const isGone = async () => (await this.textOf(selector)) === undefined;
    await waitFor(`${selector} to go`, isGone, { timeoutMs: SEEN_TIMEOUT_MS });
  }

  texts(selector: string): Promise<string[]> {
    return this.page.evaluate(
      `[...document.querySelectorAll(${JSON.stringify(selector)})].map((each) => each.innerText.trim())`,
    );
  }

  async logIn(name: string, password: string): Promise<void> {
    await this.seen("[data-view=login] h1", "Log in");
    await this.fill("username", name);
    await this.fill("password", password);
    await this.page.press("Enter");
  }

  /** Kept under test-output/pages, to be looked at. */
  async takePicture(name: string): Promise<void> {
    await mkdir(PICTURES, { recursive: true });
    await writeFile(path.join(PICTURES, `${name}.png`), await this.page.screenshot());
  }

  /** What axe calls serious, each with where it is, and whether the page scrolls sideways. */
  async hardships(): Promise<string[]> {
    await this.page.evaluate(await readFile(path.join(ROOT, "node_modules", "axe-core", "axe.min.js"), "utf8"));
    const { violations } = await this.page.evaluate<Pick<AxeResults, "violations">>(`axe.run()`);
    const isWide = `document.documentElement.scrollWidth > document.documentElement.clientWidth`;
    return [
      ...violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`),
      ...((await this.page.evaluate<boolean>(isWide)) ? ["scrolls sideways"] : []),
    ];
  }
}

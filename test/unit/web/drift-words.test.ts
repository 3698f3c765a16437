/** Drift in words: what each side says, what can count, and what a decision does. */
import { describe, expect, it } from "vitest";

import type { DriftItem } from "../../../src/web/api-types.js";
import {
  byPlace,
  chooseAll,
  isHidden,
  keyOf,
  outcomeOf,
  takeOversOf,
  valueAt,
  whyOnlyTable,
} from "../../../src/web/admin/paths/drift-words.js";

const item = (of: Partial<DriftItem> = {}): DriftItem => ({
  ...{ where: "path", path: "cam1", setting: "maxReaders", table: "5", file: "7", server: "7" },
  ...{ canTakeOver: ["file", "server"], ...of },
});
const WHOLE = { setting: "", table: null, file: "configured", server: null } as const;

describe("a difference in words", () => {
  it("tells what is not set from what is not told and from what nobody can tell", () => {
    const gone = item({ table: null, file: null, server: null });
    expect([valueAt(gone, "table", true), valueAt(gone, "server", true), valueAt(gone, "server", false)]).toEqual([
      ...["not set", "not told", "unknown"],
    ]);
    const added = item(WHOLE);
    expect([valueAt(added, "table", true), valueAt(added, "file", true)]).toEqual(["not there", "configured"]);
    expect(valueAt(item({ file: "" }), "file", true)).toBe('""');
  });

  it("says that it is in what is hidden", () => {
    const masked = "rtsp://admin:***@10.0.0.7/1";
    expect(isHidden(item({ table: masked, file: masked, server: masked }))).toBe(true);
    expect(isHidden(item({ table: masked, file: null, server: "publisher" }))).toBe(false);
    expect(isHidden(item())).toBe(false);
  });

  it.each([
    [item(), undefined],
    [item({ where: "global", path: null, canTakeOver: [] }), /base file/],
    [item({ path: "~^guest", canTakeOver: [] }), /base file/],
    [item({ setting: "", table: "configured", file: null, canTakeOver: [] }), "Is put back."],
    [item({ setting: "", table: null, canTakeOver: [] }), /^Goes/],
    [item({ setting: "runOnReady", canTakeOver: [] }), /Reelkeeper/],
  ])("says why only the table can count: %j", (one, why) => {
    if (why === undefined) expect(whyOnlyTable(one)).toBeUndefined();
    else expect(whyOnlyTable(one)).toMatch(why);
  });
});

describe("a decision", () => {
  const items = [
    item(),
    item({ setting: "source", canTakeOver: ["server"], server: "publisher" }),
    item({ path: "added", ...WHOLE, canTakeOver: ["file"] }),
    item({ where: "global", path: null, setting: "logLevel", table: "info", canTakeOver: [] }),
  ];

  it("takes one side where it can be taken, and the table elsewhere", () => {
    const choices = chooseAll(items, "file");
    expect(takeOversOf(items, choices)).toEqual([
      { path: "cam1", from: "file", settings: ["maxReaders"] },
      { path: "added", from: "file", settings: [""] },
    ]);
    expect(items.map((one) => outcomeOf(one, choices))).toEqual([
      "cam1: maxReaders becomes 7, as in mediamtx.yml",
      "cam1: source goes back to 5",
      "added: becomes a path here, as in mediamtx.yml",
      "Server settings: logLevel goes back to info",
    ]);
    expect(takeOversOf(items, chooseAll(items, "table"))).toEqual([]);
  });

  it("forgets a choice that is none any more", () => {
    const choices = { [keyOf(items[1]!)]: "file" } as const;
    expect(takeOversOf(items, choices)).toEqual([]);
  });

  it("stands under its path", () => {
    expect(byPlace(items).map(({ name, items: own }) => [name, own.length])).toEqual([
      ["cam1", 2],
      ["added", 1],
      ["Server settings", 1],
    ]);
  });
});

/** What the administration pages make of what the API says: changes, devices, patterns, places in the address. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { changesOf } from "../../../src/web/admin/audit-diff.js";
import { deviceOf } from "../../../src/web/admin/device.js";
import { patternsOf, patternWords } from "../../../src/web/admin/patterns.js";
import { placeHref, readPlace } from "../../../src/web/place.js";

describe("what an entry of the audit log has changed", () => {
  it("is only what differs, by the names of nested values; lists count as one", () => {
    const before = { name: "gate", labels: ["a"], source: { url: "rtsp://a", options: { udp: true } }, same: 1 };
    const after = {
      name: "gate",
      labels: ["a", "b"],
      source: { url: "rtsp://b", options: { udp: true } },
      same: 1,
      record: true,
    };
    expect(changesOf(before, after)).toEqual([
      { field: "labels", before: `["a"]`, after: `["a","b"]` },
      { field: "source.url", before: "rtsp://a", after: "rtsp://b" },
      { field: "record", before: undefined, after: "true" },
    ]);
  });

  it("is everything of what was made or removed, and nothing of what was only done", () => {
    expect(changesOf(null, { a: 1, b: null })).toEqual([
      { field: "a", before: undefined, after: "1" },
      { field: "b", before: undefined, after: "null" },
    ]);
    expect(changesOf({ a: "x" }, null)).toEqual([{ field: "a", before: "x", after: undefined }]);
    expect(changesOf(null, null)).toEqual([]);
    expect(changesOf("old", "new")).toEqual([{ field: "", before: "old", after: "new" }]);
  });

  it("is nothing between two equal values, whatever they are", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(changesOf(value, structuredClone(value))).toEqual([]);
      }),
    );
  });
});

describe("the device of a session", () => {
  const chrome = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0";
  it.each([
    [`Mozilla/5.0 (X11; Linux x86_64) ${chrome} Safari/537.36`, "Chrome on Linux"],
    [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${chrome} Safari/537.36 Edg/140.0`, "Edge on Windows"],
    ["Mozilla/5.0 (Macintosh; Intel Mac OS X 15.5; rv:142.0) Gecko/20100101 Firefox/142.0", "Firefox on macOS"],
    [`Mozilla/5.0 (Linux; Android 16; Pixel 9) ${chrome} Mobile Safari/537.36`, "Chrome on Android"],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) Version/18.6 Mobile/15E148 Safari/604.1", "Safari on iOS"],
    ["curl/8.14.1", "curl"],
    ["backup-script 1.0", "backup-script 1.0"],
    ["", "Unknown"],
    [null, "Unknown"],
  ])("%s → %s", (userAgent, words) => expect(deviceOf(userAgent)).toBe(words));
});

describe("patterns of paths", () => {
  it("offers every path, each prefix once, and the paths", () => {
    expect(patternsOf(["site-a/yard/1", "site-a/gate", "hall"])).toEqual([
      ...["*", "hall", "site-a/*", "site-a/gate", "site-a/yard/*", "site-a/yard/1"],
    ]);
  });

  it("says in words what is open", () => {
    expect(patternWords(["gate", "site-a/*"])).toBe("gate, site-a/*");
    expect(patternWords(["gate", "*"])).toBe("Every path");
    expect(patternWords([])).toBe("No path");
  });
});

describe("the place behind # in the address", () => {
  it("leads back to what it was made from, whatever the values", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1 });
    fc.assert(
      fc.property(fc.dictionary(text, text), (query) => {
        expect(readPlace(placeHref("audit", query))).toEqual({ page: "audit", query });
      }),
    );
  });

  it.each(["", "#", "#main", "#/", "#/../x", "#/A"])("%j is none", (hash) => expect(readPlace(hash)).toBeUndefined());
});

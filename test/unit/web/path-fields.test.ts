/** What the form of a path makes of settings, of what is typed, and of what the server refuses. */
import { describe, expect, it } from "vitest";

import { diffLines } from "../../../src/web/admin/paths/diff-lines.js";
import {
  type Draft,
  edited,
  errorsByField,
  fieldsOf,
  settingsOfNew,
  shownOf,
  textOf,
  type TypedKind,
  valueOf,
} from "../../../src/web/admin/paths/fields.js";
import { filtered, groupsOf, NO_FILTER } from "../../../src/web/admin/paths/path-filter.js";
import type { Path, Setting } from "../../../src/web/api-types.js";

const setting = (name: string, type: Setting["type"], more: Partial<Setting> = {}): Setting => ({
  ...{ name, type, section: "recording", accepts: "", help: "", inherited: "1h", mediamtxDefault: "1h" },
  ...{ minVersion: null, secret: null, isSupported: true, needsReconnect: false },
  ...more,
});

const path = (more: Partial<Path> = {}): Path => ({
  ...({ name: "gate", enabled: true, archive: "all", localRetention: null, archiveRetention: null } as const),
  ...{ labels: [], group: null, createdAt: "", updatedAt: "", recorded: true },
  ...{ state: { online: true, source: null, since: null }, config: { applied: true, error: null } },
  ...more,
});

const fieldNamed = (name: string, of: Path | undefined, settings: readonly Setting[] = []) =>
  fieldsOf(of, settings, [{ id: "siren", description: "" }]).find((field) => field.name === name)!;

describe("a field", () => {
  it("tells the path's own value from what it inherits", () => {
    const settings = [setting("recordSegmentDuration", "duration"), setting("maxReaders", "integer")];
    const effective = {
      recordSegmentDuration: { value: "4s", from: "own", inherited: "1m" },
      maxReaders: { value: 0, from: "mediamtx", inherited: 0 },
    } as const;
    const of = path({ effective, localRetention: "7d" });
    expect(fieldNamed("recordSegmentDuration", of, settings)).toMatchObject({ own: "4s", inherited: "1m" });
    expect(fieldNamed("maxReaders", of, settings)).toMatchObject({ own: undefined, inherited: 0, kind: "integer" });
    expect(fieldNamed("localRetention", of)).toMatchObject({ own: "7d", inherited: "LOCAL_RETENTION" });
    expect(fieldNamed("enabled", of)).toMatchObject({ own: true, inherited: undefined });
    expect(fieldNamed("recordSegmentDuration", undefined, settings)).toMatchObject({ own: undefined, inherited: "1h" });
  });

  it("offers the templates that there are, and says which MediaMTX it needs", () => {
    const template = setting("template", "choice", { inherited: null });
    expect(fieldNamed("template", path(), [template])).toMatchObject({ choices: ["siren"], unsupported: undefined });
    const tooNew = setting("maxReaders", "integer", { isSupported: false, minVersion: "1.21.0" });
    expect(fieldNamed("maxReaders", path(), [tooNew]).unsupported).toContain("1.21.0");
  });
});

describe("a change", () => {
  const own = { ...fieldNamed("localRetention", path({ localRetention: "7d" })) };
  const inherited = { ...fieldNamed("localRetention", path()) };

  it("holds what was changed alone; what ends where it began is none", () => {
    const changed = edited({}, own, "8d");
    expect([changed, shownOf(own, changed)]).toEqual([{ localRetention: "8d" }, { own: "8d", isChanged: true }]);
    expect(edited(changed, own, "7d")).toEqual({});
    expect(edited({ a: 1 }, inherited, "1d")).toEqual({ a: 1, localRetention: "1d" });
  });

  it("goes back to the default by null where there was a value, and by nothing where there was none", () => {
    const reset = edited({}, own, undefined);
    expect([reset, shownOf(own, reset)]).toEqual([{ localRetention: null }, { own: undefined, isChanged: true }]);
    expect(edited({ localRetention: "1d" }, inherited, undefined)).toEqual({});
    expect(settingsOfNew({ a: null, b: 1 })).toEqual({ b: 1 });
  });
});

describe("what is typed", () => {
  it.each<[TypedKind, unknown, string]>([
    ["integer", 7, "7"],
    ["text", "30s", "30s"],
    ["ports", [32_768, 60_999], "32768-60999"],
    [
      "tracks",
      [{ codec: "H264" }, { codec: "MPEG4Audio", sampleRate: 48_000, channelCount: 2 }],
      "H264\nMPEG4Audio 48000 2",
    ],
    ["tracks", [{ codec: "G711", sampleRate: 8_000, channelCount: 1, muLaw: true }], "G711 8000 1 muLaw"],
  ])("stands for a value and back: %s %j", (kind, value, text) => {
    expect(textOf(kind, value)).toBe(text);
    expect(valueOf(kind, text)).toEqual(value);
  });

  it("goes to the server as it is where it cannot be read", () => {
    expect(valueOf("integer", "many")).toBe("many");
    expect(valueOf("ports", "a-7")).toEqual(["a", 7]);
    expect(valueOf("tracks", "H264 fast")).toEqual([{ codec: "H264", sampleRate: "fast" }]);
  });
});

describe("what the server refuses", () => {
  it("belongs to its field, whatever request it was of; the rest to none", () => {
    const names = new Set(["name", "record", "alwaysAvailableTracks", "maxReaders"]);
    const errors = {
      record: "a",
      "changes.0.name": "b",
      "changes.0.settings.maxReaders": "c",
      "patch.alwaysAvailableTracks.0.codec": "d",
      "alwaysAvailableTracks.1.codec": "e",
      "changes.0.action": "f",
    };
    expect(errorsByField(errors, names)).toEqual({
      ...{ record: "a", name: "b", maxReaders: "c", alwaysAvailableTracks: "d; e", "": "f" },
    } satisfies Draft);
  });
});

describe("the table", () => {
  const paths = [
    path({ name: "site/gate", group: "Site A", labels: ["Door"] }),
    path({ name: "site/hall", group: "Site B", state: { online: false, source: null, since: null } }),
    path({ name: "live", recorded: false }),
    path({ name: "off", enabled: false }),
  ];
  const names = (filter: Partial<typeof NO_FILTER>): string[] =>
    filtered(paths, { ...NO_FILTER, ...filter }).map(({ name }) => name);

  it("is narrowed by text, group and state together", () => {
    expect(names({})).toHaveLength(4);
    expect(names({ text: " door " })).toEqual(["site/gate"]);
    expect(names({ text: "site b" })).toEqual(["site/hall"]);
    expect(names({ group: "" })).toEqual(["live", "off"]);
    expect(names({ group: "Site A", text: "hall" })).toEqual([]);
    expect([names({ state: "off" }), names({ state: "live" })]).toEqual([["site/hall"], ["live"]]);
    expect([names({ state: "disabled" }), names({ state: "recording" })]).toEqual([["off"], ["site/gate"]]);
    expect(groupsOf(paths)).toEqual(["Site A", "Site B"]);
  });
});

describe("a difference", () => {
  it("is shown from its first place on, each line by its kind", () => {
    const diff = "===\n--- mediamtx.yml\n+++ mediamtx.yml\n@@ -1,2 +1,2 @@\n paths:\n-  a:\n+  b:\n\\ No newline\n";
    expect(diffLines(diff)).toEqual([
      { kind: "hunk", text: "@@ -1,2 +1,2 @@" },
      { kind: "same", text: "paths:" },
      { kind: "removed", text: "  a:" },
      { kind: "added", text: "  b:" },
    ]);
    expect(diffLines("")).toEqual([]);
  });
});

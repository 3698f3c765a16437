import { describe, expect, it } from "vitest";
import { parse } from "yaml";

import type { PathSettings } from "../../../src/contract/path-settings.js";
import { parsePathName } from "../../../src/core/path-name.js";
import { renderConfig } from "../../../src/mediamtx/config-document.js";
import { parseTemplates } from "../../../src/mediamtx/templates.js";

const FILE = `
restream:
  description: Send it on
  runOnInit: ffmpeg -i rtsp://localhost/$MTX_PATH -c copy -f rtsp rtsp://elsewhere/$MTX_PATH
  runOnInitRestart: true
lamp: { runOnOnline: "lamp on", runOnOffline: lamp off }
`;

function render(name: string, settings: PathSettings, changes: { version?: string; baseYaml?: string } = {}) {
  const text = renderConfig({
    ...{
      baseYaml: "",
      recordDir: "/recordings",
      hookCommand: null,
      mode: "external",
      listen: "all",
      version: "1.21.0",
    },
    api: { address: null, user: "reelkeeper", password: "correct horse" },
    paths: [{ name: parsePathName(name), enabled: true, settings }],
    templates: parseTemplates(FILE),
    ...changes,
  });
  return (parse(text) as { paths: Record<string, unknown> }).paths[name];
}

describe("a template", () => {
  it("gives a path the deployer's commands to the letter, and the path gives it nothing but its name", () => {
    expect(render("site/cam", { template: "restream", record: true })).toEqual({
      runOnInit: "ffmpeg -i rtsp://localhost/$MTX_PATH -c copy -f rtsp rtsp://elsewhere/$MTX_PATH",
      runOnInitRestart: true,
      record: true,
      recordDeleteAfter: "0s",
    });
  });

  it.each([
    ["that nobody wrote", "cam", "reboot", "1.21.0", 'no template "reboot"; MEDIAMTX_TEMPLATES has: restream, lamp'],
    ["that is too new", "cam", "lamp", "1.19.2", "needs MediaMTX 1.19.3"],
    ["of a path whose name looks like an option", "site/-version", "restream", "1.21.0", "begins with -"],
  ])("%s is refused", (_name, path, template, version, reason) => {
    expect(() => render(path, { template }, { version })).toThrow(reason);
  });

  it.each([
    ["no mapping", "[]", "is no mapping of ids"],
    ["an odd id", '"A b": {}', 'has the id "A b"'],
    ["no mapping of settings", "a: 7", 'holds no mapping at "a"'],
    ["two lines", 'a: { runOnInit: "x\\ny" }', "no command of one line at a.runOnInit"],
    ["an empty command", 'a: { runOnInit: " " }', "no command of one line"],
    ["what is ours", "a: { runOnReady: x }", "sets a.runOnReady"],
    ["our segment hook", "a: { runOnRecordSegmentComplete: x }", "sets a.runOnRecordSegmentComplete"],
    ["another setting", "a: { record: true }", "sets a.record"],
    ["a flag of text", 'a: { runOnInitRestart: "yes" }', "neither true nor false"],
    ["a number for a duration", "a: { runOnDemandCloseAfter: 10 }", "no duration"],
    ["an anchor", "a: &x { runOnInit: x }", "anchor"],
    ["a tag", "a: !!js { runOnInit: x }", "TAG_RESOLVE_FAILED"],
    ["one id twice", "a: {}\na: {}", "DUPLICATE_KEY"],
  ])("file that holds %s is refused", (_name, text, reason) => {
    expect(() => parseTemplates(text)).toThrow(reason);
  });

  it("file that is empty holds none", () => {
    expect(parseTemplates("")).toEqual([]);
  });
});

describe("alwaysAvailable", () => {
  const always: PathSettings = { alwaysAvailable: true, alwaysAvailableTracks: [{ codec: "H264" }], record: true };

  it("keeps its placeholder out of the recordings, unless the path says otherwise", () => {
    expect(render("cam", always)).toMatchObject({ alwaysAvailable: true, alwaysAvailableRecorded: false });
    expect(render("cam", { ...always, alwaysAvailableRecorded: true })).toMatchObject({
      alwaysAvailableRecorded: true,
    });
    expect(render("cam", { record: true })).not.toHaveProperty("alwaysAvailableRecorded");
  });

  it("with record is refused where MediaMTX cannot keep it out, whoever says record", () => {
    const version = "1.20.1";
    const reason = "record the placeholder as footage before MediaMTX 1.21.0, this one is 1.20.1";
    expect(() => render("cam", always, { version })).toThrow(reason);
    const rest: PathSettings = { alwaysAvailable: true, alwaysAvailableTracks: [{ codec: "H264" }] };
    expect(() => render("cam", rest, { version, baseYaml: "pathDefaults: { record: yes }" })).toThrow(reason);
    expect(render("cam", rest, { version })).not.toHaveProperty("alwaysAvailableRecorded");
  });

  it("names field, value and version of what this MediaMTX does not know", () => {
    expect(() => render("cam", { alwaysAvailableRecorded: false }, { version: "1.20.1" })).toThrow(
      "path cam cannot be configured: alwaysAvailableRecorded false needs MediaMTX 1.21.0, this one is 1.20.1",
    );
  });
});

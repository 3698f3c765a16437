import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { segmentHookSchema, sourceHookSchema } from "../../../src/contract/hook.js";
import { mapSegmentPath } from "../../../src/mediamtx/hook-payload.js";

const DIRS = { mediamtxRecordDir: "/data/recordings", recordDir: "/srv/reelkeeper/rec" };

describe("mapping of a hook's segment path", () => {
  it.each([
    ["an absolute path as MediaMTX sees it", "/data/recordings/cam/2026/x.mp4", "cam/2026/x.mp4"],
    ["an absolute path as we see it", "/srv/reelkeeper/rec/cam/x.mp4", "cam/x.mp4"],
    ["MediaMTX's default relative recordPath (F6)", "./recordings/cam/x.mp4", "cam/x.mp4"],
    ["a relative path through more of the directory", "data/recordings/cam/x.mp4", "cam/x.mp4"],
    ["a path named like the directory", "./recordings/recordings/x.mp4", "recordings/x.mp4"],
    ["a name with blanks and quotes", "/data/recordings/cam/a b'\"%.mp4", "cam/a b'\"%.mp4"],
  ])("takes %s", (_, segmentPath, expected) => {
    expect(mapSegmentPath(segmentPath, DIRS)).toBe(expected);
  });

  it.each([
    "/etc/passwd",
    "/data/recordings",
    "/data/recordings/",
    "/data/recordingsX/cam/x.mp4",
    "/data/recordings/../secrets/x.mp4",
    "/data/recordings/cam/./x.mp4",
    "/data/recordings//cam/x.mp4",
    "/data/recordings/cam/x.mp4\0.png",
    "./elsewhere/cam/x.mp4",
    "../recordings/cam/x.mp4",
    "recordings/../../x.mp4",
    "cam/x.mp4",
    "",
  ])("refuses %j", (segmentPath) => {
    expect(() => mapSegmentPath(segmentPath, DIRS)).toThrow(/does not lie in the record directory/);
  });

  it("never leaves the record directory, whatever it is given", () => {
    const part = fc.constantFrom("..", ".", "", "data", "recordings", "cam", "x.mp4");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), fc.boolean(), (parts, absolute) => {
        let mapped: string;
        try {
          mapped = mapSegmentPath((absolute ? "/" : "") + parts.join("/"), DIRS);
        } catch {
          return;
        }
        expect(mapped.startsWith("/")).toBe(false);
        expect(mapped.split("/")).not.toContain("..");
      }),
    );
  });
});

describe("the body of a segment hook", () => {
  const body = { path: "site/gate", segmentPath: "/data/recordings/site/gate/x.mp4" };

  it("reads the same from a form as from JSON", () => {
    const form = Object.fromEntries(new URLSearchParams({ ...body, segmentDuration: "4.012", secret: "s" }));
    const json: unknown = { ...body, segmentDuration: 4.012, secret: "s", unknown: 1 };
    expect(segmentHookSchema.parse(form)).toEqual(segmentHookSchema.parse(json));
    expect(segmentHookSchema.parse(form).segmentDuration).toBe(4.012);
  });

  it("takes an empty duration for none", () => {
    expect(segmentHookSchema.parse({ ...body, segmentDuration: "" }).segmentDuration).toBeUndefined();
    expect(segmentHookSchema.parse(body).segmentDuration).toBeUndefined();
  });

  it.each([
    { segmentPath: "" },
    { segmentPath: "x".repeat(4_097) },
    { segmentPath: "a\0b" },
    { segmentPath: ["/data/recordings/x.mp4"] },
    { path: "../x" },
    { path: "__proto__/../x" },
    { path: 1 },
    { segmentDuration: "-1" },
    { segmentDuration: "NaN" },
    { segmentDuration: "1e9" },
    { segmentDuration: 1e9 },
    { segmentDuration: Number.POSITIVE_INFINITY },
    { secret: "x".repeat(513) },
    { secret: { $ne: "" } },
  ])("refuses %j", (wrong) => {
    expect(segmentHookSchema.safeParse({ ...body, ...wrong }).success).toBe(false);
  });

  it("needs no file for a stream that comes or goes", () => {
    const hook = { path: "cam", sourceType: "rtspSession", sourceId: "id" };
    expect(sourceHookSchema.parse(hook)).toEqual(hook);
    expect(sourceHookSchema.safeParse({ ...hook, sourceType: "x".repeat(65) }).success).toBe(false);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { isPathName, type PathName, parsePathName } from "../../../src/core/path-name.js";
import {
  compileRecordPath,
  createNameDecoder,
  DEFAULT_RECORD_PATH,
  nameIsUnique,
  OUR_RECORD_PATH,
} from "../../../src/mediamtx/record-path.js";
import { withinLimits } from "../../support/measured.js";

const UTC = { timeZone: "UTC" };
const at = (text: string): number => Date.parse(text) * 1_000;

const pathNames = fc
  .array(fc.stringMatching(/^[0-9a-zA-Z_.-]{1,12}$/), { minLength: 1, maxLength: 4 })
  .map((parts) => parts.join("/"))
  .filter((text): text is PathName => isPathName(text));
const instants = fc.integer({ min: 0, max: 4_102_444_800_000_000 });
const zones = fc.constantFrom("UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe");

describe("the recordPath codec", () => {
  it("reads back every name that it writes in our own template", () => {
    fc.assert(
      fc.property(pathNames, instants, zones, (path, startUs, timeZone) => {
        const codec = compileRecordPath(OUR_RECORD_PATH, { timeZone });
        expect(codec.decode(codec.encode(path, startUs))).toEqual({
          path,
          startUs,
          format: "fmp4",
          zoneProof: true,
          nameIsUnique: true,
        });
      }),
    );
  });

  it("reads back names with a zone offset, half-hour and quarter-hour zones included", () => {
    const template = "%path/%Y-%m-%d_%H-%M-%S-%f_%z";
    // Whole-minute offsets begin later than 1970 in some places.
    const since1990 = fc.integer({ min: 631_152_000_000_000, max: 4_102_444_800_000_000 });
    fc.assert(
      fc.property(pathNames, since1990, zones, (path, startUs, timeZone) => {
        const name = compileRecordPath(template, { timeZone }).encode(path, startUs, "mpegts");
        const decoded = compileRecordPath(template, { timeZone: "Pacific/Apia" }).decode(name);
        expect(decoded).toMatchObject({ path, startUs, format: "mpegts", zoneProof: true, nameIsUnique: false });
      }),
    );
  });

  it("reads local names back to an instant that shows the same wall clock", () => {
    fc.assert(
      fc.property(pathNames, instants, zones, (path, startUs, timeZone) => {
        const codec = compileRecordPath(DEFAULT_RECORD_PATH, { timeZone });
        const name = codec.encode(path, startUs);
        const decoded = codec.decode(name);
        expect(decoded?.zoneProof).toBe(false);
        expect(codec.encode(path, decoded?.startUs ?? 0)).toBe(name);
        expect(decoded?.startUs).toBeLessThanOrEqual(startUs);
      }),
    );
  });

  it("reads the fixture names of MediaMTX's default template", () => {
    const decode = createNameDecoder({ templates: [], timeZone: "UTC" });
    expect(decode("h264-aac/2026-11-20_17-04-43-022940.mp4")).toEqual({
      path: "h264-aac",
      startUs: at("2026-11-20T17:04:43Z") + 22_940,
      format: "fmp4",
      zoneProof: false,
      nameIsUnique: false,
    });
  });

  it("takes the earlier instant in the hour that summer time gives back (F34)", () => {
    const codec = compileRecordPath(DEFAULT_RECORD_PATH, { timeZone: "Europe/Berlin" });
    expect(codec.decode("cam/2026-10-25_02-30-00-000000.mp4")?.startUs).toBe(at("2026-10-25T00:30:00Z"));
    expect(codec.decode("cam/2026-10-25_03-00-00-000000.mp4")?.startUs).toBe(at("2026-10-25T02:00:00Z"));
  });

  it("takes a reading in the hour that summer time skips as if the clock had not jumped", () => {
    const codec = compileRecordPath(DEFAULT_RECORD_PATH, { timeZone: "Europe/Berlin" });
    expect(codec.decode("cam/2026-03-29_02-30-00-000000.mp4")?.startUs).toBe(at("2026-03-29T01:30:00Z"));
  });

  it("lets %s win over the date", () => {
    const codec = compileRecordPath(OUR_RECORD_PATH, UTC);
    expect(codec.decode("cam/1999-01-01/1795194283-000007.mp4")?.startUs).toBe(1_795_194_283_000_007);
  });

  it("applies minutes of %z with the sign of its hours", () => {
    const codec = compileRecordPath("%path/%Y%m%d%H%M%S%f%z", UTC);
    expect(codec.decode("cam/20260101000000000000-0330.mp4")?.startUs).toBe(at("2026-01-01T03:30:00Z"));
    expect(codec.decode("cam/20260101000000000000+0545.mp4")?.startUs).toBe(at("2025-12-31T18:15:00Z"));
  });

  it("keeps names with slashes and dates in them whole", () => {
    const codec = compileRecordPath(OUR_RECORD_PATH, UTC);
    expect(codec.decode("site/2026-01-01/gate/2026-01-02/1767312000-000000.ts")).toMatchObject({
      path: "site/2026-01-01/gate",
      format: "mpegts",
    });
  });

  it("reads the date of a template that puts the path behind it", () => {
    const codec = compileRecordPath("./%Y/%m/%d/%path/%H-%M-%S.%f", UTC);
    expect(codec.decode("2026/02/28/a/b/23-59-59.999999.mp4")).toMatchObject({
      path: "a/b",
      startUs: at("2026-02-28T23:59:59Z") + 999_999,
    });
  });

  it("takes a path that stands twice only when it reads the same", () => {
    const codec = compileRecordPath("%path/%path_%s-%f", UTC);
    expect(codec.decode("cam/cam_1767312000-000000.mp4")?.path).toBe("cam");
    expect(codec.decode("cam/dam_1767312000-000000.mp4")).toBeUndefined();
  });

  it.each([
    ["a sidecar", "cam/2026-01-01_00-00-00-000000.mp4.tmp"],
    ["a name with something before it", "cam/x2026-01-01_00-00-00-000000.mp4"],
    ["another extension", "cam/2026-01-01_00-00-00-000000.MP4"],
    ["a month that does not exist", "cam/2026-13-01_00-00-00-000000.mp4"],
    ["a day that does not exist", "cam/2026-02-30_00-00-00-000000.mp4"],
    ["a minute that does not exist", "cam/2026-01-01_00-60-00-000000.mp4"],
    ["no path", "/2026-01-01_00-00-00-000000.mp4"],
    ["a path that leaves the directory", "../2026-01-01_00-00-00-000000.mp4"],
    ["an absolute name", "/cam/2026-01-01_00-00-00-000000.mp4"],
    ["a path with a space", "my cam/2026-01-01_00-00-00-000000.mp4"],
    ["a line break at the end", "cam/2026-01-01_00-00-00-000000.mp4\n"],
    ["nothing", ""],
  ])("does not take %s for a segment", (_, name) => {
    expect(createNameDecoder({ templates: [], timeZone: "UTC" })(name)).toBeUndefined();
  });

  it("tries further templates after our own and the default", () => {
    const decode = createNameDecoder({ templates: ["old/%path/%s"], timeZone: "UTC" });
    expect(decode("old/cam/1767312000.mp4")).toMatchObject({ path: "cam", startUs: 1_767_312_000_000_000 });
  });

  it("reads seconds of a clock that was never set", () => {
    const codec = compileRecordPath(OUR_RECORD_PATH, UTC);
    expect(codec.decode("cam/1970-01-01/42-000001.mp4")?.startUs).toBe(42_000_001);
  });

  it("keeps characters of the template that mean something in a pattern as they are", () => {
    const codec = compileRecordPath("%path/(a+)[b]$.|^{2}*?\\-%s-%f", UTC);
    const name = codec.encode(parsePathName("cam"), 1_767_312_000_000_001);
    expect(codec.decode(name)?.path).toBe("cam");
    expect(codec.decode(name.replace("(a+)", "aaaa"))).toBeUndefined();
  });

  it.each(["%s-%f", "%path/%Y-%m-%d_%H-%M-%f", "/abs/%path/%s-%f", "../%path/%s-%f"])(
    "refuses the template %s",
    (t) => {
      expect(() => compileRecordPath(t, UTC)).toThrow(/recordPath/);
    },
  );

  it("calls names unique only when they hold second and microsecond in UTC", () => {
    expect([OUR_RECORD_PATH, DEFAULT_RECORD_PATH, "%path/%s", "%path/%s%f"].map(nameIsUnique)).toEqual([
      true,
      false,
      false,
      true,
    ]);
  });

  it("answers every name within 100 ms", () => {
    const decode = createNameDecoder({
      templates: ["%path%path%s%f", "%path-%path-%s-%s", "%Y%m%d%path%H%M%S%path"],
      timeZone: "Europe/Berlin",
    });
    const hostile = fc.oneof(
      fc.string({ maxLength: 300 }),
      fc.tuple(fc.constantFrom("1", "a/", "-", "1-", "a-"), fc.integer({ min: 1, max: 2_000 })).map(([part, count]) => {
        return `${part.repeat(count)}.mp4`;
      }),
    );
    fc.assert(
      fc.property(hostile, (name) => {
        withinLimits(
          () => name,
          () => decode(name),
        );
      }),
      { numRuns: 2_000 },
    );
  });
});

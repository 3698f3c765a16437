import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type FoundFile, isClosed, judgeFoundFile } from "../../../src/core/found-file.js";
import { parsePathName } from "../../../src/core/path-name.js";
import type { Recording, RecordingId } from "../../../src/core/recording.js";

const STREAM = "6e0b1c1e-0000-4000-8000-000000000001";

const found: FoundFile = {
  path: parsePathName("cam1"),
  format: "fmp4",
  startUs: 1_000_000,
  position: { streamId: STREAM, segmentNumber: 3 },
  filePath: "cam1/a.mp4",
  fileIdentity: "1:2:300:4",
  bytes: 300,
  closed: true,
  origin: "hook",
};

const row: Recording = {
  ...found,
  id: "r1" as RecordingId,
  nodeId: "n1",
  endUs: 2_000_000,
  mediaDurationUs: 1_000_000,
  tracks: [],
  partial: false,
  gapBeforeUs: null,
  missingBefore: 0,
  local: "present",
  archive: "none",
  objectKey: null,
  md5: null,
  sha256: null,
  uploadId: null,
  verifiedAtUs: null,
  step: "archive",
  priority: 0,
  leaseOwner: null,
  attempts: 0,
  nextAttemptAtUs: 0,
  error: null,
  createdAtUs: 0,
  updatedAtUs: 0,
};

describe("judgeFoundFile", () => {
  it("inserts a file that no row names", () => {
    expect(judgeFoundFile(undefined, found).kind).toBe("insert");
  });

  it("leaves a row alone that says all that the file says (F3)", () => {
    expect(judgeFoundFile(row, found).kind).toBe("unchanged");
    expect(judgeFoundFile({ ...row, local: "quarantined" }, found).kind).toBe("unchanged");
    expect(judgeFoundFile({ ...row, local: "open" }, { ...found, closed: false }).kind).toBe("unchanged");
  });

  it("looks again when the file was closed meanwhile", () => {
    expect(judgeFoundFile({ ...row, local: "open" }, found).kind).toBe("refresh");
  });

  it("looks again when the file grew or was touched (F9)", () => {
    expect(judgeFoundFile(row, { ...found, fileIdentity: "1:2:400:5", bytes: 400 }).kind).toBe("refresh");
    expect(judgeFoundFile(row, { ...found, fileIdentity: "1:2:300:9" }).kind).toBe("refresh");
  });

  it("sees another recording under the same name by its stream position (F35)", () => {
    const other = { ...found, fileIdentity: "1:2:900:9", bytes: 900 };
    expect(judgeFoundFile(row, { ...other, position: { streamId: STREAM, segmentNumber: 4 } }).kind).toBe("replace");
    expect(judgeFoundFile(row, { ...other, position: { streamId: "other", segmentNumber: 3 } }).kind).toBe("replace");
  });

  it("takes a shorter file of the same position for the same recording, cut (F41)", () => {
    expect(judgeFoundFile(row, { ...found, fileIdentity: "1:2:100:9", bytes: 100 }).kind).toBe("refresh");
  });

  it("sees another recording without positions only where a closed file became smaller (F35)", () => {
    const unnumbered = { ...found, position: null, fileIdentity: "1:2:100:9", bytes: 100 };
    const known = { ...row, position: null };
    expect(judgeFoundFile(known, unnumbered).kind).toBe("replace");
    expect(judgeFoundFile({ ...known, local: "open" }, unnumbered).kind).toBe("refresh");
    expect(judgeFoundFile(known, { ...unnumbered, bytes: 301 }).kind).toBe("refresh");
  });
});

describe("isClosed", () => {
  const lively = {
    finalised: false,
    quietForMs: 100,
    quietMs: 60_000,
    laterSegmentExists: false,
    writtenBeforeServerStart: false,
  };

  it("says no in doubt (F8)", () => {
    expect(isClosed(lively)).toBe(false);
    expect(isClosed({ ...lively, quietForMs: 59_999 })).toBe(false);
    expect(isClosed({ ...lively, laterSegmentExists: true, quietForMs: 1_999 })).toBe(false);
  });

  it("says yes for a finalised file at once", () => {
    expect(isClosed({ ...lively, finalised: true, quietForMs: 0 })).toBe(true);
  });

  it("says yes after the quiet time", () => {
    expect(isClosed({ ...lively, quietForMs: 60_000 })).toBe(true);
  });

  it("says yes for a file that was left behind, after a short lull (F7)", () => {
    expect(isClosed({ ...lively, quietForMs: 2_000, laterSegmentExists: true })).toBe(true);
    expect(isClosed({ ...lively, quietForMs: 2_000, writtenBeforeServerStart: true })).toBe(true);
  });

  it("never turns back to open as the quiet grows", () => {
    const evidence = fc.record({
      finalised: fc.boolean(),
      quietForMs: fc.nat(100_000),
      quietMs: fc.nat(100_000),
      laterSegmentExists: fc.boolean(),
      writtenBeforeServerStart: fc.boolean(),
    });
    fc.assert(
      fc.property(evidence, fc.nat(100_000), (now, laterMs) => {
        if (isClosed(now)) expect(isClosed({ ...now, quietForMs: now.quietForMs + laterMs })).toBe(true);
      }),
    );
  });
});

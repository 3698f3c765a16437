import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { readHead } from "../../../src/media/read-head.js";
import { init } from "../../support/fmp4.js";
import { tempDir } from "../../support/temp-dir.js";
import { fixture } from "./fixtures.js";

describe("readHead", () => {
  it("tells start, stream and number of a closed file", async () => {
    const file = fixture("v1.20.1/h264-aac/2026-11-20_17-04-46");
    expect(await readHead(file.filePath)).toEqual({
      finalised: true,
      startUs: file.startUs,
      position: { streamId: "4dc782f4-8fa2-4323-91f1-743c684b0166", segmentNumber: 1 },
    });
  });

  it("F7: tells an open or crashed file by its duration of 0", async () => {
    expect(await readHead(fixture("v1.20.1/killed/2026-11-20_17-05-13").filePath)).toMatchObject({ finalised: false });
  });

  it("knows neither start nor number of a file without mtxi", async () => {
    const { filePath } = fixture("v1.14.0/h264-aac");
    expect(await readHead(filePath)).toEqual({ finalised: true, startUs: null, position: null });
  });

  it("takes mtxi values out of range for absent", async () => {
    const streamId = "4dc782f4-8fa2-4323-91f1-743c684b0166";
    const directory = await tempDir();
    for (const [ntpNs, startUs] of [
      [-5_000n, null],
      [1_999n, 1],
      [2n ** 63n - 1n, null],
    ] as const) {
      const filePath = path.join(directory, `${ntpNs}.mp4`);
      writeFileSync(
        filePath,
        init({ tracks: [{ id: 1, timescale: 1 }], mtxi: { streamId, segmentNumber: 2n ** 60n, ntpNs } }),
      );
      expect(await readHead(filePath)).toEqual({ finalised: false, startUs, position: null });
    }
  });

  it("answers null while there is no whole moov, for garbage and for MPEG-TS", async () => {
    const directory = await tempDir();
    const bytes = readFileSync(fixture("v1.20.1/h264-aac").filePath);
    for (const content of [
      Buffer.alloc(0),
      bytes.subarray(0, 32),
      bytes.subarray(0, 1_217),
      Buffer.from("garbage".repeat(999)),
    ]) {
      const filePath = path.join(directory, `${content.length}.mp4`);
      writeFileSync(filePath, content);
      expect(await readHead(filePath)).toBeNull();
    }
    expect(await readHead(fixture("v1.20.1/mpegts").filePath)).toBeNull();
  });

  it("F47: throws what the file system answers, and follows no link", async () => {
    const directory = await tempDir();
    const link = path.join(directory, "link.mp4");
    symlinkSync(fixture("v1.20.1/h264-aac").filePath, link);
    await expect(readHead(link)).rejects.toMatchObject({ kind: "invalid-argument" });
    await expect(readHead(path.join(directory, "absent.mp4"))).rejects.toMatchObject({ kind: "not-found" });
    await expect(readHead(directory)).rejects.toMatchObject({ kind: "invalid-argument" });
  });
});

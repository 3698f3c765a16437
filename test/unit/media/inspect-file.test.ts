import { createHash, randomBytes } from "node:crypto";
import { appendFileSync, mkdirSync, readFileSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { AppError } from "../../../src/core/errors.js";
import { fileIdentity } from "../../../src/core/file-identity.js";
import { FileByteSource } from "../../../src/media/byte-source.js";
import { HashingByteSource } from "../../../src/media/hashing-byte-source.js";
import { inspectFile } from "../../../src/media/inspect-file.js";
import { RegularFile } from "../../../src/media/regular-file.js";
import { startChild } from "../../support/child.js";
import { box, init, part } from "../../support/fmp4.js";
import { tempDir } from "../../support/temp-dir.js";
import { fixture, inspectBytes, inspectFixture } from "./fixtures.js";

function digest(algorithm: string, bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest("hex");
}

function errorOf(action: () => unknown): AppError {
  try {
    action();
  } catch (error) {
    if (error instanceof AppError) return error;
  }
  throw new Error("no AppError was thrown");
}

/** Fragments with media of many sizes, so that headers lie across the borders of the 1 MiB chunks. */
function largeSegment(): Buffer {
  const sizes = [700_000, 348_000, 5, 1_048_576, 2_500_000, 1_048_000, 400, 3_000_000, 1];
  const parts = sizes.map((sizeBytes, index) =>
    part({ tracks: [{ id: 1, tfdt: index * 90_000, samples: [{ durationTicks: 90_000, sizeBytes }] }] }),
  );
  return Buffer.concat([init({ tracks: [{ id: 1, timescale: 90_000 }], mvhdDurationMs: 9_000 }), ...parts]);
}

describe("inspectFile", () => {
  it("walks and hashes in one pass, with the same result as each alone", async () => {
    const bytes = largeSegment();
    const filePath = path.join(await tempDir(), "large.mp4");
    writeFileSync(filePath, bytes);
    const { inspection, hashes, identity, refusal } = inspectFile({ filePath, format: "fmp4", hash: true });
    expect(inspection).toEqual(inspectBytes(bytes));
    expect(hashes).toEqual({ md5: digest("md5", bytes), sha256: digest("sha256", bytes) });
    expect(identity).toBe(fileIdentity(statSync(filePath, { bigint: true })));
    expect(refusal).toBeNull();
    expect(inspectFile({ filePath, format: "fmp4", hash: false })).toMatchObject({ inspection, hashes: null });
  });

  it("hashes what it refuses, and says whether another reader should be asked", async () => {
    const directory = await tempDir();
    const cases: [string, Buffer, boolean, string][] = [
      ["garbage.mp4", randomBytes(1_500_000), true, "not an MP4 file"],
      [
        "plain.mp4",
        Buffer.concat([init({ tracks: [{ id: 1, timescale: 90_000 }] }).subarray(0, 32), box("moov")]),
        true,
        "no mvhd",
      ],
      ["empty.mp4", Buffer.alloc(0), false, "the file is empty"],
      ["init.mp4", init({ tracks: [{ id: 1, timescale: 90_000 }] }), false, "no whole fragment"],
    ];
    for (const [name, bytes, isOpen, message] of cases) {
      const filePath = path.join(directory, name);
      writeFileSync(filePath, bytes);
      const result = inspectFile({ filePath, format: "fmp4", hash: true });
      expect(result.inspection).toBeNull();
      expect(result.refusal?.message).toContain(message);
      expect(result.refusal?.isOpen).toBe(isOpen);
      expect(result.hashes?.sha256).toBe(digest("sha256", bytes));
    }
  });

  it("hashes MPEG-TS and tells where it may be cut, and nothing else of it", () => {
    const { filePath } = fixture("v1.20.1/mpegts");
    const result = inspectFile({ filePath, format: "mpegts", hash: true });
    expect(result).toMatchObject({ inspection: null, refusal: null });
    expect(result.streamIndex).toEqual(inspectFile({ filePath, format: "mpegts", hash: false }).streamIndex);
    expect(result.streamIndex?.fragments).toHaveLength(2);
    expect(result.hashes?.md5).toBe(digest("md5", readFileSync(filePath)));
  });

  it("F47 F48: opens neither links nor directories nor FIFOs, and never waits for one", async () => {
    const directory = await tempDir();
    const at = (name: string): string => path.join(directory, name);
    symlinkSync(fixture("v1.20.1/h264-aac").filePath, at("link.mp4"));
    mkdirSync(at("directory.mp4"));
    await (
      await startChild("mkfifo", [at("fifo.mp4")])
    ).exited;
    const kinds = ["link.mp4", "directory.mp4", "fifo.mp4", "absent.mp4"].map(
      (name) => errorOf(() => inspectFile({ filePath: at(name), format: "fmp4", hash: true })).kind,
    );
    expect(kinds).toEqual(["invalid-argument", "invalid-argument", "invalid-argument", "not-found"]);
  });

  it("F9: sees another identity once the file has grown", async () => {
    const filePath = path.join(await tempDir(), "growing.mp4");
    writeFileSync(filePath, readFileSync(fixture("v1.20.1/h264-aac").filePath));
    const before = inspectFile({ filePath, format: "fmp4", hash: true });
    appendFileSync(filePath, "x");
    const after = inspectFile({ filePath, format: "fmp4", hash: true });
    expect(after.identity).not.toBe(before.identity);
    expect(after.hashes?.sha256).not.toBe(before.hashes?.sha256);
    expect(after.inspection).toMatchObject({
      finalised: false,
      tornReason: expect.stringContaining("is cut off") as string,
    });
  });

  it("F10: says that a file was truncated while it was read", async () => {
    const filePath = path.join(await tempDir(), "shrinking.mp4");
    writeFileSync(filePath, largeSegment());
    const file = RegularFile.open(filePath);
    try {
      const hashing = new HashingByteSource(file);
      hashing.read(0, 16);
      const walking = new FileByteSource(file);
      walking.read(0, 16);
      truncateSync(filePath, 1_100_000);
      for (const action of [
        () => hashing.finish(),
        () => walking.read(1_099_000, 2_000),
        () => walking.read(1_099_000, 9_000),
      ]) {
        const error = errorOf(action);
        expect(error.kind).toBe("failed-precondition");
        expect(error.message).toContain("ends at byte 1100000");
      }
      expect(file.identity()).not.toBe("");
    } finally {
      file.close();
    }
  });

  it.runIf(process.platform === "linux")("F42: takes a read error of the disk for something to try again", () => {
    // Memory that is not mapped answers EIO.
    const file = RegularFile.open("/proc/self/mem");
    try {
      const error = errorOf(() => file.fill(Buffer.alloc(16), 0));
      expect(error).toMatchObject({ kind: "unavailable", message: "read /proc/self/mem at byte 0: EIO" });
    } finally {
      file.close();
    }
  });

  it("reads a file with every byte of any window right", async () => {
    const bytes = largeSegment();
    const filePath = path.join(await tempDir(), "large.mp4");
    writeFileSync(filePath, bytes);
    const file = RegularFile.open(filePath);
    try {
      const walking = new FileByteSource(file);
      const hashing = new HashingByteSource(file);
      for (let offset = 0; offset < bytes.length; offset += 9_777) {
        const length = Math.min((offset % 60_000) + 1, bytes.length - offset);
        expect(bytes.compare(walking.read(offset, length), 0, length, offset, offset + length)).toBe(0);
        expect(bytes.compare(hashing.read(offset, length), 0, length, offset, offset + length)).toBe(0);
      }
      expect(errorOf(() => hashing.read(0, 1)).kind).toBe("internal");
    } finally {
      file.close();
    }
  });

  it("gives fixtures the inspection of their bytes", () => {
    const file = fixture("v1.20.1/killed/2026-11-20_17-05-13");
    expect(inspectFile({ filePath: file.filePath, format: "fmp4", hash: true }).inspection).toEqual(
      inspectFixture(file),
    );
  });
});

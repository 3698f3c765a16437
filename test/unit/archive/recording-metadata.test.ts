import { describe, expect, it } from "vitest";

import { assertMetadata } from "../../../src/archive/object-store.js";
import { metadataOf, recordingFromObject } from "../../../src/archive/recording-metadata.js";
import { parsePathName } from "../../../src/core/path-name.js";
import { NOT_LOOKED_INTO, type Recording, type RecordingId, type Track } from "../../../src/core/recording.js";

const SHA256 = "ab".repeat(32);
const MD5 = "cd".repeat(16);
const NOW_US = Date.UTC(2026, 10, 27) * 1_000;

function recording(changes: Partial<Recording> = {}): Recording & { readonly md5: string } {
  const startUs = Date.UTC(2026, 10, 20, 17) * 1_000 + 22_940;
  return {
    ...NOT_LOOKED_INTO,
    id: "0190aaaa-0000-7000-8000-000000000001" as RecordingId,
    nodeId: "node-1",
    path: parsePathName("site/gate"),
    format: "fmp4",
    startUs,
    endUs: startUs + 60_000_001,
    mediaDurationUs: 60_000_000,
    filePath: "site/gate/2026-11-20/café %1.mp4",
    bytes: 1_000,
    tracks: [video(1)],
    position: { streamId: "0a5c1b1e-0000-4000-8000-00000000000a", segmentNumber: 812 },
    local: "present",
    sha256: SHA256,
    nextAttemptAtUs: NOW_US,
    leaseOwner: null,
    origin: "hook",
    createdAtUs: NOW_US,
    updatedAtUs: NOW_US,
    ...changes,
    md5: MD5,
  };
}

function video(id: number): Track {
  return { kind: "video", id, codec: "avc1.42c028", timescale: 90_000, widthPx: 1_920, heightPx: 1_080, frameRate: 25 };
}

function object(metadata: Record<string, string>, md5: string | null = MD5) {
  return { key: "recordings/k.mp4", bytes: 1_000, md5, sha256: SHA256, etag: "e", metadata };
}

describe("the metadata of an object", () => {
  it("brings back what the row said, and is plain ASCII", () => {
    const original = recording();
    const metadata = metadataOf(original);
    assertMetadata(metadata);
    const { facts, lacksTracks } = recordingFromObject(object(metadata), NOW_US)!;
    expect(lacksTracks).toBe(false);
    const { id, path, format, startUs, endUs, mediaDurationUs, filePath, bytes, tracks, position, partial } = original;
    const same = { id, path, format, startUs, endUs, mediaDurationUs, filePath, bytes, tracks, position, partial };
    expect(facts).toMatchObject({ ...same, md5: MD5, sha256: SHA256, archive: "verified", local: "released" });
  });

  it("knows the MD5 of a multipart upload, which the store does not, and does without in objects of before", () => {
    const before = Object.fromEntries(Object.entries(metadataOf(recording())).filter(([name]) => name !== "md5"));
    expect(recordingFromObject(object(metadataOf(recording()), null), NOW_US)!.facts.md5).toBe(MD5);
    expect(recordingFromObject(object(before, null), NOW_US)!.facts.md5).toBeNull();
    expect(recordingFromObject(object(before), NOW_US)!.facts.md5).toBe(MD5);
  });

  it("stays within 2 KiB with the store's own SHA-256, however long the names are and many the tracks", () => {
    const tracks = Array.from({ length: 40 }, (_, at) => video(at + 1));
    const path = parsePathName("p".repeat(200));
    const filePath = `${path}/${"ü".repeat(120)}.mp4`;
    for (const changes of [{ tracks }, { path, filePath }, { tracks, path, filePath }]) {
      const metadata = metadataOf(recording(changes));
      assertMetadata({ ...metadata, "sha-256": SHA256 });
      expect(recordingFromObject(object(metadata), NOW_US)!.lacksTracks).toBe("tracks" in changes);
    }
  });
});

/** The checker is checked: a healthy world passes, and every single breach is told. */
import { appendFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { audit } from "../../support/auditor.js";
import { createdFilesIn } from "../../support/created-files.js";
import { fileOf, hash, healthyWorld, insertRow, keyOf, quietWorld, segmentBytes, type World } from "./audited-world.js";

type Breach = readonly [what: string, breach: (world: World) => Promise<unknown>, told: RegExp];

const row = (world: World, id: string) => world.db("recordings").where({ id });
const removal = (world: World, id: string) => world.db("removals").where({ recording_id: id });

const BREACHES: readonly Breach[] = [
  [
    "a local file vanished",
    (w) => rm(w.file(fileOf(4))),
    /^I1 cam1\/4\.mp4: row r4 says present, and the file is gone/,
  ],
  ["a file vanished without a row", (w) => rm(w.file(fileOf(7))), /^I1 cam1\/7\.mp4: is gone, and no row knows it/],
  ["a quarantined file vanished", (w) => rm(w.file(fileOf(5))), /^I1 cam1\/5\.mp4: row r5 says quarantined, and/],
  [
    "a released file has no verified object",
    (w) => row(w, "r1").update({ archive: "none" }),
    /^I1 cam1\/1\.mp4: row r1 says released, and the bucket has no verified object/,
  ],
  ["the object of a released file is gone", (w) => rm(w.object(keyOf(1))), /^I1 cam1\/1\.mp4: row r1 says released/],
  [
    "a trashed file is in neither place",
    async (w) => {
      await rm(w.trash("r2"));
      await rm(w.object(keyOf(2)));
    },
    /^I1 cam1\/2\.mp4: row r2 says trashed, and neither/,
  ],
  [
    "a deletion left no trace",
    (w) => removal(w, "r6").delete(),
    /^I1 cam1\/6\.mp4: row r6 says deleted, and no removal/,
  ],
  ["a row says missing", (w) => row(w, "r4").update({ local: "missing" }), /^I1 cam1\/4\.mp4: row r4 says missing/],
  [
    "a file is on disk although its row says released",
    (w) => writeFile(w.file(fileOf(1)), segmentBytes(1)),
    /^I1 cam1\/1\.mp4: is on disk, and its rows say released/,
  ],
  [
    "one file has two rows",
    (w) => insertRow(w, 9, { bytes: segmentBytes(4), columns: { file_path: fileOf(4), local: "released" } }),
    /^I1 cam1\/4\.mp4: created 1 times, has 2 rows/,
  ],
  ["the trash holds a stranger", (w) => writeFile(w.trash("nobody"), "x"), /^I1 trash holds nobody\.mp4/],
  ["a released file has no removal", (w) => removal(w, "r1").delete(), /^I2 cam1\/1\.mp4: is released, and no removal/],
  ["a trashed file has no removal", (w) => removal(w, "r2").delete(), /^I2 cam1\/2\.mp4: is trashed, and no removal/],
  [
    "a removal is of another file",
    (w) => removal(w, "r1").update({ file_identity: "1:999:100:5" }),
    /^I2 cam1\/1\.mp4: .*the removal is of file 1:999:100:5/,
  ],
  [
    "a removal is of another name",
    (w) => removal(w, "r1").update({ name: "cam1/x.mp4" }),
    /^I2 .*removal is of cam1\/x/,
  ],
  ["a removal is of another size", (w) => removal(w, "r1").update({ bytes: 1 }), /^I2 .*the removal is of 1 bytes/],
  ["a removal is of other bytes", (w) => removal(w, "r1").update({ sha256: "00" }), /^I2 .*of other bytes/],
  ["a removal has no proof", (w) => removal(w, "r1").update({ proof: null }), /^I2 .*the removal has no proof/],
  ["a proof is garbage", (w) => removal(w, "r1").update({ proof: "{" }), /^I2 .*the proof cannot be read/],
  ["a proof is of other bytes", (w) => removal(w, "r1").update({ proof: '{"bytes":1}' }), /^I2 .*not of these bytes/],
  [
    "a removal is of the object only",
    (w) => removal(w, "r1").update({ what: "object" }),
    /^I2 cam1\/1\.mp4: is released/,
  ],
  ["a verified object is gone", (w) => rm(w.object(keyOf(0))), /^I3 cam1\/0\.mp4: .* is not there/],
  ["a verified row has no key", (w) => row(w, "r0").update({ object_key: null }), /^I3 cam1\/0\.mp4: .* is not there/],
  ["a verified object grew", (w) => appendFile(w.object(keyOf(0)), "x"), /^I3 cam1\/0\.mp4: .* bytes, the row/],
  [
    "a bit of a verified object flipped (F24)",
    (w) => writeFile(w.object(keyOf(0)), flipped(segmentBytes(0))),
    /^I3 cam1\/0\.mp4: .* hashes to/,
  ],
  ["a row has another MD5", (w) => row(w, "r0").update({ md5: "00" }), /^I3 cam1\/0\.mp4: .* has the MD5/],
  [
    "an object and its row were both replaced",
    async (w) => {
      const other = segmentBytes(0, "0a5c1b1e-0000-4000-8000-00000000000c");
      await writeFile(w.object(keyOf(0)), other);
      await row(w, "r0").update({ sha256: hash("sha256", other), md5: hash("md5", other) });
    },
    /^I4 rec\/cam1\/0\.mp4: was stored as/,
  ],
  [
    "two rows claim one object with other bytes",
    (w) => row(w, "r1").update({ object_key: keyOf(0) }),
    /^I4 rec\/cam1\/0\.mp4: rows r0 and r1 claim other bytes/,
  ],
  [
    "a gap in the numbers is not reported",
    (w) => row(w, "r4").update({ missing_before: 0 }),
    /^I5 cam1\/4\.mp4: 1 numbers are missing before it, the row reports 0/,
  ],
  [
    "a gap is reported where none is",
    (w) => row(w, "r1").update({ missing_before: 2 }),
    /^I5 cam1\/1\.mp4: 0 numbers are missing before it, the row reports 2/,
  ],
  [
    "a row says another number than its local file",
    (w) => row(w, "r4").update({ segment_number: 3, missing_before: 0 }),
    /^I5 cam1\/4\.mp4: is .*\/4, the row says .*\/3/,
  ],
  [
    "a row says another stream than its object",
    (w) => row(w, "r1").update({ stream_id: "other" }),
    /^I5 cam1\/1\.mp4: is .*\/1, the row says other\/1/,
  ],
];

describe("the auditor", () => {
  it("finds nothing wrong in a healthy world, and counts what it saw", async () => {
    const { input } = await healthyWorld();
    expect(await audit(input)).toEqual({
      violations: [],
      counted: {
        ...{ created: 7, local: 2, archived: 1, trashed: 1, quarantined: 2, deleted: 1 },
        ...{ rows: 6, removals: 3, verified: 3, objects: 3, orphanObjects: 0, unvouchedObjects: 0 },
        ...{ streams: 1, missingNumbers: 2 },
      },
    });
  });

  it("finds nothing wrong in a world where all work is done", async () => {
    expect((await audit((await quietWorld()).input)).violations).toEqual([]);
  });

  it.each(BREACHES)("tells that %s", async (_what, breach, told) => {
    const world = await healthyWorld();
    await breach(world);
    const { violations } = await audit(world.input);
    expect(violations.filter((violation) => told.test(violation))).toHaveLength(1);
  });

  it("lets a new file wait for its row, but not when all work is done", async () => {
    for (const [world, isViolated] of [
      [await healthyWorld(), false],
      [await quietWorld(), true],
    ] as const) {
      await writeFile(world.file("cam1/new.mp4"), "");
      const input = { ...world.input, createdFiles: [...world.input.createdFiles, world.file("cam1/new.mp4")] };
      const { violations } = await audit(input);
      expect(violations).toEqual(isViolated ? ["I1 cam1/new.mp4: is on disk, and no row knows it"] : []);
    }
  });

  it.each([
    ["waits", { step: "archive" }],
    ["is half uploaded", { archive: "uploading" }],
    ["is open", { local: "open" }],
  ])("tells that a row %s when all work should be done", async (_what, change) => {
    const world = await quietWorld();
    await row(world, "r4").update(change);
    expect((await audit(world.input)).violations).toContainEqual(
      expect.stringMatching(/^I1 cam1\/4\.mp4: all should be/),
    );
  });

  it("tells of a file that was created outside the record directory", async () => {
    const { input } = await healthyWorld();
    const outside = path.join(path.dirname(input.recordDir), "elsewhere.mp4");
    const { violations } = await audit({ ...input, createdFiles: [...input.createdFiles, outside] });
    expect(violations).toEqual([expect.stringMatching(/^I1 .*elsewhere\.mp4: was created outside/)]);
  });

  it("allows one missing row for each time that MediaMTX itself overwrote a file (F35)", async () => {
    const world = await healthyWorld();
    const old = { file_path: fileOf(4), local: "missing", stream_id: null, segment_number: null };
    await insertRow(world, 8, { bytes: Buffer.from("old"), columns: old });
    const input = { ...world.input, createdFiles: [...world.input.createdFiles, world.file(fileOf(4))] };
    expect((await audit(input)).violations).toEqual([]);
    expect((await audit(world.input)).violations).not.toEqual([]);
  });

  it("takes a trashed file for gone only when its bytes are in the bucket", async () => {
    const world = await healthyWorld();
    await rename(world.trash("r2"), world.trash("r2").replace("trash", ""));
    expect((await audit(world.input)).violations).toEqual([]);
  });

  it("counts objects of no row and objects that nothing vouches for", async () => {
    const world = await healthyWorld();
    await writeFile(world.object("rec/cam1/stray.mp4"), "x");
    const { violations, counted } = await audit(world.input);
    expect([violations, counted.orphanObjects, counted.unvouchedObjects]).toEqual([[], 1, 1]);
  });
});

describe("the files that MediaMTX created", () => {
  it("are those that its log names, as often as it names them", () => {
    const log = [
      "2026/11/20 17:04:43 INF MediaMTX v1.21.0",
      "2026/11/20 17:04:43 DEB [path cam1] [recorder] creating segment /rec/cam1/2026-11-20_17-04-43-022940.mp4",
      "2026/11/20 17:04:47 DEB [path cam1] [recorder] closing segment /rec/cam1/2026-11-20_17-04-43-022940.mp4",
      "2026/11/20 17:04:47 DEB [path a/b] [recorder] creating segment /rec dir/a/b/x y.ts\r",
      "2026/11/20 17:04:48 DEB [path cam1] [recorder] creating segment /rec/cam1/2026-11-20_17-04-43-022940.mp4",
      "",
    ].join("\n");
    expect(createdFilesIn(log)).toEqual([
      "/rec/cam1/2026-11-20_17-04-43-022940.mp4",
      "/rec dir/a/b/x y.ts",
      "/rec/cam1/2026-11-20_17-04-43-022940.mp4",
    ]);
  });
});

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const last = copy.length - 1;
  copy.writeUInt8(copy.readUInt8(last) ^ 1, last);
  return copy;
}

/** A small world in which all invariants hold: files, bucket folder and database, built by hand, for the auditor's test. */
import { createHash } from "node:crypto";
import { mkdir, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import { onTestFinished } from "vitest";

import { type Catalog, closeCatalog, openCatalog } from "../../../src/catalog/catalog.js";
import { createFakeClock } from "../../support/fake-clock.js";
import { type AuditInput } from "../../support/auditor.js";
import { init } from "../../support/fmp4.js";
import { SEALING } from "../../support/sealing.js";
import { tempDir } from "../../support/temp-dir.js";

const STREAM = "0a5c1b1e-0000-4000-8000-00000000000a";

export interface World {
  readonly db: Catalog["db"];
  readonly input: AuditInput;
  /** Absolute, below the record directory. */
  file(name: string): string;
  object(key: string): string;
  facts(key: string): string;
  trash(id: string): string;
}

/** Segment n is row `r<n>`, file cam1/<n>.mp4 and object rec/cam1/<n>.mp4. */
export async function healthyWorld(): Promise<World> {
  const directory = await tempDir();
  const recordDir = path.join(directory, "recordings");
  const bucketDir = path.join(directory, "bucket");
  const databaseFile = path.join(directory, "catalog.sqlite");
  const folders = [recordDir, "cam1"],
    trashDir = path.join(recordDir, ".reelkeeper/trash");
  const objects = [bucketDir, "rec/cam1"],
    facts = path.join(bucketDir, ".reelkeeper/facts/rec/cam1");
  for (const folder of [path.join(...folders), trashDir, path.join(...objects), facts]) {
    await mkdir(folder, { recursive: true });
  }
  const target = { kind: "sqlite", file: databaseFile } as const;
  const catalog = await openCatalog({ target, clock: createFakeClock(), nodeId: "n1", sealing: SEALING });
  onTestFinished(() => closeCatalog(catalog));
  const world: World = {
    db: catalog.db,
    input: {
      ...{ recordDir, databaseFile, prefix: "rec", quiescent: false },
      bucket: { kind: "folder", dir: bucketDir },
      createdFiles: [0, 1, 2, 4, 5, 6, 7].map((number) => path.join(recordDir, fileOf(number))),
    },
    file: (name) => path.join(recordDir, name),
    object: (key) => path.join(bucketDir, key),
    facts: (key) => path.join(bucketDir, ".reelkeeper/facts", `${key}.json`),
    trash: (id) => path.join(trashDir, `${id}.mp4`),
  };
  await present(world, 0, { archive: "verified", step: "release" });
  await away(world, 1, "released");
  await away(world, 2, "trashed");
  await present(world, 4, { archive: "none", step: "archive", missing_before: 1 });
  await writeFile(world.file(fileOf(5)), "garbage");
  await insertRow(world, 5, {
    bytes: Buffer.from("garbage"),
    columns: { local: "quarantined", stream_id: null, segment_number: null },
  });
  await away(world, 6, "deleted");
  await writeFile(world.file(fileOf(7)), "");
  await world.db("rejected_files").insert({
    ...{ node_id: "n1", file_path: fileOf(7), reason: "empty", bytes: 0 },
    ...{ first_seen_at_us: 1, last_seen_at_us: 1 },
  });
  // 5 is no media and 6 is deleted: what is known of 6 is that two numbers before it have no row with a number.
  await world.db("recordings").where({ id: "r6" }).update({ missing_before: 1 });
  return world;
}

/** All work done: nothing waits, is open or in the trash. */
export async function quietWorld(): Promise<World> {
  const world = await healthyWorld();
  await world.db("recordings").where({ id: "r2" }).update({ local: "released", step: null });
  await storeObject(world, 4, segmentBytes(4));
  await world
    .db("recordings")
    .where({ id: "r4" })
    .update({ archive: "verified", step: "release", object_key: keyOf(4) });
  await world.db("recordings").whereNot({ step: "release" }).update({ step: null });
  return { ...world, input: { ...world.input, quiescent: true } };
}

export function fileOf(number: number): string {
  return `cam1/${number}.mp4`;
}

export function keyOf(number: number): string {
  return `rec/cam1/${number}.mp4`;
}

/** Without fragments: the auditor looks at the header only. */
export function segmentBytes(number: number, streamId = STREAM): Buffer {
  const mtxi = { streamId, segmentNumber: BigInt(number), ntpNs: 0n };
  return init({ tracks: [{ id: 1, timescale: 90_000 }], mtxi });
}

async function present(world: World, number: number, columns: Record<string, unknown>): Promise<void> {
  const bytes = segmentBytes(number);
  await writeFile(world.file(fileOf(number)), bytes);
  if (columns["archive"] === "verified") await storeObject(world, number, bytes);
  await insertRow(world, number, { bytes, columns: { local: "present", ...columns } });
}

async function away(world: World, number: number, local: "released" | "trashed" | "deleted"): Promise<void> {
  const bytes = segmentBytes(number);
  const archive = local === "deleted" ? "deleted" : "verified";
  if (archive === "verified") await storeObject(world, number, bytes);
  if (local === "trashed") await writeFile(world.trash(`r${number}`), bytes);
  await insertRow(world, number, { bytes, columns: { local, archive, step: local === "trashed" ? "unlink" : null } });
  const sha256 = hash("sha256", bytes);
  await world.db("removals").insert({
    ...{ id: `x${number}`, at_us: 1, recording_id: `r${number}`, what: "local", name: fileOf(number) },
    ...{ file_identity: identityOf(number), bytes: bytes.length, sha256, reason: "retention" },
    proof: local === "deleted" ? null : JSON.stringify({ store: "s", bytes: bytes.length, sha256, etag: "e" }),
  });
}

async function storeObject(world: World, number: number, bytes: Buffer): Promise<void> {
  const file = world.object(keyOf(number));
  await writeFile(file, bytes);
  const { ino, size, mtimeNs } = await stat(file, { bigint: true });
  const facts = { stamp: `${ino}:${size}:${mtimeNs}`, sha256: hash("sha256", bytes), md5: hash("md5", bytes) };
  await writeFile(world.facts(keyOf(number)), JSON.stringify({ ...facts, contentType: "video/mp4", metadata: {} }));
}

interface RowSpec {
  readonly bytes: Buffer;
  readonly columns: Record<string, unknown>;
}

export async function insertRow(world: World, number: number, { bytes, columns }: RowSpec): Promise<void> {
  await world.db("recordings").insert({
    ...{ id: `r${number}`, path: "cam1", start_us: number, end_us: number + 1, node_id: "n1", format: "fmp4" },
    ...{ file_path: fileOf(number), file_identity: identityOf(number), bytes: bytes.length, tracks: "[]" },
    ...{ stream_id: STREAM, segment_number: number, partial: false, missing_before: 0, archive: "none" },
    ...{ object_key: keyOf(number), md5: hash("md5", bytes), sha256: hash("sha256", bytes), step: null },
    ...{ priority: 0, attempts: 0, next_attempt_at_us: 0, origin: "scan", created_at_us: 0, updated_at_us: 2 },
    ...columns,
  });
}

function identityOf(number: number): string {
  return `1:${number}:100:5`;
}

export function hash(algorithm: "md5" | "sha256", bytes: Buffer): string {
  return createHash(algorithm).update(bytes).digest("hex");
}

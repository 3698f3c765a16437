/** What must hold once a scene was played to its end, whatever happened on the way; empty when all does. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

import { readBucket } from "../audit/bucket.js";
import { readRows } from "../audit/rows.js";
import { audit } from "../auditor.js";
import { PREFIX, type SceneFiles } from "./scene-files.js";

export async function violationsOf(files: SceneFiles): Promise<readonly string[]> {
  const { scene, dataDir, recordDir, hashes } = files;
  const names = [...hashes.keys()];
  if (existsSync(scene.taken.mark)) names.push(scene.taken.name);
  const report = await audit({
    recordDir,
    databaseFile: path.join(dataDir, "reelkeeper.sqlite"),
    bucket: bucketOf(files),
    prefix: PREFIX,
    createdFiles: names.map((name) => path.join(recordDir, name)),
    quiescent: true,
  });
  return [
    ...report.violations,
    ...(await lostBytes(files)),
    ...(await leftovers(files)),
    ...(await unlikeRebuilt(files)),
    ...(await tornConfig(files)),
  ];
}

function bucketOf({ scene, bucketDir }: SceneFiles) {
  return { kind: scene.isFolder ? "folder" : "versitygw", dir: bucketDir } as const;
}

/** The bytes themselves, whatever rows say: on disk or in the bucket, but for what a person had deleted. */
async function lostBytes(files: SceneFiles): Promise<string[]> {
  const { scene, recordDir, hashes, takerHash } = files;
  const objects = await readBucket(bucketOf(files), PREFIX);
  const held = new Set([...objects.values()].map(({ sha256 }) => sha256));
  for (const file of await filesBelow(recordDir))
    held.add(
      createHash("sha256")
        .update(await readFile(file))
        .digest("hex"),
    );
  const expected = new Map([...hashes].filter(([name]) => name !== scene.deleted));
  if (existsSync(scene.taken.mark)) expected.set(`the taker of ${scene.taken.name}`, takerHash);
  return [...expected].filter(([, hash]) => !held.has(hash)).map(([name]) => `${name}: its bytes are nowhere`);
}

/** What a start cleans away must be gone. One death leaves one temporary file of `writeFileAtomically` at most. */
async function leftovers({ scene, directory, bucketDir }: SceneFiles): Promise<string[]> {
  const all = (await filesBelow(directory)).map((file) => path.relative(directory, file));
  const found = all.filter((name) => name.startsWith("bucket/.reelkeeper/tmp/") || name.includes(".reelkeeper/trash/"));
  const temporary = all.filter((name) => /\/?\.[^/]+\.tmp$/.test(name) && !found.includes(name));
  const uploads = scene.isFolder ? [] : await filesBelow(path.join(bucketDir, ".sgwtmp"));
  return [
    ...found.map((name) => `${name} is left`),
    ...(temporary.length > 1 ? [`${temporary.join(", ")} are left`] : []),
    ...uploads.map((file) => `unfinished upload ${file} is left`),
  ];
}

/** Each object gives one row back. */
async function unlikeRebuilt(files: SceneFiles): Promise<string[]> {
  const keys = [...(await readBucket(bucketOf(files), PREFIX)).keys()].sort();
  const { recordings } = await readRows(files.scene.rebuiltFile);
  const rebuilt = recordings.map((row) => row.object_key ?? "").sort();
  return rebuilt.join() === keys.join() ? [] : [`rebuilt are ${rebuilt.join()}, the bucket has ${keys.join()}`];
}

async function tornConfig({ scene }: SceneFiles): Promise<string[]> {
  const text = await readFile(scene.configFile, "utf8");
  return text === scene.configTexts.at(-1) ? [] : [`${scene.configFile} says ${text}`];
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if ((error as { code?: string }).code === "ENOENT") return [];
    throw error;
  });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

/** The objects as the disk of the store has them: bytes, hashes, and what was written beside them. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

export type BucketLocation =
  | { readonly kind: "folder"; readonly dir: string }
  /** `dir` of versitygw's posix backend: an object is a file, its metadata are extended attributes. */
  | { readonly kind: "versitygw"; readonly dir: string };

interface StoredObject {
  readonly file: string;
  readonly bytes: number;
  /** Hex, of the bytes as they are now. */
  readonly md5: string;
  readonly sha256: string;
  /** Hex, as it was written beside the object; null when nothing was. */
  readonly vouchedSha256: string | null;
}

export type ObjectsByKey = ReadonlyMap<string, StoredObject>;

/** No segment: says which store this is, or is a backup of the database. */
const HOUSEKEEPING = "~";

/** Every segment's object under the prefix. */
export async function readBucket(bucket: BucketLocation, prefix: string): Promise<ObjectsByKey> {
  const objects = new Map<string, StoredObject>();
  for await (const key of keysBelow(bucket.dir, prefix)) {
    if (key.startsWith(`${prefix}/${HOUSEKEEPING}`)) continue;
    const file = path.join(bucket.dir, key);
    const vouchedSha256 = bucket.kind === "folder" ? await besideFolder(bucket.dir, key) : await inAttributes(file);
    objects.set(key, { file, ...(await hashFile(file)), vouchedSha256 });
  }
  return objects;
}

async function* keysBelow(dir: string, key: string): AsyncGenerator<string> {
  const entries = await readdir(path.join(dir, key), { withFileTypes: true }).catch((error: unknown) => {
    if ((error as { code?: string }).code === "ENOENT") return [];
    throw error;
  });
  for (const entry of entries) {
    const below = `${key}/${entry.name}`;
    if (entry.isDirectory()) yield* keysBelow(dir, below);
    else yield below;
  }
}

async function hashFile(file: string): Promise<{ bytes: number; md5: string; sha256: string }> {
  const md5 = createHash("md5");
  const sha256 = createHash("sha256");
  let bytes = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    md5.update(chunk);
    sha256.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, md5: md5.digest("hex"), sha256: sha256.digest("hex") };
}

async function besideFolder(dir: string, key: string): Promise<string | null> {
  const text = await readFile(path.join(dir, ".reelkeeper", "facts", `${key}.json`), "utf8").catch(() => null);
  return text === null ? null : sha256In(text);
}

const PAX_HEADER_BYTES = 65_536;

/** Node reads no extended attributes; tar writes them into the header before the file. */
async function inAttributes(file: string): Promise<string | null> {
  const where = ["-C", path.dirname(file), `./${path.basename(file)}`];
  // A file of holes: tar then writes a header and no more than the data that there is.
  const args = ["--create", "--format=pax", "--xattrs", "--xattrs-include=user.metadata", "--file=-", ...where];
  const { stdout } = await promisify(execFile)("tar", args, { encoding: "latin1", maxBuffer: 1_073_741_824 });
  const json = /\d+ SCHILY\.xattr\.user\.metadata=(\{.*?\})\n/s.exec(stdout.slice(0, PAX_HEADER_BYTES))?.[1];
  return json === undefined ? null : sha256In(json);
}

function sha256In(json: string): string | null {
  const facts = JSON.parse(json) as { sha256?: unknown };
  return typeof facts.sha256 === "string" ? facts.sha256 : null;
}

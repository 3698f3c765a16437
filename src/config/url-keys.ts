/**
 * Keys of signed URLs: two lines of a file, the newest first. A start makes a new one each month, and keeps the one before
 * for what it has signed, which is good for an hour.
 */
import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, stat } from "node:fs/promises";
import path from "node:path";

import { errnoOf } from "../core/errors.js";
import { writeFileAtomically } from "../platform/files.js";

const KEY_BYTES = 32;
const NEW_AFTER_MS = 30 * 86_400_000;

/** Mode 0600 in a directory of mode 0700. What is no key of ours in the file is left out. */
export async function loadUrlKeys(directory: string, nowMs: number): Promise<readonly [Buffer, ...Buffer[]]> {
  const file = path.join(directory, "url-keys");
  const known = await readKeys(file);
  const [newest, before] = known.keys;
  if (newest !== undefined && nowMs - known.writtenAtMs < NEW_AFTER_MS) {
    return before === undefined ? [newest] : [newest, before];
  }
  const made = randomBytes(KEY_BYTES);
  const keys: readonly [Buffer, ...Buffer[]] = newest === undefined ? [made] : [made, newest];
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
  await writeFileAtomically(file, `${keys.map((key) => key.toString("base64url")).join("\n")}\n`, 0o600);
  return keys;
}

async function readKeys(file: string): Promise<{ readonly keys: readonly Buffer[]; readonly writtenAtMs: number }> {
  try {
    const lines = (await readFile(file, "utf8")).split("\n").map((line) => Buffer.from(line.trim(), "base64url"));
    return { keys: lines.filter(({ length }) => length === KEY_BYTES), writtenAtMs: (await stat(file)).mtimeMs };
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    return { keys: [], writtenAtMs: 0 };
  }
}

/** Keys that secrets at rest are sealed with: lines of a file, the newest first; made where there is none. */
import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile } from "node:fs/promises";
import path from "node:path";

import { AppError, errnoOf } from "../core/errors.js";
import { writeFileAtomically } from "../platform/files.js";

const KEY_BYTES = 32;

/** Throws `failed-precondition` for a file that holds something else: a new key would open nothing that is sealed. */
export async function loadSecretKeys(directory: string): Promise<readonly [Buffer, ...Buffer[]]> {
  const file = path.join(directory, "secret-keys");
  const text = await readIfThere(file);
  if (text === undefined) {
    const made = randomBytes(KEY_BYTES);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await chmod(directory, 0o700);
    await writeFileAtomically(file, `${made.toString("base64url")}\n`, 0o600);
    return [made];
  }
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const [newest, ...others] = lines.map((line) => Buffer.from(line.trim(), "base64url"));
  if (newest !== undefined && [newest, ...others].every(({ length }) => length === KEY_BYTES))
    return [newest, ...others];
  throw new AppError({
    kind: "failed-precondition",
    message: `${file}: expected one key of ${String(KEY_BYTES)} bytes in base64url per line`,
    hint: "bring the file back from a backup; without it what was sealed with it stays closed",
  });
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Keys that secrets at rest are sealed with: lines of a file, the newest first. */
import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { chmod, mkdir, readFile, rm } from "node:fs/promises";
import path from "node:path";

import { AppError, errnoOf } from "../core/errors.js";
import { linkExclusively, writeFileAtomically } from "../platform/files.js";
import type { SecretKeys } from "../platform/secret-box.js";

const KEY_BYTES = 32;
/** 32 bytes as base64url, or as `openssl rand -base64 32` prints them. */
const LINE = /^[\w+/-]{43}=?$/;

/** Throws `failed-precondition` that names the file when it is absent or holds something else. */
export function readSecretKeys(file: string): SecretKeys {
  const lines = readText(file)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  const [newest, ...others] = lines.map((line) => Buffer.from(line, "base64url"));
  if (newest !== undefined && lines.every((line) => LINE.test(line))) return [newest, ...others];
  throw new AppError({
    kind: "failed-precondition",
    message: `${file}: expected one key of ${String(KEY_BYTES)} bytes in base64 per line`,
    hint: "bring the file back from a backup; without it what was sealed with it stays closed",
  });
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const isAbsent = errnoOf(error) === "ENOENT";
    throw new AppError({
      kind: "failed-precondition",
      message: isAbsent ? `the key file ${file} is not there` : `the key file ${file} cannot be read`,
      hint: isAbsent
        ? "bring it back from a backup; for a database that holds no secrets yet: openssl rand -base64 32"
        : "it must be readable for the user that Reelkeeper runs as",
      cause: error,
    });
  }
}

export function newSecretKey(): Buffer {
  return randomBytes(KEY_BYTES);
}

/** A first key, mode 0600 in a directory of mode 0700. One that is there already, or comes meanwhile, stays. */
export async function makeSecretKeyFile(file: string): Promise<void> {
  const directory = path.dirname(file);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await chmod(directory, 0o700);
  const made = path.join(directory, `.${path.basename(file)}.${randomUUID()}.new`);
  await writeFileAtomically(made, textOf([newSecretKey()]), 0o600);
  try {
    await linkExclusively(made, file);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
  } finally {
    await rm(made, { force: true });
  }
}

export async function writeSecretKeys(file: string, keys: SecretKeys): Promise<void> {
  await writeFileAtomically(file, textOf(keys), 0o600);
}

/** Beside the key file: keys that only old backups of the database need. No start reads it. Returns its name. */
export async function retireSecretKeys(file: string, keys: readonly Buffer[]): Promise<string> {
  const retired = `${file}.retired`;
  const known = await readFile(retired, "utf8").catch((error: unknown) => {
    if (errnoOf(error) === "ENOENT") return "";
    throw error;
  });
  const lines = known.split("\n").filter((line) => line !== "");
  const added = keys.map((key) => key.toString("base64url")).filter((line) => !lines.includes(line));
  await writeFileAtomically(retired, `${[...added, ...lines].join("\n")}\n`, 0o600);
  return retired;
}

function textOf(keys: readonly Buffer[]): string {
  return keys.map((key) => `${key.toString("base64url")}\n`).join("");
}

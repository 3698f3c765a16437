import { mkdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import path from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { loadUrlKeys } from "../../../src/config/url-keys.js";
import { createTempDir, removeTempDir } from "../../support/temp-dir.js";

const DAY_MS = 86_400_000;

async function secretsDir(): Promise<string> {
  const directory = await createTempDir();
  onTestFinished(() => removeTempDir(directory));
  return path.join(directory, "secrets");
}

it("makes a key that nobody else can read, and keeps it over restarts", async () => {
  const directory = await secretsDir();
  const nowMs = Date.now();
  const [key, ...others] = await loadUrlKeys(directory, nowMs);
  expect([key.length, others]).toEqual([32, []]);
  expect((await stat(path.join(directory, "url-keys"))).mode & 0o777).toBe(0o600);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  expect(await loadUrlKeys(directory, nowMs + DAY_MS)).toEqual([key]);
});

it("makes another one after a month, and keeps the one before it, and no more", async () => {
  const directory = await secretsDir();
  const file = path.join(directory, "url-keys");
  let nowMs = Date.now();
  const [first] = await loadUrlKeys(directory, nowMs);
  nowMs += 31 * DAY_MS;
  const [second, ...kept] = await loadUrlKeys(directory, nowMs);
  expect(kept).toEqual([first]);
  await utimes(file, nowMs / 1_000, nowMs / 1_000);
  expect(await loadUrlKeys(directory, nowMs + DAY_MS)).toEqual([second, first]);
  const third = await loadUrlKeys(directory, nowMs + 31 * DAY_MS);
  expect(third.slice(1)).toEqual([second]);
  expect((await readFile(file, "utf8")).trim().split("\n")).toHaveLength(2);
});

it("never signs with what is no key", async () => {
  const directory = await secretsDir();
  await mkdir(directory);
  for (const text of ["", "\n\n", "short\n", `${"A".repeat(44)}\n`]) {
    await writeFile(path.join(directory, "url-keys"), text);
    const [key] = await loadUrlKeys(directory, Date.now());
    expect(key.length).toBe(32);
    expect(key.equals(Buffer.alloc(32))).toBe(false);
  }
});

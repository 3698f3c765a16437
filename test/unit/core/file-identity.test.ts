import { stat, truncate, utimes, writeFile } from "node:fs/promises";
import path from "node:path";

import { expect, it } from "vitest";

import { fileIdentity, looksUnchanged } from "../../../src/core/file-identity.js";
import { tempDir } from "../../support/temp-dir.js";

const known = { dev: 1n, ino: 2n, size: 3n, mtimeNs: 4n };

it("differs when any of device, inode, size or time differs", () => {
  const changed = [{ dev: 9n }, { ino: 9n }, { size: 9n }, { mtimeNs: 9n }].map((change) =>
    fileIdentity({ ...known, ...change }),
  );
  expect(fileIdentity(known)).toBe("1:2:3:4");
  expect(new Set([fileIdentity(known), ...changed]).size).toBe(5);
});

it("lets a scan skip a file that only moved to another device or inode", () => {
  expect(looksUnchanged("1:2:3:4", { ...known, dev: 8n, ino: 9n })).toBe(true);
  expect(looksUnchanged("1:2:3:4", { ...known, size: 5n })).toBe(false);
  expect(looksUnchanged("1:2:3:4", { ...known, mtimeNs: 5n })).toBe(false);
  expect(looksUnchanged(null, known)).toBe(false);
  expect(looksUnchanged("", known)).toBe(false);
});

it("notices on a real file that it was cut although its time was put back (F9)", async () => {
  const file = path.join(await tempDir(), "a.mp4");
  await writeFile(file, "twelve bytes");
  const before = await stat(file, { bigint: true });
  await truncate(file, 4);
  await utimes(file, before.atime, before.mtime);
  const after = await stat(file, { bigint: true });
  expect(fileIdentity(after)).not.toBe(fileIdentity(before));
  expect(looksUnchanged(fileIdentity(before), after)).toBe(false);
});

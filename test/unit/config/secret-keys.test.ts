import { readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import { expect, it } from "vitest";

import { loadSecretKeys } from "../../../src/config/secret-keys.js";
import { tempDir } from "../../support/temp-dir.js";

it("makes a key that only its owner can read, and finds it again", async () => {
  const directory = path.join(await tempDir(), "secrets");
  const [made] = await loadSecretKeys(directory);
  expect(made).toHaveLength(32);
  expect((await stat(path.join(directory, "secret-keys"))).mode & 0o777).toBe(0o600);
  expect(await loadSecretKeys(directory)).toEqual([made]);
});

it.each(["", "short\n", `${"A".repeat(43)}\nshort\n`])("makes no new key over a file that holds %j", async (text) => {
  const directory = await tempDir();
  const file = path.join(directory, "secret-keys");
  await writeFile(file, text);
  await expect(loadSecretKeys(directory)).rejects.toMatchObject({ kind: "failed-precondition" });
  expect(await readFile(file, "utf8")).toBe(text);
});

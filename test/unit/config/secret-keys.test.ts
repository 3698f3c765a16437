import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import { expect, it } from "vitest";

import {
  makeSecretKeyFile,
  newSecretKey,
  readSecretKeys,
  retireSecretKeys,
  writeSecretKeys,
} from "../../../src/config/secret-keys.js";
import { tempDir } from "../../support/temp-dir.js";

const fileInNew = async (): Promise<string> => path.join(await tempDir(), "secrets", "secret-keys");
const modeOf = async (file: string): Promise<number> => (await stat(file)).mode & 0o777;

it("makes a key that only its owner can read, once, however many do at the same time", async () => {
  const file = await fileInNew();
  await Promise.all([1, 2, 3].map(() => makeSecretKeyFile(file)));
  const [made] = readSecretKeys(file);
  expect(made).toHaveLength(32);
  expect(await modeOf(file)).toBe(0o600);
  expect(await modeOf(path.dirname(file))).toBe(0o700);
  await makeSecretKeyFile(file);
  expect(readSecretKeys(file)).toEqual([made]);
  expect(await readdir(path.dirname(file))).toEqual(["secret-keys"]);
});

it("takes keys as openssl prints them, and lines apart", async () => {
  const file = path.join(await tempDir(), "keys");
  const keys = [newSecretKey(), newSecretKey()] as const;
  await writeFile(file, `${keys[0].toString("base64")}\r\n\n  ${keys[1].toString("base64url")}`);
  expect(readSecretKeys(file)).toEqual(keys);
});

it.each(["", "short\n", `${"A".repeat(43)}\nshort\n`, `${"A".repeat(42)}!\n`])(
  "takes no other key for a file that holds %j, and names it",
  async (text) => {
    const file = path.join(await tempDir(), "keys");
    await writeFile(file, text);
    expect(() => readSecretKeys(file)).toThrow(file);
    await makeSecretKeyFile(file);
    expect(await readFile(file, "utf8")).toBe(text);
  },
);

it("names the file that is not there", async () => {
  const file = await fileInNew();
  expect(() => readSecretKeys(file)).toThrow(`the key file ${file} is not there`);
});

it("keeps retired keys beside it, each once", async () => {
  const file = await fileInNew();
  await makeSecretKeyFile(file);
  const [first, second, third] = [newSecretKey(), newSecretKey(), newSecretKey()];
  await writeSecretKeys(file, [first]);
  await retireSecretKeys(file, [second]);
  const retired = await retireSecretKeys(file, [third, second]);
  expect(readSecretKeys(retired)).toEqual([third, second]);
  expect(await modeOf(retired)).toBe(0o600);
  expect(readSecretKeys(file)).toEqual([first]);
});

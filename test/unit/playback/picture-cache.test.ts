import { chmodSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";

import { expect, it } from "vitest";

import { PictureCache } from "../../../src/playback/picture-cache.js";
import { createFakeClock } from "../../support/fake-clock.js";
import { tempDir } from "../../support/temp-dir.js";

const SIZE = 1_000;

function picture(of: number): Buffer {
  return Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(SIZE - 4, of), Buffer.from([0xff, 0xd9])]);
}

const name = (of: number): string => of.toString(16).padStart(32, "0");

function open(directory: string, mostBytes = 3 * SIZE) {
  const warnings: string[] = [];
  const note = (message: string): void => void warnings.push(message);
  const logger = { debug: note, info: note, warn: note, error: note, child: () => logger };
  const clock = createFakeClock();
  return { cache: new PictureCache({ directory, mostBytes, logger, clock }), clock, warnings };
}

it("keeps what was used last, below the cap, also over a restart", async () => {
  const directory = path.join(await tempDir(), "thumbnails");
  const first = open(directory);
  for (const of of [1, 2, 3]) await first.cache.put(name(of), picture(of));
  // 1 is used again, so 2 goes for 4.
  for (const [index, of] of [2, 3, 1].entries()) utimesSync(path.join(directory, `${name(of)}.jpg`), index, index);
  expect(await first.cache.get(name(1))).toEqual(picture(1));
  await first.cache.put(name(4), picture(4));
  expect(readdirSync(directory).sort()).toEqual([1, 3, 4].map((of) => `${name(of)}.jpg`));
  writeFileSync(path.join(directory, `${name(9)}.jpg.torn.tmp`), "left behind by a crash");
  const second = open(directory);
  await second.cache.put(name(5), picture(5));
  expect(readdirSync(directory).sort()).toEqual([1, 4, 5].map((of) => `${name(of)}.jpg`));
  expect(second.cache.totalBytes).toBe(3 * SIZE);
});

it("takes nothing for a picture that is torn, gone, or was never there", async () => {
  const directory = await tempDir();
  const { cache } = open(directory);
  expect(await cache.get(name(1))).toBeUndefined();
  await cache.put(name(1), picture(1));
  writeFileSync(path.join(directory, `${name(1)}.jpg`), Buffer.alloc(SIZE));
  expect(await cache.get(name(1))).toBeUndefined();
  expect(cache.totalBytes).toBe(0);
});

it("keeps nothing with a cap of 0, and nothing larger than the cap", async () => {
  const directory = await tempDir();
  const none = open(directory, 0);
  await none.cache.put(name(1), picture(1));
  const small = open(directory, SIZE - 1);
  await small.cache.put(name(1), picture(1));
  expect([await none.cache.get(name(1)), await small.cache.get(name(1))]).toEqual([undefined, undefined]);
  expect(readdirSync(directory)).toEqual([]);
});

it("tells once when it cannot write, and fails nobody", async () => {
  const parent = await tempDir();
  const file = path.join(parent, "thumbnails");
  writeFileSync(file, "no directory");
  chmodSync(file, 0o600);
  const { cache, warnings } = open(file);
  await cache.put(name(1), picture(1));
  await cache.put(name(2), picture(2));
  expect(await cache.get(name(1))).toBeUndefined();
  expect(warnings).toEqual(["kept pictures cannot be read", "pictures cannot be kept"]);
});

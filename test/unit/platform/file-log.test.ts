import { closeSync, openSync, readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it, onTestFinished } from "vitest";

import { createFileLog, isFileDescriptor } from "../../../src/platform/file-log.js";
import { tempDir } from "../../support/temp-dir.js";
import { emptyDisk, fillDisk, mountTmpfs } from "../../support/tmpfs.js";

const LINE = `${"x".repeat(8_000)}\n`;

describe("the log in a file (F44)", () => {
  it("loses lines while its disk is full, goes on by itself, and says how many it lost", async () => {
    const disk = await tempDir();
    await mountTmpfs(disk, "256k");
    const file = path.join(disk, "log");
    const descriptor = openSync(file, "a");
    onTestFinished(() => closeSync(descriptor));
    expect(isFileDescriptor(descriptor)).toBe(true);
    const log = createFileLog(descriptor, (lines) => `lost ${lines}`);
    log.write("first\n");
    await fillDisk(disk);
    for (let line = 0; line < 5; line += 1) log.write(LINE);
    expect(log.destroyed).toBe(false);
    await emptyDisk(disk);
    log.write("last\n");
    const text = readFileSync(file, "utf8");
    expect(text.startsWith("first\n")).toBe(true);
    expect(text).toMatch(/\nlost [1-5]\nlast\n$/);
  });

  it("is not for what is no file", () => {
    const descriptor = openSync("/dev/null", "w");
    onTestFinished(() => closeSync(descriptor));
    expect(isFileDescriptor(descriptor)).toBe(false);
    expect(isFileDescriptor(9_999)).toBe(false);
  });
});

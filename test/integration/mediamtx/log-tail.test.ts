import { appendFile, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";

import { expect, it, onTestFinished } from "vitest";

import { LogTail } from "../../../src/mediamtx/log-tail.js";
import { type Logger, silentLogger } from "../../../src/platform/logger.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait-for.js";

interface Shown {
  readonly level: string;
  readonly message: string;
  readonly fields: object;
}

async function setUp(options: { readonly capBytes?: number; readonly before?: string } = {}) {
  const file = path.join(await tempDir(), "mediamtx.log");
  await writeFile(file, options.before ?? "");
  const shown: Shown[] = [];
  const at =
    (level: string) =>
    (message: string, fields: object = {}) =>
      void shown.push({ level, message, fields });
  const log: Logger = { ...silentLogger, debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
  const fromBytes = Buffer.byteLength(options.before ?? "");
  const tail = new LogTail(log, { file, fromBytes, capBytes: options.capBytes ?? 1_000_000 });
  tail.start();
  onTestFinished(() => tail.stop());
  return { file, shown, tail };
}

it("shows whole lines as they come, with their level and path", async () => {
  const { file, shown } = await setUp({ before: "2026/11/20 17:00:00 ERR shown by somebody else\n" });
  await appendFile(file, "2026/11/20 17:05:05 WAR [path cam1] slow\n2026/11/20 17:05:06 INF st");
  await waitFor("the first line", () => shown.length === 1);
  await appendFile(file, "arted é\n");
  await waitFor("the second line", () => shown.length === 2);
  expect(shown).toEqual([
    { level: "warn", message: "MediaMTX", fields: { path: "cam1", text: "slow" } },
    { level: "info", message: "MediaMTX", fields: { text: "started é" } },
  ]);
});

it("keeps one older file and truncates in place when the cap is reached", async () => {
  const { file, shown, tail } = await setUp({ capBytes: 2_000 });
  const block = "2026/11/20 17:05:05 INF line\n".repeat(80);
  await appendFile(file, block);
  await waitFor("the truncation", async () => (await stat(file)).size === 0);
  expect(await readFile(`${file}.1`, "utf8")).toBe(block);
  await appendFile(file, "2026/11/20 17:05:06 INF after\n");
  await tail.drain();
  expect(shown.at(-1)).toEqual({ level: "info", message: "MediaMTX", fields: { text: "after" } });
});

it("does not pass a flood on, but says how much is missing", async () => {
  const { file, shown, tail } = await setUp();
  await appendFile(file, "2026/11/20 17:05:05 WAR sample received too late\n".repeat(5_000));
  await waitFor("the count", async () => {
    await tail.drain();
    return shown.some(({ message }) => message === "lines of MediaMTX not shown");
  });
  expect(shown.length).toBeLessThan(1_000);
  const hidden = shown.filter(({ message }) => message === "lines of MediaMTX not shown");
  const lines = hidden.reduce((sum, { fields }) => sum + (fields as { lines: number }).lines, 0);
  expect(lines + shown.length - hidden.length).toBe(5_000);
});

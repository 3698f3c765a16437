/** What a clip of gigabytes costs in memory. */
import { request } from "node:http";

import { expect, it } from "vitest";

import { formatRfc3339 } from "../../../src/core/instant.js";
import { addFootageFile } from "../../support/footage.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";
import { at } from "../../support/http-rows.js";
import { writeLongRecording } from "../../support/long-recording.js";

const FILES = 4;
const FILE_SEC = 600;
const BYTES_PER_SEC = 1_000_000;
/** For blocks on their way, tables of 192,000 samples, and garbage that waits to be collected. */
const MOST_GROWTH_BYTES = 160 * 1_048_576;

/** Reads all and keeps nothing; answers how much came, and the most memory that was seen meanwhile. */
function fetchAll(
  { port }: HttpHarness,
  target: string,
): Promise<{ readonly bytes: number; readonly peakBytes: number }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port, path: target, agent: false }, (incoming) => {
      let bytes = 0;
      let peakBytes = 0;
      incoming.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
      });
      incoming.once("error", reject);
      incoming.once("end", () => resolve({ bytes, peakBytes }));
    });
    outgoing.once("error", reject);
    outgoing.end();
  });
}

it.each(["mp4", "fmp4"])("a clip of 2.4 GB as %s takes no more memory than a short one", async (format) => {
  const http = await httpForTest();
  for (let number = 0; number < FILES; number += 1) {
    const startUs = at(number * FILE_SEC);
    const name = `cam1/${String(number)}.mp4`;
    await writeLongRecording(http.recordDir, name, { seconds: FILE_SEC, bytesPerSec: BYTES_PER_SEC, startUs, number });
    await addFootageFile(http, name, startUs);
  }
  const target = (seconds: number): string =>
    `/api/v1/clip.mp4?path=cam1&from=${formatRfc3339(at(0))}&to=${formatRfc3339(at(seconds))}&format=${format}`;
  const short = await fetchAll(http, target(60));
  const long = await fetchAll(http, target(FILES * FILE_SEC));
  expect(long.bytes).toBeGreaterThan(0.99 * FILES * FILE_SEC * BYTES_PER_SEC);
  expect(long.peakBytes - short.peakBytes).toBeLessThan(MOST_GROWTH_BYTES);
});

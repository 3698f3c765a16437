/** The timeline of recordings that real MediaMTX servers made: across a reconnect, and across a kill -9. */
import { cp, readdir, utimes } from "node:fs/promises";
import path from "node:path";

import { expect, it } from "vitest";

import { insertPathEvent } from "../../../src/catalog/path-events.js";
import { formatRfc3339, parseRfc3339 } from "../../../src/core/instant.js";
import { parsePathName } from "../../../src/core/path-name.js";
import { readTimeline } from "../../../src/playback/timeline.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { type Bench, createBench, useBench } from "./bench.js";

const FIXTURE_DIR = path.resolve(import.meta.dirname, "../../fixtures/recordings");
/** After every recording ended, before QUIET_TIME of the killed ones was over. */
const NOW = "2026-11-20T17:05:50Z";

useBench();

/** One camera's folder, each file last written four seconds after it began. */
async function importCamera(folder: string): Promise<{ bench: Bench; clock: FakeClock }> {
  const clock = createFakeClock(parseRfc3339(NOW));
  const bench = await createBench({ clock });
  const directory = path.join(bench.recordDir, path.basename(folder));
  await cp(path.join(FIXTURE_DIR, folder), directory, { recursive: true });
  for (const name of await readdir(directory)) {
    const [day = "", time = ""] = name.replace(/\.\w+$/, "").split("_");
    const [hour, minute, second, micros] = time.split("-");
    const writtenSec = parseRfc3339(`${day}T${hour}:${minute}:${second}.${micros}Z`) / 1e6 + 4;
    await utimes(path.join(directory, name), writtenSec, writtenSec);
  }
  await bench.scan();
  await bench.drain();
  return { bench, clock };
}

async function timeline({ catalog }: Bench, name: string, [from, to]: readonly [string, string]): Promise<unknown[]> {
  const range = { fromUs: parseRfc3339(from), toUs: parseRfc3339(to) };
  const spans = await readTimeline(catalog, { path: parsePathName(name), ...range });
  return spans.map((span) => [
    formatRfc3339(span.fromUs).slice(11),
    formatRfc3339(span.toUs).slice(11),
    span.kind === "footage" ? span.where : `no: ${span.cause}`,
  ]);
}

/** Starts and lengths as MediaMTX's own `/list` says them (test/fixtures/README.md). */
const RUNS = {
  "v1.20.1": { first: ["17:04:43.02294Z", "17:04:55.635061Z"], second: ["17:04:58.15097Z", "17:05:05.057572Z"] },
  "v1.14.0": { first: ["17:05:17.738953Z", "17:05:30.343407Z"], second: ["17:05:32.870966Z", "17:05:39.795908Z"] },
} as const;

it.each(["v1.20.1", "v1.14.0"] as const)(
  "is two runs and the gap of a reconnect (%s), with its cause",
  async (version) => {
    const { first, second } = RUNS[version];
    const { bench } = await importCamera(`${version}/h264-aac`);
    const ask = async () => near(await timeline(bench, "h264-aac", ["2026-11-20T17:04:00Z", "2026-11-20T17:05:45Z"]));
    const expected = (cause: string) =>
      near([
        ["17:04:00Z", first[0], "no: unknown"],
        [...first, "both"],
        [first[1], second[0], `no: ${cause}`],
        [...second, "both"],
        [second[1], "17:05:45Z", "no: unknown"],
      ]);
    expect(await ask()).toEqual(expected("unknown"));
    const event = { path: parsePathName("h264-aac"), sourceType: "rtspSession", sourceId: "x" };
    const noticedUs = parseRfc3339(`2026-11-20T${first[1]}`) + 100_000;
    await insertPathEvent(bench.catalog, { ...event, kind: "not-ready", atUs: noticedUs });
    const readyUs = parseRfc3339(`2026-11-20T${second[0]}`) - 300_000;
    await insertPathEvent(bench.catalog, { ...event, kind: "ready", atUs: readyUs });
    expect(await ask()).toEqual(expected("source-offline"));
  },
);

/** To 10 ms: `/list` reads lengths from `mvhd`, in whole milliseconds, and the texts above are rounded. */
function near(spans: readonly unknown[]): unknown[] {
  return (spans as string[][]).map(([from = "", to = "", what]) => [from.slice(0, 11), to.slice(0, 11), what]);
}

it("shows what kill -9 tore as not indexed while it may still grow, then as footage up to its last whole fragment", async () => {
  const { bench, clock } = await importCamera("v1.20.1/killed");
  const [, , torn] = await bench.rows();
  expect(torn).toMatchObject({ local: "open" });
  const ask = () => timeline(bench, "killed", ["2026-11-20T17:05:06Z", "2026-11-20T18:00:00Z"]);
  const tornAt = formatRfc3339(torn!.startUs).slice(11);
  expect(await ask()).toEqual([
    ["17:05:06Z", tornAt, "both"],
    // It was open when somebody last looked, which is now.
    [tornAt, "17:05:50Z", "open"],
  ]);
  await clock.advance(20_000);
  expect((await ask()).at(-1)).toEqual(["17:05:50Z", "17:06:10Z", "no: not-indexed"]);
  await clock.advance(41_000);
  await bench.drain();
  const settled = (await bench.rows())[2]!;
  expect(settled).toMatchObject({ local: "present", archive: "verified", partial: true });
  expect(await ask()).toEqual([
    ["17:05:06Z", formatRfc3339(settled.endUs).slice(11), "both"],
    [formatRfc3339(settled.endUs).slice(11), "17:06:51Z", "no: unknown"],
  ]);
});

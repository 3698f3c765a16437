/** A bucket that others write to as well: whatever an object says of itself, the rebuild of all others goes on. */
import { randomUUID } from "node:crypto";
import path from "node:path";

import { expect, it } from "vitest";

import { rebuildFromStore } from "../../../src/archive/rebuild-from-store.js";
import { createSource } from "../../support/put-source.js";
import { tempDir } from "../../support/temp-dir.js";
import { createBench, useBench } from "./bench.js";
import { footage, nameOf, writeAt } from "./footage.js";

const START_US = Date.UTC(2026, 10, 20) * 1_000;
const PREFIX = "recordings";
const NEVER = new AbortController().signal;
const LONG = "x".repeat(1_500);
/** What nobody but a stranger writes there; undefined: the field is not there. */
const ODD: Readonly<Record<string, readonly (string | undefined)[]>> = {
  "recording-id": [undefined, "", "1", "'; drop table recordings; --", LONG],
  path: [undefined, "", "/", "..", "../../etc", "a//b", "a b", "%2e%2e", LONG],
  "start-at": [undefined, "", "yesterday", "0000-00-00T00:00:00Z", "9999-99-99T99:99:99Z", "-1", "1e9"],
  "end-at": [undefined, "", "1969-12-31T23:59:59Z", "+275760-09-13T00:00:00.001Z", "NaN"],
  format: [undefined, "", "avi", "FMP4", "constructor"],
  "file-path": [undefined, "%", "%E0%A4%A", "%00", "a%00b.mp4"],
  partial: [undefined, "", "maybe", "1"],
  "media-duration-us": [undefined, "x", "1e400", "0x", "9007199254740993", "1.5"],
  tracks: ["", "{", "null", "[1]", '[{"id":"x"}]', '{"__proto__":{}}', "[".repeat(1_000)],
  "stream-id": ["", LONG],
  "segment-number": ["", "x", "-1", "1e400", "9007199254740993"],
};
/** Names that a row may hold, and that no step may follow. */
const OUTSIDE = ["../../../etc/passwd", "/etc/passwd", "cam1/../../outside.mp4", "cam1/%0A.mp4", "."];

useBench();

it("rebuilds what is ours beside objects that say odd things of themselves (F38, F49)", async () => {
  const original = await createBench({ env: { LOCAL_RETENTION: "0s" } });
  for (const number of [0, 1, 2]) {
    const startUs = START_US + number * 4_000_000;
    const file = path.join(original.recordDir, nameOf("cam1", startUs));
    await writeAt(original.clock, file, footage({ startUs, number }), { agoSec: 100 });
  }
  await original.scan();
  await original.drain();
  const [sound] = await original.rows();
  const { metadata } = (await original.store.head(sound!.objectKey!, NEVER))!;
  const strangers = [
    ...Object.entries(ODD).flatMap(([field, values]) => values.map((value) => ({ [field]: value }))),
    ...OUTSIDE.map((filePath) => ({ "file-path": filePath })),
  ];
  const sources = await tempDir();
  for (const [at, odd] of strangers.entries()) {
    const own = { "recording-id": randomUUID(), path: `odd${at}`, "stream-id": randomUUID() };
    const facts: Readonly<Record<string, string | undefined>> = { ...metadata, ...own, ...odd };
    const told = Object.entries(facts).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const source = { ...(await createSource(sources)), metadata: Object.fromEntries(told) };
    await original.store.put(`${PREFIX}/odd/${at}.mp4`, source, { signal: NEVER });
  }

  const bench = await createBench({ beside: original });
  const deps = {
    catalog: bench.catalog,
    logger: bench.setup.logger,
    store: bench.store,
    prefix: PREFIX,
    thumbnailIntervalUs: 0,
  };
  const result = await rebuildFromStore(deps, () => undefined, new AbortController().signal);
  expect(result.objects).toBe(strangers.length + 3);
  const rows = await bench.rows();
  const ours = rows.filter(({ path: name }) => name === "cam1");
  expect(ours.map(({ id, sha256 }) => [id, sha256])).toEqual(
    (await original.rows()).map(({ id, sha256 }) => [id, sha256]),
  );
  // PostgreSQL would refuse it, and end the rebuild.
  expect(rows.filter(({ filePath }) => filePath.includes("\0"))).toEqual([]);
  expect(result.foreign).toBeGreaterThan(strangers.length / 2);
  expect(rows).toHaveLength(3 + strangers.length - result.foreign);
  // A second time nothing is added, and no step follows a name out of the record directory.
  await rebuildFromStore(deps, () => undefined, new AbortController().signal);
  expect(await bench.rows()).toHaveLength(rows.length);
  await bench.scan();
  await bench.drain();
  expect(new Set((await bench.rows()).map(({ local }) => local))).toEqual(new Set(["released"]));
});

/** What playlists remember of files: they say the same as those that look into every row. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Catalog } from "../../src/catalog/catalog.js";
import { storeFragmentIndexes } from "../../src/catalog/fragment-indexes.js";
import { claimDue, commitStep } from "../../src/catalog/recording-queue.js";
import { isAppError } from "../../src/core/errors.js";
import { parsePathName } from "../../src/core/path-name.js";
import type { Recording } from "../../src/core/recording.js";
import { encodeFragmentIndex } from "../../src/media/fragment-index-codec.js";
import { GrowingFiles } from "../../src/playback/growing-files.js";
import { makePlaylist, type PlaylistRequest } from "../../src/playback/playlist.js";
import { WholeFiles } from "../../src/playback/whole-files.js";
import { createFakeClock } from "../support/fake-clock.js";
import { addFixture } from "../support/footage-rows.js";
import { type HttpHarness, httpForTest } from "../support/http-harness.js";

const CAMERA = parsePathName("h264-aac");
const BASE = {
  path: CAMERA,
  isLive: false,
  isExact: false,
  isTranscoded: false,
  variantUri: null,
  sign: null,
} as const;

interface Scene {
  readonly http: HttpHarness;
  readonly recordings: readonly Recording[];
  readonly whole: Pick<PlaylistRequest, "fromUs" | "toUs">;
  readonly ask: (request: Partial<PlaylistRequest>, wholeFiles: WholeFiles) => Promise<string>;
}

async function scene(): Promise<Scene> {
  const http = await httpForTest();
  const placed = await addFixture(http, ["v1.20.1", CAMERA]);
  const recordings = placed.map(({ recording }) => recording);
  const [first, last] = [recordings[0]!, recordings.at(-1)!];
  const whole = { fromUs: first.startUs, toUs: last.endUs + 1_000_000 };
  const growing = new GrowingFiles(http.recordDir, { configuredPath: null, env: process.env });
  const turns = { take: () => Promise.resolve() };
  const ask = async (request: Partial<PlaylistRequest>, wholeFiles: WholeFiles): Promise<string> => {
    const deps = { catalog: http.catalog, growing, turns, wholeFiles };
    return makePlaylist(deps, { ...BASE, ...whole, ...request }).then(
      ({ text }) => text,
      (error: unknown) => {
        if (isAppError(error, "not-found")) return "nothing";
        throw error;
      },
    );
  };
  return { http, recordings, whole, ask };
}

function wholeFiles(): WholeFiles {
  return new WholeFiles(createFakeClock());
}

/** How many times the fragment indexes were read. */
async function readsOf({ readDb }: Catalog, work: () => Promise<unknown>): Promise<number> {
  let reads = 0;
  const listen = ({ sql }: { readonly sql: string }): void => {
    if (sql.includes("fragment_indexes")) reads += 1;
  };
  readDb.on("query", listen);
  await work();
  readDb.removeListener("query", listen);
  return reads;
}

describe("playlists that know files of before", () => {
  it("say what those say that look into every row, whatever the range", async () => {
    const { recordings, whole, ask } = await scene();
    expect(recordings.length).toBeGreaterThan(2);
    const known = wholeFiles();
    const border = fc.oneof(
      fc.integer({ min: whole.fromUs - 2_000_000, max: whole.toUs }),
      // To the microsecond: where a file begins or ends.
      fc.constantFrom(...recordings.flatMap(({ startUs, endUs }) => [startUs, endUs])),
    );
    const range = fc.uniqueArray(border, { minLength: 2, maxLength: 2 }).map((both) => both.sort((a, b) => a - b));
    const flags = fc.record({ isLive: fc.boolean(), isExact: fc.boolean(), isTranscoded: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(range, flags, fc.boolean(), async ([fromUs, toUs], how, isDay) => {
        // A long range has longer segments.
        const request = { ...how, fromUs: fromUs!, toUs: toUs! + (isDay ? 86_400_000_000 : 0) };
        expect(await ask(request, known)).toBe(await ask(request, wholeFiles()));
      }),
      { numRuns: 150 },
    );
  });

  it("look into no row a second time, and into what is new alone", async () => {
    const { http, recordings, ask } = await scene();
    const known = wholeFiles();
    const last = recordings.at(-1)!;
    await http.catalog.db("recordings").where({ id: last.id }).update({ archive: "deleted", local: "deleted" });
    const before = await ask({}, known);
    expect(await readsOf(http.catalog, async () => expect(await ask({}, known)).toBe(before))).toBe(0);
    await http.catalog.db("recordings").where({ id: last.id }).update({ local: "present" });
    expect(await readsOf(http.catalog, () => ask({}, known))).toBe(1);
    expect(await ask({}, known)).toContain(last.id);
    expect(await readsOf(http.catalog, () => ask({}, known))).toBe(0);
  });

  it("say what an inspection found since, and nothing of what is gone", async () => {
    const { http, recordings, ask } = await scene();
    const known = wholeFiles();
    const [first, second] = [recordings[0]!, recordings[1]!];
    expect(await ask({}, known)).toContain(first.id);
    await http.catalog.clock.advance(1_000);
    await http.catalog.db("recordings").where({ id: first.id }).update({ step: "inspect", next_attempt_at_us: 0 });
    const [claimed] = await claimDue(http.catalog, { steps: ["inspect"], limit: 1, leaseMs: 1_000 });
    const fragment = { offsetBytes: 1_000, sizeBytes: 77_777, startTicks: 0, durationTicks: 90_000, syncTicks: 0 };
    const index = { mainTrackId: 1, timescale: 90_000, initBytes: 1_000, fragments: [fragment] };
    await commitStep(http.catalog, claimed!, { patch: { step: null }, fragmentIndex: encodeFragmentIndex(index) });
    expect(await ask({}, known)).toContain("#EXT-X-BYTERANGE:77777@1000");
    await http.catalog.db("recordings").where({ id: second.id }).update({ local: "released", archive: "none" });
    expect(await ask({}, known)).not.toContain(second.id);
    expect(await ask({}, known)).toBe(await ask({}, wholeFiles()));
  });

  it("wait for an index that comes later", async () => {
    const { http, recordings, ask } = await scene();
    const known = wholeFiles();
    const { id } = recordings[0]!;
    const row = await http.catalog.db("fragment_indexes").where({ recording_id: id }).first<{ data: Buffer }>();
    await http.catalog.db("fragment_indexes").where({ recording_id: id }).delete();
    await ask({}, known);
    await storeFragmentIndexes(http.catalog.db, [{ id, fragmentIndex: row.data }]);
    expect(await ask({}, known)).toBe(await ask({}, wholeFiles()));
  });
});

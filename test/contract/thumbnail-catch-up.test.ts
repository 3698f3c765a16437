/** Recordings of before periodic pictures join those that wait for theirs, on SQLite and on a real PostgreSQL. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Catalog } from "../../src/catalog/catalog.js";
import {
  addMissingFragmentIndex,
  findFragmentIndex,
  storeFragmentIndexes,
} from "../../src/catalog/fragment-indexes.js";
import { findToCatchUp, noteCaughtUp, restartThumbnailCatchUp } from "../../src/catalog/thumbnail-catch-up.js";
import { countWaitingForThumbnails, leaveThumbnailQueue, queueThumbnails } from "../../src/catalog/thumbnail-queue.js";
import { beginThumbnail } from "../../src/catalog/thumbnails.js";
import { parsePathName } from "../../src/core/path-name.js";
import type { RecordingId, Track } from "../../src/core/recording.js";
import { at, CAM1, insertRow } from "./catalog/builders.js";
import { DIALECTS, openFresh, openOn } from "./catalog/dialects.js";

const VIDEO: Track = {
  ...{ kind: "video", id: 1, codec: "avc1.42c015", timescale: 90_000 },
  ...{ widthPx: 320, heightPx: 180, frameRate: 25 },
};
/** Every row of four seconds holds one of these. */
const INTERVAL_US = 4_000_000;
const LOCAL = { tracks: [VIDEO] } as const;
const ARCHIVED = { ...LOCAL, local: "released", archive: "verified" } as const;

async function step(catalog: Catalog): Promise<string> {
  const found = await findToCatchUp(catalog, INTERVAL_US);
  if (typeof found === "string") return found;
  await noteCaughtUp(catalog, found);
  return "noted";
}

async function waiting({ db }: Catalog): Promise<RecordingId[]> {
  const rows = (await db("thumbnail_queue").orderBy("recording_id")) as { recording_id: RecordingId }[];
  return rows.map(({ recording_id: id }) => id);
}

/** Ids by name, in the order in which they joined; what waits is as good as pictured. */
async function walk(catalog: Catalog, names: ReadonlyMap<string, string>): Promise<string[][]> {
  const joined: string[][] = [];
  for (;;) {
    if ((await step(catalog)) === "done") return joined;
    const ids = await waiting(catalog);
    joined.push(ids.map((id) => names.get(id) ?? id).sort());
    for (const id of ids) await leaveThumbnailQueue(catalog, id);
  }
}

describe.each(DIALECTS.map((dialect) => [dialect.name, dialect] as const))(
  "recordings of before pictures on %s",
  (_name, dialect) => {
    beforeAll(() => dialect.start());
    afterAll(() => dialect.stop());

    it("join the queue once: those on disk, then those in the store, and no others", async () => {
      const catalog = await openFresh(dialect);
      const names = new Map<string, string>();
      const add = async (name: string, sec: number, changes: object): Promise<RecordingId> => {
        const { id } = await insertRow(catalog, sec, changes);
        names.set(id, name);
        return id;
      };
      await add("archived", 0, ARCHIVED);
      await add("local", 10, LOCAL);
      await add("both", 20, { ...LOCAL, archive: "verified", step: "release" });
      for (const [index, changes] of [
        { ...LOCAL, step: "inspect" },
        { ...LOCAL, step: "delete" },
        { ...LOCAL, local: "missing" },
        { ...LOCAL, local: "open", step: "settle" },
        { tracks: [] },
        { ...LOCAL, path: parsePathName("unkept") },
        { ...ARCHIVED, archive: "expired" },
      ].entries()) {
        await add(`not ${JSON.stringify(changes)}`, 100 + 10 * index, changes);
      }
      await catalog.db("paths").insert({
        ...{ name: "unkept", settings: "{}", enabled: true, archive: "none", labels: "[]" },
        ...{ created_at_us: 1, updated_at_us: 1 },
      });
      const pictured = await add("pictured", 200, LOCAL);
      await beginThumbnail(catalog, { path: CAM1, recordingId: pictured, atUs: at(200), objectKey: "x.jpg" });
      expect(await walk(catalog, names)).toEqual([["both", "local"], ["archived"]]);
      expect(await step(catalog)).toBe("done");
      await restartThumbnailCatchUp(catalog);
      expect(await walk(catalog, names)).toEqual([["both", "local"], ["archived"]]);
    });

    it("join some at a time, the newest first, and another process goes on where the last one stood", async () => {
      const target = await dialect.freshTarget();
      const first = await openOn(target, { nodeId: "node-1" });
      const other = await openOn(target, { nodeId: "node-2" });
      const names = new Map<string, string>();
      for (let index = 0; index < 50; index += 1) {
        // Many begin at one instant: pages are told apart by id.
        const path = parsePathName(`cam${String(index)}`);
        const { id } = await insertRow(first, 4 * Math.floor(index / 10), { ...LOCAL, path });
        names.set(id, `batch ${String(Math.floor(index / 10))}`);
      }
      expect(await walk(other, names)).toEqual([[], []]);
      expect(await step(first)).toBe("noted");
      const newest = await waiting(first);
      expect(new Set(newest.map((id) => names.get(id)))).toEqual(new Set(["batch 4", "batch 3"]));
      expect([newest.length, await step(first)]).toEqual([20, "full"]);
      for (const id of newest) await leaveThumbnailQueue(first, id);
      const again = await openOn(target, { nodeId: "node-1" });
      const rest = await walk(again, names);
      expect(rest.map((batch) => [...new Set(batch)])).toEqual([["batch 1", "batch 2"], ["batch 0"], []]);
      expect(rest.flat()).toHaveLength(30);
    });

    it("leave those alone that wait already, with what they have failed", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await insertRow(catalog, 0, LOCAL);
      await queueThumbnails(catalog.db, [{ id, nodeId: catalog.nodeId, dueAtUs: at(0) }]);
      await catalog.db("thumbnail_queue").update({ attempts: 3, due_at_us: at(500) });
      expect(await step(catalog)).toBe("noted");
      const rows: unknown[] = await catalog.db("thumbnail_queue").where({ recording_id: id, attempts: 3 });
      expect([rows.length, await countWaitingForThumbnails(catalog)]).toEqual([1, 1]);
    });

    it("tell the MPEG-TS on disk that has no index, also where no pictures are kept", async () => {
      const catalog = await openFresh(dialect);
      const stream = { format: "mpegts", path: parsePathName("unkept") } as const;
      const { id } = await insertRow(catalog, 0, stream);
      const indexed = await insertRow(catalog, 10, stream);
      await storeFragmentIndexes(catalog.db, [{ id: indexed.id, fragmentIndex: Buffer.from([1]) }]);
      await insertRow(catalog, 20, { ...stream, step: "inspect" });
      await insertRow(catalog, 30, { ...stream, local: "released", archive: "verified" });
      await catalog.db("paths").insert({
        ...{ name: "unkept", settings: "{}", enabled: true, archive: "none", labels: "[]" },
        ...{ created_at_us: 1, updated_at_us: 1 },
      });
      expect(await findToCatchUp(catalog, INTERVAL_US)).toMatchObject({ uncut: [id], withoutPictures: [] });
      await addMissingFragmentIndex(catalog, id, Buffer.from([2]));
      await addMissingFragmentIndex(catalog, indexed.id, Buffer.from([2]));
      expect(await findToCatchUp(catalog, INTERVAL_US)).toMatchObject({ uncut: [] });
      const kept = await Promise.all([id, indexed.id].map((of) => findFragmentIndex(catalog, of)));
      expect(kept.map((data) => data?.[0])).toEqual([2, 1]);
    });

    it("are walked by pages, each row once in each pass, however many hold nothing", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await insertRow(catalog, 0, LOCAL);
      const [sample] = (await catalog.db("recordings").where({ id })) as Record<string, unknown>[];
      const rows = Array.from({ length: 625 }, (_, index) => ({
        ...sample,
        ...{ id: `silent-${String(index)}`, start_us: at(10 + index), end_us: at(11 + index), tracks: "[]" },
        file_path: `cam1/silent-${String(index)}.mp4`,
      }));
      await catalog.db.batchInsert("recordings", rows, 25);
      expect(await walk(catalog, new Map([[id, "oldest"]]))).toEqual([[], [], ["oldest"], [], [], []]);
    });
  },
);

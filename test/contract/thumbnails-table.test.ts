/** Periodic pictures and who waits for them, on SQLite and on a real PostgreSQL. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { claimDue, commitStep } from "../../src/catalog/recording-queue.js";
import { requestDeletion } from "../../src/catalog/recordings.js";
import {
  countWaitingForThumbnails,
  leaveThumbnailQueue,
  nextForThumbnails,
  postponeThumbnails,
} from "../../src/catalog/thumbnail-queue.js";
import {
  beginThumbnail,
  findLastThumbnail,
  findThumbnail,
  forgetThumbnail,
  giveThumbnailUp,
  hasThumbnailIn,
  listThumbnails,
  listThumbnailsToRemove,
  noteThumbnailStored,
  removeThumbnailsOf,
  sweepThumbnails,
  type Thumbnail,
} from "../../src/catalog/thumbnails.js";
import { at, CAM1, insertRow } from "./catalog/builders.js";
import { DIALECTS, openFresh, openOn, type TestCatalog } from "./catalog/dialects.js";

const DAY = { fromUs: at(0), toUs: at(86_400) };

/** A recording of ten seconds with a picture of its beginning, in the store. */
async function pictured(catalog: TestCatalog, sec: number, changes = {}): Promise<Thumbnail> {
  const { id } = await insertRow(catalog, sec, changes);
  const thumbnail = { path: CAM1, recordingId: id, atUs: at(sec), objectKey: `recordings/~thumbnails/${sec}.jpg` };
  expect(await beginThumbnail(catalog, thumbnail)).toBe("begun");
  expect(await noteThumbnailStored(catalog, thumbnail)).toBe(true);
  return thumbnail;
}

describe.each(DIALECTS.map((dialect) => [dialect.name, dialect] as const))("pictures on %s", (_name, dialect) => {
  beforeAll(() => dialect.start());
  afterAll(() => dialect.stop());

  it("are waited for from the inspection on, by the node that made it, until it is done", async () => {
    const target = await dialect.freshTarget();
    const catalog = await openOn(target, { nodeId: "node-1" });
    const other = await openOn(target, { nodeId: "node-2" });
    await insertRow(catalog, 0, { step: "inspect" });
    const [claimed] = await claimDue(catalog, { steps: ["inspect"], limit: 1, leaseMs: 1_000 });
    const outcome = { patch: { step: null }, thumbnailsDue: true } as const;
    await commitStep(catalog, claimed!, outcome);
    expect([await nextForThumbnails(other), await countWaitingForThumbnails(catalog)]).toEqual([undefined, 1]);
    const { waiting, dueAtUs } = (await nextForThumbnails(catalog))!;
    expect([waiting, dueAtUs]).toEqual([
      { recordingId: claimed!.id, attempts: 0, ffmpegFailures: 0 },
      catalog.clock.nowUs(),
    ]);
    const failed = { ...waiting, attempts: 1, ffmpegFailures: 1 };
    await postponeThumbnails(catalog, failed, { dueAtUs: at(100), error: "no\0 ffmpeg" });
    expect(await nextForThumbnails(catalog)).toEqual({ waiting: failed, dueAtUs: at(100) });
    await leaveThumbnailQueue(catalog, claimed!.id);
    expect(await nextForThumbnails(catalog)).toBeUndefined();
  });

  it("are found by range, by instant and by recording, in order, while their recording can be played", async () => {
    const catalog = await openFresh(dialect);
    const all = [];
    for (const sec of [0, 10, 20]) all.push(await pictured(catalog, sec));
    expect(await listThumbnails(catalog, CAM1, DAY)).toEqual(all);
    expect(await listThumbnails(catalog, CAM1, { fromUs: at(10), toUs: at(20) })).toEqual([all[1]]);
    expect(await findLastThumbnail(catalog, CAM1, { fromUs: at(0), toUs: at(20) })).toEqual(all[1]);
    expect(await findThumbnail(catalog, all[2]!.recordingId, at(20))).toEqual(all[2]);
    expect(await findThumbnail(catalog, all[2]!.recordingId, at(10))).toBeUndefined();
    expect(await hasThumbnailIn(catalog, CAM1, { fromUs: at(1), toUs: at(10) })).toBe(false);
    expect(await beginThumbnail(catalog, all[0]!)).toBe("known");
    await catalog.db("recordings").where({ id: all[0]!.recordingId }).update({ local: "missing", archive: "none" });
    expect(await listThumbnails(catalog, CAM1, DAY)).toEqual(all.slice(1));
  });

  it("are not begun for what is to be deleted, and go with it, with what was waited for", async () => {
    const catalog = await openFresh(dialect);
    const first = await pictured(catalog, 0);
    const { id } = await insertRow(catalog, 10, {});
    await requestDeletion(catalog, id);
    const late = { path: CAM1, recordingId: id, atUs: at(10), objectKey: "late" };
    expect(await beginThumbnail(catalog, late)).toBe("gone");
    await removeThumbnailsOf(catalog, first.recordingId);
    expect(await listThumbnails(catalog, CAM1, DAY)).toEqual([]);
    expect(await listThumbnailsToRemove(catalog)).toEqual([first]);
    expect(await beginThumbnail(catalog, first)).toBe("gone");
    await forgetThumbnail(catalog, first);
    expect(await listThumbnailsToRemove(catalog)).toEqual([]);
  });

  it("are swept when their recording has expired, and not when its file is missing or on disk", async () => {
    const catalog = await openFresh(dialect);
    const expired = await pictured(catalog, 0);
    const kept = [await pictured(catalog, 10), await pictured(catalog, 20)];
    const given = await pictured(catalog, 30);
    const set = (of: Thumbnail, changes: object) =>
      catalog.db("recordings").where({ id: of.recordingId }).update(changes);
    await set(expired, { archive: "expired", local: "released" });
    await set(kept[0]!, { archive: "none", local: "missing" });
    await set(kept[1]!, { archive: "deleted", local: "present" });
    await giveThumbnailUp(catalog, given);
    expect(await sweepThumbnails(catalog, { path: CAM1, atUs: at(0) })).toBeNull();
    expect(await listThumbnailsToRemove(catalog)).toEqual([given]);
    expect(await sweepThumbnails(catalog, null)).toBeNull();
    const going = (await listThumbnailsToRemove(catalog)).map(({ atUs }) => atUs).sort();
    expect(going).toEqual([expired.atUs, given.atUs]);
  });
});

import { describe, expect, it } from "vitest";

import { createBacklogCount, listStepErrors, summarizeBacklog } from "../../../src/catalog/archive-summary.js";
import type { Catalog } from "../../../src/catalog/catalog.js";
import { findFragmentIndex } from "../../../src/catalog/fragment-indexes.js";
import {
  type Claim,
  claimDue,
  commitStep,
  giveBack,
  nextDueAtUs,
  noteProgress,
  postponeStep,
  releaseClaim,
  releaseStaleLeases,
} from "../../../src/catalog/recording-queue.js";
import { markMissing, requestDeletion } from "../../../src/catalog/recordings.js";
import type { Recording } from "../../../src/core/recording.js";
import { at, insertRow, read, recordOne, row, segmentFile } from "./builders.js";
import { openFresh, openOn, type TestedDialect } from "./dialects.js";

const LEASE_MS = 60_000;
const CLAIM: Claim = { steps: ["archive"], limit: 10, leaseMs: LEASE_MS };
const DUE = { step: "archive" } as const;

export function describeQueue(dialect: TestedDialect): void {
  describe("claiming", () => {
    it("takes the highest priority first, then by due time", async () => {
      const catalog = await openFresh(dialect);
      await insertRow(catalog, 0, { ...DUE, nextAttemptAtUs: at(-10) });
      await insertRow(catalog, 10, { ...DUE, nextAttemptAtUs: at(-20) });
      await insertRow(catalog, 20, { ...DUE, nextAttemptAtUs: at(-5), priority: 10 });
      await insertRow(catalog, 30, { step: "inspect", nextAttemptAtUs: at(-30) });
      const claimed = await claimDue(catalog, { ...CLAIM, steps: ["inspect", "archive"] });
      expect(claimed.map(({ startUs }) => startUs)).toEqual([at(20), at(30), at(10), at(0)]);
    });

    it("leaves rows that are not due, not of these steps, of another machine or done", async () => {
      const target = await dialect.freshTarget();
      const catalog = await openOn(target);
      const other = await openOn(target, { nodeId: "node-2" });
      await insertRow(catalog, 0, { ...DUE, nextAttemptAtUs: at(1) });
      await insertRow(catalog, 10, { step: "inspect" });
      await insertRow(catalog, 20, { step: null });
      await insertRow(other, 30, DUE);
      expect(await claimDue(catalog, CLAIM)).toEqual([]);
      await catalog.clock.advance(1_000);
      expect(await claimDue(catalog, CLAIM)).toHaveLength(1);
    });

    it("takes at most as many as asked for", async () => {
      const catalog = await openFresh(dialect);
      for (const sec of [0, 10, 20]) await insertRow(catalog, sec, { ...DUE, priority: sec === 0 ? 10 : 0 });
      expect(await claimDue(catalog, { ...CLAIM, limit: 2 })).toHaveLength(2);
      expect(await claimDue(catalog, { ...CLAIM, limit: 2 })).toHaveLength(1);
      expect(await claimDue(catalog, { ...CLAIM, limit: 2 })).toEqual([]);
    });

    it("never gives one row to two owners", async () => {
      const target = await dialect.freshTarget();
      const catalogs = await Promise.all([openOn(target), openOn(target), openOn(target)]);
      for (let sec = 0; sec < 30; sec += 1) await insertRow(catalogs[0], sec * 10, DUE);
      const claims = await Promise.all(
        [0, 1, 2, 3].flatMap(() => catalogs.map((catalog) => claimDue(catalog, { ...CLAIM, limit: 4 }))),
      );
      const ids = claims.flat().map(({ id }) => id);
      expect(new Set(ids).size).toBe(ids.length);
      expect(ids).toHaveLength(30);
    });

    it("takes a row again once its lease has ended (F16)", async () => {
      const target = await dialect.freshTarget();
      const [first, second] = [await openOn(target), await openOn(target)];
      await insertRow(first, 0, DUE);
      await claimDue(first, CLAIM);
      await second.clock.advance(LEASE_MS - 1);
      expect(await claimDue(second, CLAIM)).toEqual([]);
      await second.clock.advance(1);
      expect(await claimDue(second, CLAIM)).toHaveLength(1);
    });
  });

  describe("committing a step", () => {
    it("stores the outcome, clears the failure and gives the row back", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await insertRow(catalog, 0, { ...DUE, attempts: 4, error: "timeout" });
      const [claimed] = await claimDue(catalog, CLAIM);
      await catalog.clock.advance(5_000);
      const track = { kind: "audio", id: 2, codec: "mp4a.40.2", timescale: 48_000, sampleRateHz: 48_000, channels: 2 };
      const patch = { archive: "verified", sha256: "ab", tracks: [track], partial: true, step: "release" } as const;
      await commitStep(catalog, claimed!, { patch: { ...patch, tracks: [{ ...track, kind: "audio" }] } });
      const nowUs = catalog.clock.nowUs();
      expect(await read(catalog, id)).toMatchObject({
        ...patch,
        ...{ attempts: 0, error: null, nextAttemptAtUs: nowUs, updatedAtUs: nowUs },
      });
      expect(await claimDue(catalog, { ...CLAIM, steps: ["release"] })).toHaveLength(1);
    });

    it("lets the outcome say when the next step is due", async () => {
      const catalog = await openFresh(dialect);
      await insertRow(catalog, 0, DUE);
      const [claimed] = await claimDue(catalog, CLAIM);
      await commitStep(catalog, claimed!, { patch: { step: "release", nextAttemptAtUs: at(86_400) } });
      expect(await claimDue(catalog, { ...CLAIM, steps: ["release"] })).toEqual([]);
      expect(await nextDueAtUs(catalog, ["release"])).toBe(at(86_400));
    });

    it("keeps the fragment index beside the row, and the newest of two", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await insertRow(catalog, 0, { step: "inspect" });
      for (const bytes of [
        [1, 2, 3],
        [0, 255, 10, 13],
      ]) {
        const [claimed] = await claimDue(catalog, { ...CLAIM, steps: ["inspect"] });
        await commitStep(catalog, claimed!, { patch: { step: "inspect" }, fragmentIndex: Uint8Array.from(bytes) });
        expect([...((await findFragmentIndex(catalog, id)) ?? [])]).toEqual(bytes);
      }
      expect(await findFragmentIndex(catalog, "absent" as typeof id)).toBeUndefined();
    });

    it("moves a row in the timeline without making another (its key changes)", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await insertRow(catalog, 0, { step: "inspect" });
      await insertRow(catalog, 7);
      const [claimed] = await claimDue(catalog, { ...CLAIM, steps: ["inspect"] });
      await commitStep(catalog, claimed!, { patch: { startUs: at(7), endUs: at(8), step: null } });
      expect(await read(catalog, id)).toMatchObject({ startUs: at(7), endUs: at(8) });
      expect(await catalog.db("recordings")).toHaveLength(2);
    });

    it("stores nothing of an outcome that breaks a rule of the schema", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await insertRow(catalog, 0, { step: "inspect" });
      const [claimed] = await claimDue(catalog, { ...CLAIM, steps: ["inspect"] });
      const outcome = { patch: { endUs: at(-1), partial: true }, fragmentIndex: Uint8Array.of(1) };
      await expect(commitStep(catalog, claimed!, outcome)).rejects.toMatchObject({ kind: "internal" });
      expect(await read(catalog, id)).toMatchObject({ endUs: at(4), partial: false });
      expect(await findFragmentIndex(catalog, id)).toBeUndefined();
      await commitStep(catalog, claimed!, { patch: { step: null } });
    });
  });

  describe("an owner that lost its lease", () => {
    it("cannot commit after another took the row over (F54)", async () => {
      const target = await dialect.freshTarget();
      const [asleep, taker] = [await openOn(target), await openOn(target)];
      const { id } = await insertRow(asleep, 0, DUE);
      const [stale] = await claimDue(asleep, CLAIM);
      await taker.clock.advance(LEASE_MS);
      const [taken] = await claimDue(taker, CLAIM);
      await expectLost(asleep, stale!);
      await commitStep(taker, taken!, { patch: { archive: "verified", step: null } });
      await expectLost(asleep, stale!);
      expect(await read(taker, id)).toMatchObject({ archive: "verified", error: null, step: null });
      expect(await taker.db("removals")).toEqual([]);
    });

    it("cannot commit what it found in a file that was seen changed since, also when it claimed the row again (F9)", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await recordOne(catalog, segmentFile(0));
      const inspect = { ...CLAIM, steps: ["inspect"] as const };
      const [old] = await claimDue(catalog, inspect);
      await recordOne(catalog, segmentFile(0, { fileIdentity: "1:100:2000:9", bytes: 2_000 }));
      const [fresh] = await claimDue(catalog, inspect);
      await expectLost(catalog, old!);
      await commitStep(catalog, fresh!, { patch: { sha256: "of the new bytes", step: null } });
      expect(await read(catalog, id)).toMatchObject({ sha256: "of the new bytes", bytes: 2_000 });
    });

    it("cannot overrule a deletion that was asked for meanwhile", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await insertRow(catalog, 0, DUE);
      const [working] = await claimDue(catalog, CLAIM);
      await requestDeletion(catalog, id);
      const deletion = { ...CLAIM, steps: ["delete"] as const };
      expect(await claimDue(catalog, deletion)).toEqual([]);
      await expectLost(catalog, working!);
      await giveBack(catalog, working!);
      const [claimed] = await claimDue(catalog, deletion);
      await commitStep(catalog, claimed!, { patch: { local: "deleted", step: null } });
      expect(await read(catalog, id)).toMatchObject({ local: "deleted", step: null });
    });

    it("cannot commit to a row that was marked as missing", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await insertRow(catalog, 0, DUE);
      const [working] = await claimDue(catalog, CLAIM);
      await markMissing(catalog, working!, "the file vanished");
      await expectLost(catalog, working!);
      expect(await read(catalog, id)).toMatchObject({ local: "missing", error: "the file vanished", step: null });
    });
  });

  describe("progress", () => {
    it("is stored with the removal that it announces, and keeps the lease", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await insertRow(catalog, 0, { step: "release", archive: "verified" });
      const [claimed] = await claimDue(catalog, { ...CLAIM, steps: ["release"] });
      await noteProgress(catalog, claimed!, {
        patch: { local: "trashed", step: "unlink" },
        removal: removalOf(claimed!),
      });
      expect(await read(catalog, id)).toMatchObject({ local: "trashed", step: "unlink" });
      const [removal] = await catalog.db<Record<string, unknown>>("removals");
      expect(removal).toMatchObject({ recording_id: id, what: "local", name: "cam1/0.mp4", proof: '{"etag":"x"}' });
      expect(Number(removal?.["at_us"])).toBe(catalog.clock.nowUs());
      expect(await claimDue(catalog, { ...CLAIM, steps: ["unlink"] })).toEqual([]);
      await commitStep(catalog, claimed!, { patch: { local: "released", step: null } });
      expect(await read(catalog, id)).toMatchObject({ local: "released", step: null });
    });

    it("announces nothing when its state cannot be stored", async () => {
      const catalog = await openFresh(dialect);
      await insertRow(catalog, 0, { step: "release" });
      const [claimed] = await claimDue(catalog, { ...CLAIM, steps: ["release"] });
      const removal = { ...removalOf(claimed!), what: "everything" as "local" };
      const patch = { local: "trashed" } as const;
      await expect(noteProgress(catalog, claimed!, { patch, removal })).rejects.toMatchObject({ kind: "internal" });
      expect(await read(catalog, claimed!.id)).toMatchObject({ local: "present" });
    });
  });

  describe("postponing", () => {
    it("puts the row back with its error, one to two seconds later at first", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await insertRow(catalog, 0, DUE);
      const [claimed] = await claimDue(catalog, CLAIM);
      await postponeStep(catalog, claimed!, { error: "e".repeat(5_000) });
      const after = await read(catalog, id);
      const delayUs = after.nextAttemptAtUs - catalog.clock.nowUs();
      expect(delayUs).toBeGreaterThanOrEqual(1_000_000);
      expect(delayUs).toBeLessThanOrEqual(2_000_000);
      expect(after).toMatchObject({ attempts: 1, error: "e".repeat(1_000), step: "archive" });
      await catalog.clock.advance(2_000);
      expect(await claimDue(catalog, CLAIM)).toHaveLength(1);
    });

    it("stores whatever a broken file made a tool say", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await insertRow(catalog, 0, DUE);
      const [claimed] = await claimDue(catalog, CLAIM);
      await postponeStep(catalog, claimed!, { error: "moov\0\ud800 '\"" });
      expect((await read(catalog, id)).error).toMatch(/^moov\ufffd/);
    });

    it("never gives up, and waits 15 minutes at most (F19)", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await insertRow(catalog, 0, { ...DUE, attempts: 1_000_000 });
      const [claimed] = await claimDue(catalog, CLAIM);
      await postponeStep(catalog, claimed!, { error: "refused" });
      const after = await read(catalog, id);
      expect(after.attempts).toBe(1_000_001);
      expect(after.nextAttemptAtUs - catalog.clock.nowUs()).toBeLessThanOrEqual(900_000_000);
      expect(await nextDueAtUs(catalog, ["archive"])).toBe(after.nextAttemptAtUs);
    });

    it("waits as long as the far side asked for (F21)", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await insertRow(catalog, 0, DUE);
      const [claimed] = await claimDue(catalog, CLAIM);
      await postponeStep(catalog, claimed!, { error: "slow down", retryAfterMs: 120_000.4 });
      expect((await read(catalog, id)).nextAttemptAtUs).toBe(at(120.000_4));
    });

    it("waits at least a second when the far side asked for less", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await insertRow(catalog, 0, DUE);
      const [claimed] = await claimDue(catalog, CLAIM);
      await postponeStep(catalog, claimed!, { error: "slow down", retryAfterMs: 1 });
      expect((await read(catalog, id)).nextAttemptAtUs).toBeGreaterThanOrEqual(at(1));
    });
  });

  it("gives a row back untouched, and never one that was claimed anew by the same process", async () => {
    const catalog = await openFresh(dialect);
    await insertRow(catalog, 0, DUE);
    const before: unknown = await catalog.db("recordings").first();
    const [old] = await claimDue(catalog, CLAIM);
    await catalog.clock.advance(LEASE_MS);
    const [fresh] = await claimDue(catalog, CLAIM);
    await giveBack(catalog, old!);
    await expectLost(catalog, old!);
    expect(await claimDue(catalog, CLAIM)).toEqual([]);
    await giveBack(catalog, fresh!);
    expect(await catalog.db("recordings").first()).toEqual(before);
    expect(await claimDue(catalog, CLAIM)).toHaveLength(1);
  });

  it("gives back what a claim holds whose answer was lost, and nothing of another claim (F40)", async () => {
    const catalog = await openFresh(dialect);
    for (const number of [0, 10]) await insertRow(catalog, number, DUE);
    await claimDue(catalog, { ...CLAIM, limit: 1, leaseOwner: "lost" });
    const [heard] = await claimDue(catalog, { ...CLAIM, limit: 1 });
    await releaseClaim(catalog, "lost");
    const again = await claimDue(catalog, CLAIM);
    expect(again.map(({ id }) => id)).not.toContain(heard!.id);
    expect(again).toHaveLength(1);
    await commitStep(catalog, heard!, { patch: { step: null } });
  });

  it("voids the leases of the process before, of its own machine only", async () => {
    const target = await dialect.freshTarget();
    const dead = await openOn(target);
    const elsewhere = await openOn(target, { nodeId: "node-2" });
    await insertRow(dead, 0, DUE);
    await insertRow(elsewhere, 10, DUE);
    await claimDue(dead, CLAIM);
    await claimDue(elsewhere, CLAIM);
    const restarted = await openOn(target);
    expect(await releaseStaleLeases(restarted)).toBe(1);
    expect(await claimDue(restarted, CLAIM)).toHaveLength(1);
    expect(await claimDue(elsewhere, CLAIM)).toEqual([]);
  });

  it("tells when the next row is due", async () => {
    const catalog = await openFresh(dialect);
    expect(await nextDueAtUs(catalog, ["archive", "release"])).toBeNull();
    await insertRow(catalog, 0, { ...DUE, nextAttemptAtUs: at(50) });
    await insertRow(catalog, 10, { step: "release", nextAttemptAtUs: at(40), priority: 10 });
    await insertRow(catalog, 20, { step: "inspect", nextAttemptAtUs: at(1) });
    expect(await nextDueAtUs(catalog, ["archive", "release"])).toBe(at(40));
    expect(await nextDueAtUs(catalog, ["archive"])).toBe(at(50));
  });

  describe("the backlog", () => {
    it("sums what is not yet proven, per step, of its own machine", async () => {
      const target = await dialect.freshTarget();
      const catalog = await openOn(target);
      const other = await openOn(target, { nodeId: "node-2" });
      expect(await summarizeBacklog(catalog)).toEqual([]);
      await insertRow(catalog, 10, { ...DUE, bytes: 5_000_000_000 });
      await insertRow(catalog, 0, { ...DUE, bytes: 7_000_000_000, priority: 10 });
      await insertRow(catalog, 20, { step: "inspect", bytes: 3 });
      await insertRow(catalog, 30, { step: "release", bytes: 100 });
      await insertRow(catalog, 40, { step: null, bytes: 100 });
      await insertRow(other, 50, { ...DUE, bytes: 100 });
      const parts = [...(await summarizeBacklog(catalog))].sort((a, b) => a.step.localeCompare(b.step));
      expect(parts).toEqual([
        { step: "archive", segments: 2, bytes: 12_000_000_000, oldestStartUs: at(0) },
        { step: "inspect", segments: 1, bytes: 3, oldestStartUs: at(20) },
      ]);
    });

    it("counts many waiting segments once a second, few of them each time", async () => {
      const catalog = await openFresh(dialect);
      const count = createBacklogCount(catalog, 2);
      const counted = async (): Promise<number> => (await count()).reduce((sum, part) => sum + part.segments, 0);
      await insertRow(catalog, 0, DUE);
      expect(await counted()).toBe(1);
      await insertRow(catalog, 10, DUE);
      expect(await counted()).toBe(2);
      await insertRow(catalog, 20, DUE);
      expect(await counted()).toBe(2);
      await catalog.clock.advance(1_000);
      expect(await counted()).toBe(3);
    });

    it("lists the ten latest failures of rows that still wait", async () => {
      const catalog = await openFresh(dialect);
      await insertRow(catalog, 900, { step: null, error: "quarantined: garbage" });
      for (let sec = 0; sec < 12; sec += 1) {
        await catalog.clock.advance(1_000);
        await insertRow(catalog, sec * 10, { ...DUE, error: `failure ${sec}`, attempts: sec });
      }
      const errors = await listStepErrors(catalog);
      expect(errors.map(({ error }) => error)).toEqual(
        Array.from({ length: 10 }, (_, index) => `failure ${11 - index}`),
      );
      expect(errors[0]).toMatchObject({
        path: "cam1",
        step: "archive",
        attempts: 11,
        nextAttemptAtUs: row(0).nextAttemptAtUs,
      });
    });
  });
}

/** Neither outcome, progress nor failure of this claim reaches the row. */
async function expectLost(catalog: Catalog, recording: Recording): Promise<void> {
  const lost = { kind: "cancelled" };
  const removal = removalOf(recording);
  await expect(commitStep(catalog, recording, { patch: { archive: "expired" } })).rejects.toMatchObject(lost);
  await expect(noteProgress(catalog, recording, { patch: {}, removal })).rejects.toMatchObject(lost);
  await expect(postponeStep(catalog, recording, { error: "late" })).rejects.toMatchObject(lost);
}

function removalOf(recording: Recording) {
  return {
    recordingId: recording.id,
    what: "local",
    name: recording.filePath,
    fileIdentity: recording.fileIdentity,
    bytes: recording.bytes,
    sha256: "ab",
    reason: "retention",
    proof: '{"etag":"x"}',
  } as const;
}

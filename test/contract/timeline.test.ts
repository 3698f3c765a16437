/** The timeline from rows, on SQLite and on a real PostgreSQL: what is found, why something is missing, and how. */
import fc from "fast-check";
import knex, { type Knex } from "knex";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { DatabaseTarget } from "../../src/catalog/database.js";
import { migrate, MIGRATIONS } from "../../src/catalog/migrate.js";
import { insertPathEvent } from "../../src/catalog/path-events.js";
import type { PathFacts } from "../../src/catalog/path-row.js";
import { deletePath, insertPath, updatePath } from "../../src/catalog/paths.js";
import { type MachineCondition, noteMachineCondition } from "../../src/catalog/recording-conditions.js";
import type { NewRecording } from "../../src/catalog/recordings.js";
import { remember } from "../../src/catalog/remembered.js";
import { findMarks } from "../../src/catalog/timeline-marks.js";
import { COPY_STATES, type CopyState } from "../../src/core/copy-state.js";
import { parsePathName, type PathName } from "../../src/core/path-name.js";
import type { Span } from "../../src/core/span.js";
import type { Mark } from "../../src/core/timeline.js";
import { readCodecs, readCoverage, readDays, readTimeline } from "../../src/playback/timeline.js";
import type { Logger } from "../../src/platform/logger.js";
import { DiskGuard } from "../../src/retention/disk-guard.js";
import { ServerNotes } from "../../src/wiring/server-notes.js";
import { createFakeClock } from "../support/fake-clock.js";
import { SEED, seededPath, seedRows } from "../bench/support/seed-rows.js";
import { at, CAM1, insertRow, STREAM_A } from "./catalog/builders.js";
import { DIALECTS, openFresh, openOn, type TestCatalog } from "./catalog/dialects.js";

/** Of rows as the steps leave them; `ignored` are no recordings. */
const ROWS_OF: Readonly<Record<CopyState | "broken" | "unseen", (startUs: number) => Partial<NewRecording>>> = {
  open: (startUs) => ({ local: "open", step: "settle", endUs: startUs }),
  pending: (startUs) => ({ local: "present", step: "inspect", endUs: startUs }),
  both: () => ({ local: "present", archive: "verified", step: "release" }),
  local: () => ({ local: "present", archive: "none", step: "archive" }),
  archived: () => ({ local: "released", archive: "verified" }),
  expired: () => ({ local: "released", archive: "expired" }),
  deleted: () => ({ local: "deleted", archive: "deleted" }),
  gone: () => ({ local: "missing", archive: "none" }),
  broken: () => ({ local: "quarantined" }),
  unseen: () => ({ local: "missing", archive: "none", fileIdentity: null }),
};

const PATH: PathFacts = {
  ...{ name: CAM1, settings: {}, enabled: true, archive: "all" },
  ...{ localRetention: null, archiveRetention: null, labels: [] },
};

const QUIET = { debug: none, info: none, warn: none, error: none } as unknown as Logger;

interface RowPlan {
  readonly sec: number;
  readonly lengthSec?: number;
  readonly state: keyof typeof ROWS_OF;
  readonly path?: PathName;
}

function add(catalog: TestCatalog, { sec, lengthSec = 4, state, path = CAM1 }: RowPlan) {
  return insertRow(catalog, sec, { path, endUs: at(sec + lengthSec), ...ROWS_OF[state](at(sec)) });
}

/** Spans of cam1 in seconds after the clock's start. */
async function spans(catalog: TestCatalog, fromSec: number, toSec: number): Promise<unknown[]> {
  const found = await readTimeline(catalog, { path: CAM1, fromUs: at(fromSec), toUs: at(toSec) });
  return found.map((span) => [secOf(span.fromUs), secOf(span.toUs), said(span)]);
}

const secOf = (us: number): number => (us - at(0)) / 1e6;
const said = (span: Span): string => (span.kind === "footage" ? span.where : `no: ${span.cause}`);

describe.each(DIALECTS.map((dialect) => [dialect.name, dialect] as const))("the timeline on %s", (_name, dialect) => {
  beforeAll(() => dialect.start());
  afterAll(() => dialect.stop());

  /** The present is 1,000 s after the start. */
  async function openLater(): Promise<TestCatalog> {
    const clock = createFakeClock();
    const catalog = await openOn(await dialect.freshTarget(), { clock });
    await clock.advance(1_000_000);
    return catalog;
  }

  describe("marks", () => {
    it("are the rows at which something changes, for any history and range", async () => {
      const catalog = await openFresh(dialect);
      let run = 0;
      const states = fc.constantFrom(...(Object.keys(ROWS_OF) as (keyof typeof ROWS_OF)[]));
      const part = fc.tuple(fc.constantFrom(0, 0, 0, 3), states);
      const range = fc.tuple(fc.integer({ min: -5, max: 60 }), fc.integer({ min: 1, max: 60 }));
      await fc.assert(
        fc.asyncProperty(
          fc.array(part, { maxLength: 12 }),
          fc.array(range, { minLength: 4 }),
          async (parts, ranges) => {
            const path = parsePathName(`run${String((run += 1))}`);
            let sec = 0;
            for (const [gapSec, state] of parts) {
              await add(catalog, { sec: (sec += gapSec), state, path });
              sec += 4;
            }
            for (const [fromSec, lengthSec] of ranges) {
              const request = { path, fromUs: at(fromSec), toUs: at(fromSec + lengthSec), limit: 1_000 };
              const { marks, last } = await findMarks(catalog, request);
              expect({ marks, last }).toEqual(await marksByReadingAll(catalog, request));
            }
          },
        ),
        { numRuns: 20 },
      );
    });

    it("are found to the last one when there are more than a page of them", async () => {
      const catalog = await openFresh(dialect);
      await insertRow(catalog, 0);
      const columns = (await catalog.db("recordings").first()) as object;
      await catalog.db("recordings").delete();
      const rows = Array.from({ length: 12_000 }, (_, index) => ({
        ...columns,
        id: `r${String(index)}`,
        file_path: `cam1/${String(index)}.mp4`,
        start_us: at(index * 10),
        end_us: at(index * 10 + 10),
        gap_before_us: index % 2 === 0 ? 5 : 0,
        archive: index % 2 === 0 ? "none" : "verified",
      }));
      await catalog.db.batchInsert("recordings", rows, 25);
      const request = { path: CAM1, fromUs: at(0), toUs: at(200_000) };
      const { marks, isCut } = await findMarks(catalog, { ...request, limit: 12_000 });
      expect(isCut).toBe(false);
      expect(marks.map(({ startUs }) => startUs)).toEqual(rows.map(({ start_us }) => start_us));
      expect((await findMarks(catalog, { ...request, limit: 11_998 })).isCut).toBe(true);
      await catalog.clock.advance(200_000_000);
      await expect(readTimeline(catalog, { ...request, toUs: at(200_000) })).resolves.toHaveLength(18_000);
    });
  });

  describe("a span", () => {
    it("tells where footage is", async () => {
      const catalog = await openLater();
      for (const [index, state] of (["archived", "both", "both", "local"] as const).entries()) {
        await add(catalog, { sec: index * 4, state });
      }
      expect(await spans(catalog, 0, 16)).toEqual([
        [0, 4, "archived"],
        [4, 12, "both"],
        [12, 16, "local"],
      ]);
    });

    it("goes on over recordings that MediaMTX numbered, whatever the clock says", async () => {
      const catalog = await openLater();
      for (const [number, sec] of [0, 6, 9].entries()) {
        await insertRow(catalog, sec, { position: { streamId: STREAM_A, segmentNumber: number } });
      }
      expect(await spans(catalog, 0, 13)).toEqual([[0, 13, "local"]]);
    });

    it("of another path is not in it", async () => {
      const catalog = await openLater();
      await add(catalog, { sec: 0, state: "local", path: parsePathName("cam2") });
      await add(catalog, { sec: 0, state: "local", path: parsePathName("cam1/sub") });
      expect(await spans(catalog, 0, 10)).toEqual([[0, 10, "no: unknown"]]);
    });
  });

  describe("a gap", () => {
    /** Footage up to 100 s and from 500 s on; `meanwhile` happens as the seconds pass. */
    async function gapWith(
      meanwhile: (catalog: TestCatalog) => Promise<unknown>,
      afterwards: (catalog: TestCatalog) => Promise<unknown>,
    ): Promise<unknown[]> {
      const catalog = await openOn(await dialect.freshTarget(), { clock: createFakeClock() });
      await insertPath(catalog, PATH);
      await add(catalog, { sec: 0, lengthSec: 100, state: "both" });
      await catalog.clock.advance(100_000);
      await meanwhile(catalog);
      await catalog.clock.advance(200_000);
      await afterwards(catalog);
      await catalog.clock.advance(700_000);
      await add(catalog, { sec: 500, lengthSec: 100, state: "both" });
      return spans(catalog, 0, 600);
    }
    const from100To300 = (cause: string) => [
      [0, 100, "both"],
      [100, 300, `no: ${cause}`],
      [300, 500, "no: unknown"],
      [500, 600, "both"],
    ];
    const event = (kind: "ready" | "not-ready") => (catalog: TestCatalog) =>
      insertPathEvent(catalog, { path: CAM1, kind, atUs: catalog.clock.nowUs(), sourceType: null, sourceId: null });
    const machine = (condition: MachineCondition, holds: boolean) => (catalog: TestCatalog) =>
      noteMachineCondition(catalog, { condition, holds, atUs: catalog.clock.nowUs() });
    const settings = (changes: Partial<PathFacts>) => (catalog: TestCatalog) =>
      updatePath(catalog, { ...PATH, ...changes });

    it("is by a source that was offline", async () => {
      expect(await gapWith(event("not-ready"), event("ready"))).toEqual(from100To300("source-offline"));
    });

    it("is by recording that was off", async () => {
      const found = await gapWith(settings({ settings: { record: false } }), settings({ settings: { record: true } }));
      expect(found).toEqual(from100To300("recording-off"));
    });

    it("is by a path that was disabled", async () => {
      expect(await gapWith(settings({ enabled: false }), settings({}))).toEqual(from100To300("disabled"));
    });

    it("is no longer by a path that was disabled when the path is gone", async () => {
      const remove = (catalog: TestCatalog) => deletePath(catalog, CAM1);
      expect(await gapWith(settings({ enabled: false }), remove)).toEqual(from100To300("disabled"));
    });

    it.each(["server-down", "disk-full"] as const)("is by the machine: %s", async (condition) => {
      const found = await gapWith(machine(condition, true), machine(condition, false));
      expect(found).toEqual(from100To300(condition));
    });

    it("is not by what happened to another machine or another path", async () => {
      const elsewhere = async (catalog: TestCatalog): Promise<void> => {
        await machine("server-down", true)({ ...catalog, nodeId: "node-2" });
        await insertPath(catalog, { ...PATH, name: parsePathName("cam2"), enabled: false });
        const cam2 = { path: parsePathName("cam2"), sourceType: null, sourceId: null };
        await insertPathEvent(catalog, { ...cam2, kind: "not-ready", atUs: catalog.clock.nowUs() });
      };
      expect(await gapWith(elsewhere, () => Promise.resolve())).toEqual([
        [0, 100, "both"],
        [100, 500, "no: unknown"],
        [500, 600, "both"],
      ]);
    });

    it.each([
      ["expired", "expired"],
      ["deleted", "deleted"],
      ["gone", "unknown"],
      ["broken", "unknown"],
      ["unseen", "unknown"],
    ] as const)("is by footage that was there: %s", async (state, cause) => {
      const catalog = await openLater();
      for (const [index, each] of (["both", state, "both"] as const).entries()) {
        await add(catalog, { sec: index * 100, lengthSec: 100, state: each });
      }
      expect(await spans(catalog, 0, 300)).toEqual([
        [0, 100, "both"],
        [100, 200, `no: ${cause}`],
        [200, 300, "both"],
      ]);
    });

    it("is by footage that is not indexed yet, open or closed", async () => {
      const catalog = await openFresh(dialect);
      await add(catalog, { sec: -100, lengthSec: 50, state: "both" });
      await add(catalog, { sec: -50, state: "pending" });
      await add(catalog, { sec: -20, state: "open" });
      await catalog.clock.advance(10_000);
      expect(await spans(catalog, -100, 100)).toEqual([
        [-100, -50, "both"],
        [-50, -20, "no: not-indexed"],
        [-20, 0, "open"],
        [0, 10, "no: not-indexed"],
      ]);
    });
  });

  describe("the notes on the server", () => {
    const conditionsOf = async (catalog: TestCatalog): Promise<unknown[]> => {
      const rows = (await catalog.db("recording_conditions").orderBy(["at_us", "id"])) as Record<string, unknown>[];
      return rows.map(({ at_us: atUs, condition, holds }) => [secOf(Number(atUs)), condition, Boolean(holds)]);
    };
    it("say when it ended and started again, and say nothing twice", async () => {
      const catalog = await openFresh(dialect);
      const notes = new ServerNotes(catalog, QUIET);
      await notes.begin();
      notes.started({ startedAtUs: at(0), adopted: false });
      await notes.settled();
      await catalog.clock.advance(50_000);
      notes.ended();
      notes.ended();
      await notes.settled();
      await catalog.clock.advance(10_000);
      notes.started({ startedAtUs: at(60), adopted: false });
      await notes.settled();
      expect(await conditionsOf(catalog)).toEqual([
        [50, "server-down", true],
        [60, "server-down", false],
      ]);
    });

    it("date an end that nobody saw by the last sign of life", async () => {
      const catalog = await openFresh(dialect);
      await remember(catalog, { latestUs: String(at(10)) });
      await add(catalog, { sec: 8, state: "local" });
      await catalog.clock.advance(500_000);
      const notes = new ServerNotes(catalog, QUIET);
      await notes.begin();
      await remember(catalog, { latestUs: String(at(500)) });
      notes.started({ startedAtUs: at(500), adopted: false });
      await notes.settled();
      expect(await conditionsOf(catalog)).toEqual([
        [12, "server-down", true],
        [500, "server-down", false],
      ]);
    });

    it("do not call one down that outlived us and was adopted", async () => {
      const catalog = await openFresh(dialect);
      await remember(catalog, { latestUs: String(at(10)) });
      await catalog.clock.advance(500_000);
      const notes = new ServerNotes(catalog, QUIET);
      await notes.begin();
      notes.started({ startedAtUs: at(5), adopted: true });
      await notes.settled();
      expect(await conditionsOf(catalog)).toEqual([]);
    });
  });

  it("is told of a full recordings disk when it fills up and when it has room again, also by the next process", async () => {
    const catalog = await openFresh(dialect);
    let usedBytes = 0;
    const guardOf = () =>
      new DiskGuard({
        catalog,
        logger: QUIET,
        disks: [{ name: "recordings", directory: "/recordings" }],
        marks: { warnPercent: 80, highPercent: 101, fullPercent: 95 },
        readSpace: () => Promise.resolve({ usedBytes, availableBytes: 100 - usedBytes }),
        areDeletionsStopped: () => false,
        isArchiveOnSameDisk: () => Promise.resolve(false),
        wake: none,
      });
    const guard = guardOf();
    for (const percent of [10, 90, 96, 99, 98]) {
      usedBytes = percent;
      await guard.check();
      await catalog.clock.advance(10_000);
    }
    usedBytes = 50;
    await guardOf().check();
    const rows = (await catalog.db("recording_conditions").orderBy("at_us")) as Record<string, unknown>[];
    expect(rows.map((row) => [secOf(Number(row["at_us"])), row["condition"], Boolean(row["holds"])])).toEqual([
      [20, "disk-full", true],
      [50, "disk-full", false],
    ]);
  });

  describe("coverage and days", () => {
    it("count footage of each part, once", async () => {
      const catalog = await openLater();
      await add(catalog, { sec: 0, lengthSec: 15, state: "both" });
      await add(catalog, { sec: 15, lengthSec: 5, state: "deleted" });
      await add(catalog, { sec: 40, lengthSec: 10, state: "local" });
      const parts = [0, 10, 20, 30, 40].map((sec) => ({ fromUs: at(sec), toUs: at(sec + 10) }));
      const coverage = await readCoverage(catalog, { path: CAM1, fromUs: at(0), toUs: at(50) }, parts);
      expect(coverage.map(({ footageUs, cause }) => [footageUs / 1e6, cause])).toEqual([
        [10, null],
        [5, "deleted"],
        [0, "unknown"],
        [0, "unknown"],
        [10, null],
      ]);
    });

    it("belong to the day of the zone, also one of 25 hours", async () => {
      const clock = createFakeClock(Date.UTC(2026, 10, 20) * 1_000);
      const catalog = await openOn(await dialect.freshTarget(), { clock });
      const midnightUs = Date.UTC(2026, 9, 24, 22) * 1_000;
      const day = { local: "present", startUs: midnightUs, endUs: midnightUs + 26 * 3_600_000_000 } as const;
      await insertRow(catalog, 0, day);
      const ask = (zone: string) => readDays(catalog, { path: CAM1, month: "2026-10", zone });
      expect(await ask("Europe/Berlin")).toEqual([
        { date: "2026-10-25", footageSec: 25 * 3_600 },
        { date: "2026-10-26", footageSec: 3_600 },
      ]);
      expect(await ask("UTC")).toEqual([
        { date: "2026-10-24", footageSec: 2 * 3_600 },
        { date: "2026-10-25", footageSec: 24 * 3_600 },
      ]);
      expect(await readDays(catalog, { path: CAM1, month: "2026-09", zone: "UTC" })).toEqual([]);
    });
  });

  it("names the codecs of all runs of the range", async () => {
    const catalog = await openLater();
    const video = (codec: string) => {
      const size = { widthPx: 1, heightPx: 1, frameRate: 1 };
      return { tracks: [{ kind: "video" as const, id: 1, codec, timescale: 90_000, ...size }] };
    };
    await insertRow(catalog, 0, video("avc1.42c028"));
    await insertRow(catalog, 4, video("avc1.42c028"));
    await insertRow(catalog, 100, video("hvc1.1.6.L90"));
    const range = { path: CAM1, fromUs: at(2), toUs: at(200) };
    expect(await readCodecs(catalog, range)).toEqual(["avc1.42c028", "hvc1.1.6.L90"]);
    expect(await readCodecs(catalog, { ...range, toUs: at(50) })).toEqual(["avc1.42c028"]);
    expect(await readCodecs(catalog, { ...range, toUs: at(50), path: parsePathName("cam2") })).toEqual([]);
  });

  it("reads a few index entries and not the rows of a month", async () => {
    const catalog = await openFresh(dialect);
    await seedRows(catalog.db, 20_000, none);
    const statements: { sql: string; bindings: readonly unknown[] }[] = [];
    catalog.readDb.on("query", ({ sql, bindings }: (typeof statements)[number]) => {
      if (/\brecordings\b/.test(sql)) statements.push({ sql, bindings });
    });
    const path = parsePathName(seededPath(3));
    const range = { path, fromUs: SEED.startUs - 1, toUs: SEED.startUs + 100 * 60_000_000 };
    await readCodecs(catalog, range);
    await readTimeline(catalog, range);
    const asked = statements.splice(0);
    expect(asked.length).toBeGreaterThan(6);
    for (const { sql, bindings } of asked) {
      const word = dialect.name === "SQLite" ? "explain query plan" : "explain";
      const plan = JSON.stringify(await catalog.db.raw(`${word} ${withValues(sql, bindings)}`));
      // One row by its key, or the nearest one.
      const isOneRow = /["`]start_us["`] = /.test(sql) || (/limit \S+$/.test(sql) && bindings.at(-1) === 1);
      if (!isOneRow) expect(plan, sql).toMatch(/recordings_run_starts|recordings_copy_state/);
      expect(plan, sql).not.toMatch(/SCAN recordings|Seq Scan on recordings/);
    }
  });

  it("knows of paths that were switched off before it was kept when", async () => {
    const target = await dialect.freshTarget();
    const db = connect(target);
    await migrate(db, createFakeClock(), MIGRATIONS.slice(0, 4));
    const facts = { archive: "all", labels: "[]", created_at_us: at(0), updated_at_us: at(10) };
    await db("paths").insert([
      { ...facts, name: "cam1", enabled: false, settings: "{}" },
      { ...facts, name: "cam2", enabled: true, settings: '{"record":false}' },
      { ...facts, name: "cam3", enabled: true, settings: "{}" },
    ]);
    await db.destroy();
    const clock = createFakeClock();
    const catalog = await openOn(target, { clock });
    await clock.advance(1_000_000);
    expect(await spans(catalog, -100, 100)).toEqual([
      [-100, 10, "no: unknown"],
      [10, 100, "no: disabled"],
    ]);
    const rows = (await catalog.db("recording_conditions").orderBy("path")) as Record<string, unknown>[];
    expect(rows.map(({ path, condition }) => [path, condition])).toEqual([
      ["cam1", "disabled"],
      ["cam2", "recording-off"],
    ]);
  });
});

function withValues(sql: string, bindings: readonly unknown[]): string {
  let next = 0;
  return sql.replace(/\?|\$\d+/g, () => {
    const value = bindings[(next += 1) - 1];
    return typeof value === "number" ? String(value) : `'${String(value)}'`;
  });
}

function connect(target: DatabaseTarget): Knex {
  if (target.kind === "postgres") return knex({ client: "pg", connection: target.url });
  return knex({ client: "sqlite3", connection: { filename: target.file }, useNullAsDefault: true });
}

function none(): void {
  // Nobody listens.
}

/** As the rule says it, from every row of the path. */
async function marksByReadingAll(
  catalog: TestCatalog,
  { path, fromUs, toUs }: { readonly path: PathName; readonly fromUs: number; readonly toUs: number },
): Promise<unknown> {
  const all = ((await catalog.db("recordings").where({ path }).orderBy(["start_us", "id"])) as Record<string, never>[])
    .map((row) => ({ mark: markOf(row), endUs: Number(row["end_us"]) }))
    .filter((each): each is { mark: Mark; endUs: number } => each.mark !== undefined);
  const last = all.filter(({ mark }) => mark.startUs < toUs).at(-1);
  const inside = all.filter(
    ({ mark }, index) =>
      mark.startUs > fromUs &&
      mark.startUs < toUs &&
      (mark.gapBeforeUs !== 0 ||
        mark.state !== all[index - 1]?.mark.state ||
        mark.state === "open" ||
        mark.state === "pending"),
  );
  const before = all.filter(({ mark }) => mark.startUs <= fromUs).at(-1);
  const after = all.find(({ mark }) => mark.startUs >= toUs);
  return {
    marks: [before, ...inside, after].flatMap((each) => (each === undefined ? [] : [each.mark])),
    last: last === undefined ? undefined : { endUs: last.endUs, seenAtUs: last.mark.seenAtUs },
  };
}

function markOf(row: Readonly<Record<string, unknown>>): Mark | undefined {
  const state = COPY_STATES.find((candidate) => isIn(candidate, row));
  if (state === undefined) return undefined;
  return {
    startUs: Number(row["start_us"]),
    gapBeforeUs: row["gap_before_us"] === null ? null : Number(row["gap_before_us"]),
    state,
    seenAtUs: Number(row["updated_at_us"]),
  };
}

function isIn(state: CopyState, row: Readonly<Record<string, unknown>>): boolean {
  const expected = ROWS_OF[state](Number(row["start_us"]));
  const isSeen = row["file_identity"] !== null;
  const hasLength = row["end_us"] !== row["start_us"];
  return (
    isSeen &&
    row["local"] === expected.local &&
    (expected.archive ?? "none") === row["archive"] &&
    hasLength === (expected.endUs === undefined)
  );
}

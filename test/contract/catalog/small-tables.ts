import { describe, expect, it } from "vitest";

import { pingCatalog } from "../../../src/catalog/catalog.js";
import { findLastPathEvent, insertPathEvent } from "../../../src/catalog/path-events.js";
import type { PathFacts } from "../../../src/catalog/path-row.js";
import { deletePath, findPath, insertPath, listPaths, updatePath } from "../../../src/catalog/paths.js";
import { forgetRejectedFiles, listRejectedFiles, recordRejectedFile } from "../../../src/catalog/rejected-files.js";
import { parsePathName } from "../../../src/core/path-name.js";
import { at, CAM1, insertRow } from "./builders.js";
import { openFresh, openOn, type TestedDialect } from "./dialects.js";

const FACTS: PathFacts = {
  name: CAM1,
  settings: { record: true, recordSegmentDuration: "4s", source: "rtsp://h/1", nested: { list: [1, "\u00e9", null] } },
  enabled: true,
  archive: "all",
  localRetention: "0s",
  archiveRetention: null,
  labels: ["gate", "\u00fc'\""],
  group: "site \u00e9",
};

export function describeSmallTables(dialect: TestedDialect): void {
  describe("paths", () => {
    it("are added, found, changed and deleted whole", async () => {
      const catalog = await openFresh(dialect);
      const added = await insertPath(catalog, FACTS);
      expect(added).toEqual({ ...FACTS, createdAtUs: at(0), updatedAtUs: at(0) });
      expect(await findPath(catalog, CAM1)).toEqual(added);
      await catalog.clock.advance(1_000);
      const changed: PathFacts = {
        ...FACTS,
        settings: {},
        enabled: false,
        archive: "none",
        localRetention: null,
        labels: [],
        group: null,
      };
      await updatePath(catalog, changed);
      expect(await findPath(catalog, CAM1)).toEqual({ ...changed, createdAtUs: at(0), updatedAtUs: at(1) });
      await deletePath(catalog, CAM1);
      expect(await findPath(catalog, CAM1)).toBeUndefined();
    });

    it("are listed in order of their bytes", async () => {
      const catalog = await openFresh(dialect);
      for (const name of ["b", "a/b", "a", "B", "a-b", "a.b", "a0"]) {
        await insertPath(catalog, { ...FACTS, name: parsePathName(name) });
      }
      expect((await listPaths(catalog)).map(({ name }) => name)).toEqual(["B", "a", "a-b", "a.b", "a/b", "a0", "b"]);
    });

    it("of one name exist once, also when two are added at the same time", async () => {
      const catalog = await openFresh(dialect);
      const results = await Promise.allSettled([1, 2, 3].map(() => insertPath(catalog, FACTS)));
      const refused = results.filter((result) => result.status === "rejected");
      expect(refused.map(({ reason }) => (reason as { kind: string }).kind)).toEqual([
        "already-exists",
        "already-exists",
      ]);
      expect(await listPaths(catalog)).toHaveLength(1);
    });

    it("that do not exist cannot be changed or deleted", async () => {
      const catalog = await openFresh(dialect);
      await expect(updatePath(catalog, FACTS)).rejects.toMatchObject({ kind: "not-found" });
      await expect(deletePath(catalog, CAM1)).rejects.toMatchObject({ kind: "not-found" });
    });

    it("leave their recordings behind when they are deleted (F55)", async () => {
      const catalog = await openFresh(dialect);
      await insertPath(catalog, FACTS);
      await insertRow(catalog, 0);
      await deletePath(catalog, CAM1);
      expect(await catalog.db("recordings")).toHaveLength(1);
    });
  });

  describe("path events", () => {
    it("tell the last one of a path, also of two in one tick of the clock", async () => {
      const catalog = await openFresh(dialect);
      const event = { path: CAM1, atUs: at(5), sourceType: "rtspSession", sourceId: "x" };
      expect(await findLastPathEvent(catalog, CAM1)).toBeUndefined();
      await insertPathEvent(catalog, { ...event, kind: "ready" });
      await insertPathEvent(catalog, { ...event, kind: "not-ready", sourceType: null, sourceId: null });
      await insertPathEvent(catalog, { ...event, kind: "ready", atUs: at(1) });
      await insertPathEvent(catalog, { ...event, kind: "ready", atUs: at(9), path: parsePathName("cam2") });
      expect(await findLastPathEvent(catalog, CAM1)).toEqual({
        ...{ path: CAM1, kind: "not-ready", atUs: at(5) },
        ...{ sourceType: null, sourceId: null },
      });
    });
  });

  describe("rejected files", () => {
    it("are told once, and again for another reason", async () => {
      const catalog = await openFresh(dialect);
      const file = { filePath: "cam1/\\xff \n'.mp4", reason: "a symbolic link", bytes: 3 };
      expect(await recordRejectedFile(catalog, file)).toBe(true);
      await catalog.clock.advance(1_000);
      expect(await recordRejectedFile(catalog, { ...file, bytes: 4 })).toBe(false);
      expect(await listRejectedFiles(catalog, 9)).toEqual([
        { ...file, bytes: 4, firstSeenAtUs: at(0), lastSeenAtUs: at(1) },
      ]);
      expect(await recordRejectedFile(catalog, { ...file, reason: "a directory" })).toBe(true);
      expect(await listRejectedFiles(catalog, 9)).toMatchObject([{ reason: "a directory" }]);
    });

    it("are forgotten when a scan has not seen them, per machine", async () => {
      const target = await dialect.freshTarget();
      const catalog = await openOn(target);
      const other = await openOn(target, { nodeId: "node-2" });
      const file = { reason: "r", bytes: 0 };
      await recordRejectedFile(other, { ...file, filePath: "a" });
      await recordRejectedFile(catalog, { ...file, filePath: "a" });
      await catalog.clock.advance(10);
      const scanStartedAtUs = catalog.clock.nowUs();
      await recordRejectedFile(catalog, { ...file, filePath: "b" });
      expect(await forgetRejectedFiles(catalog, scanStartedAtUs)).toBe(1);
      expect((await listRejectedFiles(catalog, 9)).map(({ filePath }) => filePath)).toEqual(["b"]);
      expect(await listRejectedFiles(other, 9)).toHaveLength(1);
    });

    it("are listed up to a limit", async () => {
      const catalog = await openFresh(dialect);
      for (const filePath of ["c", "a", "b"]) await recordRejectedFile(catalog, { filePath, reason: "r", bytes: 0 });
      expect((await listRejectedFiles(catalog, 2)).map(({ filePath }) => filePath)).toEqual(["a", "b"]);
    });
  });

  it("answers a ping", async () => {
    await expect(pingCatalog(await openFresh(dialect))).resolves.toBeUndefined();
  });
}

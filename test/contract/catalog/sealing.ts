import { readFile } from "node:fs/promises";

import { describe, expect, it } from "vitest";

import { REELKEEPER } from "../../../src/catalog/audit.js";
import type { Catalog } from "../../../src/catalog/catalog.js";
import { listConfigVersions, VERSION_CONTEXT } from "../../../src/catalog/config-history.js";
import type { PathFacts } from "../../../src/catalog/path-row.js";
import { findPath, insertPath, listPaths, replacePaths, updatePath, writePaths } from "../../../src/catalog/paths.js";
import { eraseTraces, holdsSealed, resealRows, sealRows } from "../../../src/catalog/seal-rows.js";
import type { Sealing } from "../../../src/catalog/sealing.js";
import { parsePathName } from "../../../src/core/path-name.js";
import { createSecretBox, type SecretKeys, UnreadableSecret } from "../../../src/platform/secret-box.js";
import { SEALING } from "../../support/sealing.js";
import { openFresh, openOn, type TestedDialect } from "./dialects.js";

const SECRET = "canary-hunter2";
const OLD_KEY = Buffer.alloc(32, 1);
const NEW_KEY = Buffer.alloc(32, 2);

const path = (name: string, source = `rtsp://admin:${SECRET}@${name}/1`): PathFacts => ({
  ...{ name: parsePathName(name), settings: { source, record: true }, enabled: true, archive: "all", labels: [] },
  ...{ localRetention: null, archiveRetention: null, group: null },
});

/** Keys as a file has them: what is changed there is found when it is needed. */
function sealingOf(file: { keys: SecretKeys }): Sealing {
  return { ...SEALING, box: createSecretBox(() => file.keys) };
}

const changeIn = ({ sealing: { box } }: Catalog) => ({
  ...({ actor: REELKEEPER, reason: "edit", action: "path.update", summary: "a change" } as const),
  seal: () => Promise.resolve({ sealed: box.seal(SECRET, VERSION_CONTEXT), sha256: "00" }),
});

async function stored(catalog: Catalog): Promise<string> {
  const tables = ["paths", "config_versions", "sealing", "audit"];
  return JSON.stringify(await Promise.all(tables.map((table) => catalog.db(table))));
}

/** As a release before this one left it. */
async function storePlain(catalog: Catalog, name: string): Promise<void> {
  await insertPath(catalog, path(name));
  const { settings } = path(name);
  await catalog
    .db("paths")
    .where({ name })
    .update({ settings: JSON.stringify(settings), secrets: null });
}

export function describeSealing(dialect: TestedDialect): void {
  describe("secrets of paths", () => {
    it("are found again, and are not in any row", async () => {
      const catalog = await openFresh(dialect);
      await insertPath(catalog, path("cam1"), changeIn(catalog));
      await insertPath(catalog, path("cam2", "publisher"));
      expect(await stored(catalog)).not.toContain(SECRET);
      expect(await findPath(catalog, parsePathName("cam1"))).toMatchObject(path("cam1"));
      const rows = await catalog
        .db<{ name: string; secrets: string | null }>("paths")
        .orderBy("name")
        .select("secrets");
      expect(rows.map(({ secrets }) => secrets !== null)).toEqual([true, false]);
    });

    it("do not get in the way of those who compare before they write", async () => {
      const catalog = await openFresh(dialect);
      const before = await insertPath(catalog, path("cam1"));
      const after = path("cam1", `rtsp://admin:${SECRET}-2@cam1/1`);
      expect(await updatePath(catalog, after, { before })).toBe(true);
      expect(await updatePath(catalog, path("cam1"), { before })).toBe(false);
      const now = await findPath(catalog, parsePathName("cam1"));
      expect(now).toMatchObject(after);
      const how = { notes: [], change: changeIn(catalog) };
      await expect(
        writePaths(catalog, { created: [], changed: [{ before, after }], removed: [] }, how),
      ).rejects.toMatchObject({ kind: "unavailable" });
      await writePaths(catalog, { created: [path("cam3")], changed: [], removed: [now!] }, how);
      await replacePaths(catalog, [path("cam1"), path("cam3")], changeIn(catalog));
      expect((await listPaths(catalog)).map(({ settings }) => settings)).toEqual(
        ["cam1", "cam3"].map((name) => path(name).settings),
      );
      expect(await stored(catalog)).not.toContain(SECRET);
    });

    it("do not open in another path's row", async () => {
      const catalog = await openFresh(dialect);
      await insertPath(catalog, path("cam1"));
      await insertPath(catalog, path("cam2"));
      const paths = () => catalog.db<{ name: string; secrets: string }>("paths");
      const [row] = await paths().where({ name: "cam1" }).select("secrets");
      await paths().where({ name: "cam2" }).update(row!);
      await expect(findPath(catalog, parsePathName("cam2"))).rejects.toBeInstanceOf(UnreadableSecret);
    });
  });

  describe("a start", () => {
    it("seals what is there in plain, once, and erases what is left of it", async () => {
      const target = await dialect.freshTarget();
      const catalog = await openOn(target);
      expect(await holdsSealed(catalog)).toBe(false);
      await storePlain(catalog, "cam1");
      await storePlain(catalog, "cam2");
      expect(await sealRows(catalog)).toBe(2);
      await eraseTraces(catalog);
      expect(await sealRows(catalog)).toBe(0);
      expect(await holdsSealed(catalog)).toBe(true);
      expect(await findPath(catalog, parsePathName("cam1"))).toMatchObject(path("cam1"));
      expect(await stored(catalog)).not.toContain(SECRET);
      expect(await catalog.db("sealing").select("traces")).toEqual([{ traces: 0 }]);
      if (target.kind !== "sqlite") return;
      for (const file of [target.file, `${target.file}-wal`]) {
        expect((await readFile(file)).includes(SECRET)).toBe(false);
      }
    });

    it("with another key changes nothing", async () => {
      const target = await dialect.freshTarget();
      const catalog = await openOn(target, { sealing: sealingOf({ keys: [OLD_KEY] }) });
      await sealRows(catalog);
      await storePlain(catalog, "cam1");
      const before = await stored(catalog);
      const other = await openOn(target, { sealing: sealingOf({ keys: [NEW_KEY] }) });
      await expect(sealRows(other)).rejects.toBeInstanceOf(UnreadableSecret);
      await expect(insertPath(other, path("cam2"))).rejects.toBeInstanceOf(UnreadableSecret);
      expect(await stored(catalog)).toBe(before);
    });

    it("knows the key of a history that an older release sealed", async () => {
      const target = await dialect.freshTarget();
      const catalog = await openOn(target, { sealing: sealingOf({ keys: [OLD_KEY] }) });
      await insertPath(catalog, path("cam1"), changeIn(catalog));
      expect(await holdsSealed(catalog)).toBe(true);
      const other = await openOn(target, { sealing: sealingOf({ keys: [NEW_KEY] }) });
      await expect(sealRows(other)).rejects.toBeInstanceOf(UnreadableSecret);
      expect(await sealRows(catalog)).toBe(0);
    });
  });

  describe("a rotation", () => {
    it("seals everything anew, so that the old key opens nothing any more", async () => {
      const target = await dialect.freshTarget();
      const catalog = await openOn(target, { sealing: sealingOf({ keys: [OLD_KEY] }) });
      await sealRows(catalog);
      for (const name of ["cam1", "cam2"]) await insertPath(catalog, path(name), changeIn(catalog));
      const rotating = await openOn(target, { sealing: sealingOf({ keys: [NEW_KEY, OLD_KEY] }) });
      expect(await resealRows(rotating, createSecretBox([NEW_KEY]), REELKEEPER)).toEqual({ paths: 2, versions: 2 });
      const after = await openOn(target, { sealing: sealingOf({ keys: [NEW_KEY] }) });
      expect(await listPaths(after)).toMatchObject([path("cam1"), path("cam2")]);
      for (const { sealed } of await listConfigVersions(after, { limit: 9 })) {
        expect(after.sealing.box.open(sealed, VERSION_CONTEXT)).toBe(SECRET);
      }
      expect(await sealRows(after)).toBe(0);
      await expect(listPaths(catalog)).rejects.toBeInstanceOf(UnreadableSecret);
      expect(await catalog.db("audit").where({ action: "secrets.rotate" })).toHaveLength(1);
    });

    it("is followed by who runs meanwhile, who seals nothing with the old key any more", async () => {
      const target = await dialect.freshTarget();
      const file: { keys: SecretKeys } = { keys: [OLD_KEY] };
      const running = await openOn(target, { sealing: sealingOf(file) });
      await sealRows(running);
      await insertPath(running, path("cam1"));
      file.keys = [NEW_KEY, OLD_KEY];
      // This one too has read the old key before.
      await resealRows(running, createSecretBox([NEW_KEY]), REELKEEPER);
      file.keys = [NEW_KEY];
      expect(await findPath(running, parsePathName("cam1"))).toMatchObject(path("cam1"));
      await insertPath(running, path("cam2"), changeIn(running));
      const after = await openOn(target, { sealing: sealingOf(file) });
      expect(await listPaths(after)).toMatchObject([path("cam1"), path("cam2")]);
    });
  });
}

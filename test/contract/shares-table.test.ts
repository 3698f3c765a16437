/** Shares, and lists that are cut to what is open, on SQLite and on a real PostgreSQL. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { insertExport, listExports } from "../../src/catalog/exports.js";
import { listRecordedPaths } from "../../src/catalog/latest-recordings.js";
import { insertPath, listPaths } from "../../src/catalog/paths.js";
import { listRecordings } from "../../src/catalog/recording-lists.js";
import {
  findShare,
  findShareByToken,
  insertShare,
  isOpenShare,
  listShares,
  noteShareOpened,
  revokeShare,
} from "../../src/catalog/shares.js";
import { type PathName, parsePathName } from "../../src/core/path-name.js";
import { parsePathPattern } from "../../src/core/path-pattern.js";
import type { PathScopes } from "../../src/core/principal.js";
import { opensPath } from "../../src/access/policy.js";
import { at, CAM1, insertRow } from "./catalog/builders.js";
import { DIALECTS, openFresh } from "./catalog/dialects.js";

const ANNA = { kind: "user", id: "u1", name: "anna", address: "10.0.0.7" } as const;
const NEW = { path: CAM1, fromUs: at(0), toUs: at(60), label: "gate", expiresAtUs: at(3_600), tokenHash: "hash" };

describe.each(DIALECTS.map((dialect) => [dialect.name, dialect] as const))("shares on %s", (_name, dialect) => {
  beforeAll(() => dialect.start());
  afterAll(() => dialect.stop());

  it("are found by id and by the hash of their token, as they were made", async () => {
    const catalog = await openFresh(dialect);
    const made = await insertShare(catalog, NEW, ANNA);
    expect(made).toMatchObject({ createdBy: "anna", opened: 0, revokedAtUs: null, createdAtUs: at(0) });
    expect(await findShare(catalog, made.id)).toEqual(made);
    expect(await findShareByToken(catalog, "hash")).toEqual(made);
    expect(await findShareByToken(catalog, "Hash")).toBeUndefined();
    await expect(insertShare(catalog, NEW, ANNA)).rejects.toThrow();
  });

  it("are counted, are over at their time, and stay revoked since the first time", async () => {
    const catalog = await openFresh(dialect);
    const made = await insertShare(catalog, NEW, ANNA);
    await catalog.clock.advance(1_000);
    for (let times = 0; times < 3; times += 1) await noteShareOpened(catalog, made, { ...ANNA, kind: "share" });
    expect(await findShare(catalog, made.id)).toEqual({ ...made, opened: 3, lastOpenedAtUs: at(1) });
    expect(isOpenShare(made, at(3_600) - 1)).toBe(true);
    expect(isOpenShare(made, at(3_600))).toBe(false);
    const revoked = await revokeShare(catalog, made.id, ANNA);
    expect(isOpenShare(revoked, at(1))).toBe(false);
    await catalog.clock.advance(1_000);
    expect(await revokeShare(catalog, made.id, ANNA)).toEqual(revoked);
    await expect(revokeShare(catalog, "nobody", ANNA)).rejects.toMatchObject({ kind: "not-found" });
    const notes = (await catalog.db("audit").orderBy("id")) as { action: string; address: string }[];
    const actions = notes.map(({ action }) => action);
    expect(actions).toEqual(["share.create", ...Array<string>(3).fill("share.open"), "share.revoke"]);
    expect(notes[0]?.address).toBe("10.0.0.7");
  });

  it("and all other lists hold what the policy opens, and nothing else", async () => {
    const catalog = await openFresh(dialect);
    const names = ["cam1", "cam10", "site", "site/a", "site/a/b", "site-a/c", "Site/a", "site0", "z"].map((name) =>
      parsePathName(name),
    );
    for (const [index, path] of names.entries()) {
      await insertRow(catalog, index * 10, { path });
      await insertShare(catalog, { ...NEW, path, tokenHash: path }, ANNA);
      await insertExport(catalog, { path, fromUs: 0, toUs: 1, format: "mp4", gaps: "keep", keepUs: 1 });
      const more = { localRetention: null, archiveRetention: null, labels: [], settings: {} };
      await insertPath(catalog, { name: path, enabled: true, archive: "all", ...more });
    }
    for (const texts of [[], [[]], [["*"]], [["site/*"]], [["cam1", "site/*"], ["*"]], [["site/*"], ["site/a"]]]) {
      const scopes: PathScopes = texts.map((patterns) => patterns.map((text) => parsePathPattern(text)));
      const expected = names.filter((name) => opensPath(scopes, name)).sort();
      const sorted = (items: readonly { readonly path: PathName }[]) => items.map(({ path }) => path).sort();
      expect(sorted(await listShares(catalog, scopes))).toEqual(expected);
      expect(sorted(await listExports(catalog, scopes))).toEqual(expected);
      expect((await listPaths(catalog, scopes)).map(({ name }) => name)).toEqual(expected);
      expect(await listRecordedPaths(catalog, scopes)).toEqual(expected);
    }
    const all = [...names, ...Array.from({ length: 150 }, (_, index) => parsePathName(`none${index}`))];
    const page = await listRecordings(catalog, { paths: all.slice(1) }, { order: "oldest", limit: 100 });
    expect(page.items.map(({ path }) => path)).toEqual(names.slice(1));
  });
});

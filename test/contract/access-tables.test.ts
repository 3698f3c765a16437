/** Users, sessions, API tokens, the audit log and the history of the configuration, on SQLite and on a real PostgreSQL. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { findLiveToken, insertApiToken, listApiTokens, revokeApiToken } from "../../src/catalog/api-tokens.js";
import { type Actor, listAudit, noteAudit } from "../../src/catalog/audit.js";
import type { Catalog } from "../../src/catalog/catalog.js";
import { type ConfigChange, getConfigVersion, listConfigVersions } from "../../src/catalog/config-history.js";
import type { PathFacts, PathRow } from "../../src/catalog/path-row.js";
import {
  deletePath,
  findPath,
  insertPath,
  listPaths,
  noteConfigNow,
  replacePaths,
  updatePath,
} from "../../src/catalog/paths.js";
import {
  findLiveSession,
  insertSession,
  listSessions,
  revokeSession,
  rotateSession,
} from "../../src/catalog/sessions.js";
import { deleteUser, findUser, hasUsers, insertUser, listUsers, updateUser } from "../../src/catalog/users.js";
import { parsePathName } from "../../src/core/path-name.js";
import { parsePathPattern } from "../../src/core/path-pattern.js";
import { at } from "./catalog/builders.js";
import { DIALECTS, openFresh, openOn } from "./catalog/dialects.js";

const ROOT: Actor = { kind: "user", id: "u0", name: "root", address: "10.0.0.7" };
const HOUR_SEC = 3_600;
const patterns = (...texts: string[]) => texts.map((text) => parsePathPattern(text));
const newUser = (name: string, role: "admin" | "viewer" = "viewer", paths: readonly string[] = []) => ({
  ...{ name, role, paths: patterns(...paths), passwordHash: `hash of ${name}` },
});
const newSession = (userId: string, refreshHash: string) => ({
  ...{ userId, refreshHash, expiresAtUs: at(HOUR_SEC), address: "10.0.0.8", userAgent: "a browser" },
});
const ids = (items: readonly { readonly id: string }[]): string[] => items.map(({ id }) => id).sort();
const actionsOf = async (catalog: Catalog) =>
  (await listAudit(catalog, {}, { limit: 100 })).map(({ action, target }) => `${action} ${target}`).reverse();

describe.each(DIALECTS.map((dialect) => [dialect.name, dialect] as const))("on %s", (_name, dialect) => {
  beforeAll(() => dialect.start());
  afterAll(() => dialect.stop());

  describe("users", () => {
    it("are found as they were made, by id and by name", async () => {
      const catalog = await openFresh(dialect);
      expect(await hasUsers(catalog)).toBe(false);
      const anna = await insertUser(catalog, newUser("anna", "viewer", ["site/*", "cam1", "cam1"]), ROOT);
      const bert = await insertUser(catalog, { ...newUser("Bert", "admin"), passwordHash: null }, ROOT);
      expect(anna).toEqual({
        ...{ id: anna.id, name: "anna", role: "viewer", paths: ["cam1", "site/*"], disabled: false },
        ...{ passwordHash: "hash of anna", oidcIdentity: null, createdAtUs: at(0), lastLoginAtUs: null },
      });
      expect(await findUser(catalog, { id: anna.id })).toEqual(anna);
      expect(await findUser(catalog, { name: "anna" })).toEqual(anna);
      expect(await findUser(catalog, { name: "Anna" })).toBeUndefined();
      expect(await listUsers(catalog)).toEqual([bert, anna]);
      expect(await hasUsers(catalog)).toBe(true);
      expect(await actionsOf(catalog)).toEqual(["user.create user:anna", "user.create user:Bert"]);
    });

    it("of one name exist once, also when two are added at the same time", async () => {
      const catalog = await openFresh(dialect);
      const results = await Promise.allSettled([1, 2, 3].map(() => insertUser(catalog, newUser("anna"), ROOT)));
      const refused = results.filter((result) => result.status === "rejected");
      expect(refused.map(({ reason }) => (reason as { kind: string }).kind)).toEqual(Array(2).fill("already-exists"));
      expect(await actionsOf(catalog)).toHaveLength(1);
    });

    it("change as a whole, and lose their sessions with a ban or a new password", async () => {
      const catalog = await openFresh(dialect);
      await insertUser(catalog, newUser("root", "admin"), ROOT);
      const { id } = await insertUser(catalog, newUser("anna", "viewer", ["cam1"]), ROOT);
      const [kept, other] = [
        await insertSession(catalog, newSession(id, "kept")),
        await insertSession(catalog, newSession(id, "other")),
      ];
      const patch = { role: "operator", paths: patterns("*"), passwordHash: "new" } as const;
      const changed = await updateUser(catalog, { id, patch, keepSession: kept.id }, ROOT);
      expect(changed).toMatchObject({ role: "operator", paths: ["*"], passwordHash: "new", disabled: false });
      expect(ids(await listSessions(catalog, id))).toEqual([kept.id]);
      expect(await findLiveSession(catalog, other.id)).toBeUndefined();
      await updateUser(catalog, { id, patch: { disabled: true } }, ROOT);
      expect(await listSessions(catalog, id)).toEqual([]);
      const [note] = await listAudit(catalog, { action: "user.update" }, { limit: 1 });
      expect([note?.before, note?.after]).toMatchObject([{ disabled: false }, { disabled: true }]);
      const nobody = { id: "nobody", patch: { disabled: true } };
      await expect(updateUser(catalog, nobody, ROOT)).rejects.toMatchObject({ kind: "not-found" });
    });

    it("always leave one admin, also when two remove each other at the same time", async () => {
      const target = await dialect.freshTarget();
      for (let round = 0; round < 5; round += 1) {
        const catalog = await openOn(target);
        const anna = await insertUser(catalog, newUser(`anna${String(round)}`, "admin"), ROOT);
        const bert = await insertUser(catalog, newUser(`bert${String(round)}`, "admin"), ROOT);
        const others = (await listUsers(catalog)).filter(({ id }) => ![anna.id, bert.id].includes(id));
        for (const { id } of others) await deleteUser(catalog, id, ROOT);
        const rival = await openOn(target);
        const results = await Promise.allSettled([
          updateUser(catalog, { id: anna.id, patch: { disabled: true } }, ROOT),
          round % 2 === 0
            ? updateUser(rival, { id: bert.id, patch: { role: "viewer" } }, ROOT)
            : deleteUser(rival, bert.id, ROOT),
        ]);
        expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
        const admins = (await listUsers(catalog)).filter(({ role, disabled }) => role === "admin" && !disabled);
        expect(admins).toHaveLength(1);
      }
    });

    it("go with their sessions, tokens and grants", async () => {
      const catalog = await openFresh(dialect);
      await insertUser(catalog, newUser("root", "admin"), ROOT);
      const { id } = await insertUser(catalog, newUser("anna", "viewer", ["cam1"]), ROOT);
      await insertSession(catalog, newSession(id, "hash"));
      const token = { userId: id, name: "script", role: "viewer", paths: patterns("cam1"), expiresAtUs: null } as const;
      await insertApiToken(catalog, { ...token, tokenHash: "token" }, ROOT);
      await deleteUser(catalog, id, ROOT);
      for (const table of ["sessions", "api_tokens", "user_grants"]) expect(await catalog.db(table)).toEqual([]);
      await expect(deleteUser(catalog, id, ROOT)).rejects.toMatchObject({ kind: "not-found" });
    });
  });

  describe("sessions", () => {
    it("are live until they are over or revoked, and those that are over go", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await insertUser(catalog, newUser("anna"), ROOT);
      const [first, second] = [
        await insertSession(catalog, newSession(id, "1")),
        await insertSession(catalog, newSession(id, "2")),
      ];
      expect(await findLiveSession(catalog, first.id)).toEqual(first);
      expect((await findUser(catalog, { id }))?.lastLoginAtUs).toBe(at(0));
      await revokeSession(catalog, first.id);
      expect(ids(await listSessions(catalog, null))).toEqual([second.id]);
      await catalog.clock.advance(HOUR_SEC * 1_000);
      expect(await findLiveSession(catalog, second.id)).toBeUndefined();
      await insertSession(catalog, { ...newSession(id, "3"), expiresAtUs: at(2 * HOUR_SEC) });
      await catalog.clock.advance(1);
      await insertSession(catalog, { ...newSession(id, "4"), expiresAtUs: at(2 * HOUR_SEC) });
      expect(await catalog.db("sessions")).toHaveLength(2);
    });

    it("are renewed once by each token, and end when a used one comes again", async () => {
      const catalog = await openFresh(dialect);
      const { id } = await insertUser(catalog, newUser("anna"), ROOT);
      const session = await insertSession(catalog, newSession(id, "first"));
      const renew = (hash: string, newHash: string) =>
        rotateSession(catalog, { hash, newHash, expiresAtUs: at(2 * HOUR_SEC) });
      expect(await renew("unknown", "x")).toEqual({ kind: "unknown" });
      expect(await renew("first", "second")).toMatchObject({ kind: "rotated", session: { id: session.id } });
      expect(await renew("first", "third")).toMatchObject({ kind: "just-rotated" });
      expect((await findLiveSession(catalog, session.id))?.expiresAtUs).toBe(at(2 * HOUR_SEC));
      await catalog.clock.advance(21_000);
      expect(await renew("first", "third")).toMatchObject({ kind: "reused" });
      expect(await renew("second", "third")).toEqual({ kind: "unknown" });
    });

    it("are renewed by one of two that come with the same token at the same time", async () => {
      const target = await dialect.freshTarget();
      const [here, there] = [await openOn(target), await openOn(target)];
      const { id } = await insertUser(here, newUser("anna"), ROOT);
      for (let round = 0; round < 10; round += 1) {
        const hash = `hash ${String(round)}`;
        await insertSession(here, newSession(id, hash));
        const renew = (catalog: Catalog, newHash: string) =>
          rotateSession(catalog, { hash, newHash: `${hash} ${newHash}`, expiresAtUs: at(HOUR_SEC) });
        const kinds = (await Promise.all([renew(here, "a"), renew(there, "b")])).map(({ kind }) => kind);
        expect(kinds.sort()).toEqual(["just-rotated", "rotated"]);
      }
    });
  });

  describe("API tokens", () => {
    it("are found while they live, by hash and by id, and tell their last use to the minute", async () => {
      const catalog = await openFresh(dialect);
      const [anna, bert] = [
        await insertUser(catalog, newUser("anna"), ROOT),
        await insertUser(catalog, newUser("bert"), ROOT),
      ];
      const facts = { userId: anna.id, name: "script ü", role: "viewer", paths: patterns("cam1", "*") } as const;
      const made = await insertApiToken(catalog, { ...facts, expiresAtUs: at(HOUR_SEC), tokenHash: "a" }, ROOT);
      expect(made).toMatchObject({ ...facts, lastUsedAtUs: null, revokedAtUs: null, createdAtUs: at(0) });
      expect(await findLiveToken(catalog, { token_hash: "a" })).toMatchObject({ id: made.id });
      await catalog.clock.advance(30_000);
      await findLiveToken(catalog, { id: made.id });
      expect((await listApiTokens(catalog, anna.id)).map(({ lastUsedAtUs }) => lastUsedAtUs)).toEqual([at(0)]);
      await catalog.clock.advance(31_000);
      await findLiveToken(catalog, { id: made.id });
      expect((await listApiTokens(catalog, null)).map(({ lastUsedAtUs }) => lastUsedAtUs)).toEqual([at(61)]);
      expect(await listApiTokens(catalog, bert.id)).toEqual([]);
      const ofBert = { id: made.id, userId: bert.id };
      await expect(revokeApiToken(catalog, ofBert, ROOT)).rejects.toMatchObject({ kind: "not-found" });
      await revokeApiToken(catalog, { id: made.id, userId: null }, ROOT);
      await revokeApiToken(catalog, { id: made.id, userId: anna.id }, ROOT);
      expect(await findLiveToken(catalog, { token_hash: "a" })).toBeUndefined();
      const token = await insertApiToken(catalog, { ...facts, expiresAtUs: at(HOUR_SEC), tokenHash: "b" }, ROOT);
      await catalog.clock.advance(HOUR_SEC * 1_000);
      expect(await findLiveToken(catalog, { id: token.id })).toBeUndefined();
      expect((await actionsOf(catalog)).filter((action) => action.startsWith("token.revoke"))).toHaveLength(1);
    });
  });

  describe("the audit log", () => {
    it("finds by actor, action, noun, target and time, a page at a time, the newest first", async () => {
      const catalog = await openFresh(dialect);
      const bert: Actor = { ...ROOT, id: "u1", name: "bert", address: null };
      for (const [sec, actor, action, target] of [
        [0, ROOT, "path.create", "cam1"],
        [1, ROOT, "path.update", "cam1"],
        [2, bert, "path.update", "cam10"],
        [3, bert, "pathology.note", "cam1"],
        [4, bert, "clip.download", "cam1"],
      ] as const) {
        await catalog.clock.advance(sec === 0 ? 0 : 1_000);
        await noteAudit(catalog, { actor, action, target, after: { sec, password: "hunter2" } });
      }
      const found = async (filter: Parameters<typeof listAudit>[1], page = {}) =>
        (await listAudit(catalog, filter, { limit: 9, ...page })).map(({ after }) => (after as { sec: number }).sec);
      expect(await found({})).toEqual([4, 3, 2, 1, 0]);
      expect(await found({ actor: "bert" })).toEqual([4, 3, 2]);
      expect(await found({ action: "path" })).toEqual([2, 1, 0]);
      expect(await found({ action: "path.update", target: "cam1" })).toEqual([1]);
      expect(await found({ fromUs: at(1), toUs: at(3) })).toEqual([2, 1]);
      const [newest] = await listAudit(catalog, {}, { limit: 1 });
      expect(newest).toMatchObject({ atUs: at(4), actor: { name: "bert", address: null }, before: null });
      expect(newest?.after).toEqual({ sec: 4, password: "***" });
      expect(await found({}, { limit: 2, before: newest?.id })).toEqual([3, 2]);
    });

    it("finds parts of who, action, target and values, whatever their case, and takes no wildcard for one", async () => {
      const catalog = await openFresh(dialect);
      const notes = [
        [{ ...ROOT, name: "Jörg Ärmel" }, "path.update", "site-a/Gate", { source: "rtsp://10.0.0.9/%path" }, null],
        [ROOT, "user.create", "user:anna_b", null, { label: 'the "old" [door]*' }],
        [{ ...ROOT, address: "2001:db8::7" }, "clip.download", "c:\\cam?", null, { note: "a.b" }],
      ] as const;
      for (const [actor, action, target, before, after] of notes) {
        await noteAudit(catalog, { actor, action, target, before, after });
      }
      const found = async (search: string, more = {}) =>
        (await listAudit(catalog, { search, ...more }, { limit: 9 })).map(({ action }) => action);
      for (const [search, action] of [
        ...["ärm", "JÖRG äRMEL", "TE-A/gA", "h.upd", "10.0.0.9", "%PATH"].map((text) => [text, "path.update"] as const),
        ...["NNA_B", 'The "OLD"', "[door]*", "r:"].map((text) => [text, "user.create"] as const),
        ...["Cam?", "c:\\c", "DB8::", "A.B"].map((text) => [text, "clip.download"] as const),
      ] as const) {
        expect(await found(search), search).toEqual([action]);
      }
      for (const search of ["nna%b", "nnaxb", "s_te", "cam.", "axb", "[d]oor", "door]?", "*", "^", "\0"]) {
        expect(await found(search), search).toEqual(search === "*" ? ["user.create"] : []);
      }
      expect(await found("root", { action: "clip" })).toEqual(["clip.download"]);
      expect(await found("o")).toEqual(["clip.download", "user.create", "path.update"]);
      const [newest] = await listAudit(catalog, {}, { limit: 1 });
      const page = await listAudit(catalog, { search: "a" }, { limit: 1, before: newest?.id });
      expect(page.map(({ action }) => action)).toEqual(["user.create"]);
    });

    it("keeps what PostgreSQL could not store as it is", async () => {
      const catalog = await openFresh(dialect);
      await noteAudit(catalog, { actor: { ...ROOT, name: "a\0b\ud800" }, action: "x.y", target: "\0", after: "\0" });
      expect(await listAudit(catalog, { action: "x" }, { limit: 1 })).toHaveLength(1);
    });
  });

  describe("the history of the configuration", () => {
    const path = (name: string, settings: Record<string, unknown> = {}): PathFacts => ({
      ...{ name: parsePathName(name), settings, enabled: true, archive: "all", labels: [] },
      ...{ localRetention: null, archiveRetention: null },
    });
    /** What a version holds: the names of the paths that were there. */
    const changeBy = (name: string): ConfigChange<PathRow> => ({
      ...{ actor: { ...ROOT, name }, reason: "edit", summary: `by ${name}`, action: "path.update" },
      seal: (rows) => {
        const names = rows.map((row) => `${row.name}${JSON.stringify(row.settings)}`).join();
        return Promise.resolve({ sealed: names, sha256: names });
      },
    });

    it("has a version with author and summary of each change, and a note", async () => {
      const catalog = await openFresh(dialect);
      await insertPath(catalog, path("cam1"), changeBy("anna"));
      await catalog.clock.advance(1_000);
      await updatePath(catalog, path("cam1", { maxReaders: 1 }), { change: changeBy("bert") });
      await deletePath(catalog, parsePathName("cam1"), changeBy("cleo"));
      await noteConfigNow(catalog, changeBy("nobody"));
      const versions = await listConfigVersions(catalog, { limit: 9 });
      expect(versions.map(({ author, sealed, atUs }) => [author, sealed, atUs])).toEqual([
        ["cleo", "", at(1)],
        ["bert", 'cam1{"maxReaders":1}', at(1)],
        ["anna", "cam1{}", at(0)],
      ]);
      const [, second] = versions;
      expect(await getConfigVersion(catalog, second!.version)).toEqual(second);
      expect(await listConfigVersions(catalog, { before: second!.version, limit: 9 })).toHaveLength(1);
      await expect(getConfigVersion(catalog, 999)).rejects.toMatchObject({ kind: "not-found" });
      expect(await actionsOf(catalog)).toHaveLength(3);
    });

    it("has in the later of two changes at once also the other one", async () => {
      const target = await dialect.freshTarget();
      const catalogs = await Promise.all([1, 2, 3].map(() => openOn(target)));
      const names = Array.from({ length: 9 }, (_, index) => `cam${String(index)}`);
      await Promise.all(
        names.map((name, index) => insertPath(catalogs[index % 3]!, path(name), changeBy(`user ${name}`))),
      );
      const versions = await listConfigVersions(catalogs[0]!, { limit: 99 });
      expect(versions.map(({ sealed }) => sealed.split(",").length)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
    });

    it("goes with the rows or not at all", async () => {
      const catalog = await openFresh(dialect);
      const failing = { ...changeBy("anna"), seal: () => Promise.reject(new Error("the disk is full")) };
      await expect(insertPath(catalog, path("cam1"), failing)).rejects.toThrow();
      expect(await listPaths(catalog)).toEqual([]);
      expect(await listConfigVersions(catalog, { limit: 1 })).toEqual([]);
      expect(await actionsOf(catalog)).toEqual([]);
    });

    it("leads back to what was, without touching what is as it was", async () => {
      const catalog = await openFresh(dialect);
      for (const name of ["cam1", "cam2"]) await insertPath(catalog, path(name, { record: true }), changeBy("anna"));
      const wanted = await listPaths(catalog);
      await catalog.clock.advance(1_000);
      await updatePath(catalog, path("cam1"), { change: changeBy("anna") });
      await deletePath(catalog, parsePathName("cam2"), changeBy("anna"));
      await insertPath(catalog, path("cam3"), changeBy("anna"));
      const before = await insertPath(catalog, path("kept"), changeBy("anna"));
      await catalog.clock.advance(1_000);
      const version = await replacePaths(catalog, [...wanted, before], { ...changeBy("bert"), reason: "rollback" });
      const plain = ({ name, settings }: PathRow) => [name, settings];
      expect((await listPaths(catalog)).map(plain)).toEqual([...wanted, before].map(plain));
      expect((await findPath(catalog, before.name))?.updatedAtUs).toBe(at(1));
      expect(await getConfigVersion(catalog, version)).toMatchObject({ author: "bert", reason: "rollback" });
    });

    it("keeps the last 500", async () => {
      const catalog = await openFresh(dialect);
      await insertPath(catalog, path("cam1"), changeBy("anna"));
      const row = (await catalog.db("config_versions").first()) as { version: number };
      const more = Array.from({ length: 499 }, (_, index) => ({ ...row, version: row.version + 1 + index }));
      if (dialect.name === "PostgreSQL") {
        await catalog.db.raw("alter table config_versions alter column version set generated by default");
      }
      await catalog.db.batchInsert("config_versions", more, 100);
      if (dialect.name === "PostgreSQL") {
        await catalog.db.raw("alter table config_versions alter column version restart with 1000");
      }
      await updatePath(catalog, path("cam1", { maxReaders: 1 }), { change: changeBy("bert") });
      const versions = await listConfigVersions(catalog, { limit: 999 });
      expect([versions.length, versions[0]?.author, versions.at(-1)?.version]).toEqual([500, "bert", row.version + 1]);
    });
  });
});

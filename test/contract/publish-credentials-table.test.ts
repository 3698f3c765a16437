/** With what cameras may publish, on SQLite and on a real PostgreSQL. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import {
  findPublishCredential,
  listPublishCredentials,
  removePublishCredential,
  setPublishCredential,
} from "../../src/catalog/publish-credentials.js";
import { parsePathName } from "../../src/core/path-name.js";
import { parsePathPattern } from "../../src/core/path-pattern.js";
import { at } from "./catalog/builders.js";
import { DIALECTS, openFresh } from "./catalog/dialects.js";

const ANNA = { kind: "user", id: "u1", name: "anna", address: "10.0.0.7" } as const;
const GATE = parsePathName("site-a/gate");

describe.each(DIALECTS.map((dialect) => [dialect.name, dialect] as const))("credentials on %s", (_name, dialect) => {
  beforeAll(() => dialect.start());
  afterAll(() => dialect.stop());

  it("are one for each path, the newest, noted without what opens anything", async () => {
    const catalog = await openFresh(dialect);
    const first = { path: GATE, id: "1", user: "camera", passwordHash: "hash-1" };
    expect(await setPublishCredential(catalog, first, ANNA)).toEqual({ ...first, setAtUs: at(0) });
    await catalog.clock.advance(1_000);
    const second = { path: GATE, id: "2", user: "door", passwordHash: "hash-2" };
    const made = await setPublishCredential(catalog, second, ANNA);
    expect(made).toEqual({ ...second, setAtUs: at(1) });
    expect(await findPublishCredential(catalog, GATE)).toEqual(made);
    expect(await findPublishCredential(catalog, parsePathName("site-a/Gate"))).toBeUndefined();
    await removePublishCredential(catalog, GATE, ANNA);
    expect(await findPublishCredential(catalog, GATE)).toBeUndefined();
    await expect(removePublishCredential(catalog, GATE, ANNA)).rejects.toMatchObject({ kind: "not-found" });
    const notes = (await catalog.db("audit").orderBy("id")) as { action: string; target: string }[];
    expect(notes.map(({ action, target }) => [action, target])).toEqual([
      ["publish-credential.set", GATE],
      ["publish-credential.set", GATE],
      ["publish-credential.remove", GATE],
    ]);
    expect(JSON.stringify(notes)).not.toContain("hash-");
  });

  it("are listed by path, cut to what is open", async () => {
    const catalog = await openFresh(dialect);
    for (const name of ["site-b/cam", "site-a/cam", "site-a", "site-a-b/cam", "site-a/Cam"]) {
      const credential = { path: parsePathName(name), id: name, user: "camera", passwordHash: "hash" };
      await setPublishCredential(catalog, credential, ANNA);
    }
    const listed = async (...patterns: string[]) =>
      (
        await listPublishCredentials(
          catalog,
          patterns.map((text) => [parsePathPattern(text)]),
        )
      ).map(({ path }) => path);
    expect(await listed()).toEqual(["site-a", "site-a-b/cam", "site-a/Cam", "site-a/cam", "site-b/cam"]);
    expect(await listed("site-a/*")).toEqual(["site-a/Cam", "site-a/cam"]);
    expect(await listed("*", "site-b/*")).toEqual(["site-b/cam"]);
  });
});

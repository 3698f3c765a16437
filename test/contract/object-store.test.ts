import { createHash, randomUUID } from "node:crypto";
import { appendFile, rename, rm, symlink, writeFile } from "node:fs/promises";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { PutOptions, PutSource } from "../../src/archive/object-store.js";
import { isAppError } from "../../src/core/errors.js";
import { createSource } from "../support/put-source.js";
import { waitFor } from "../support/wait-for.js";
import { type Subject, SUBJECTS } from "./object-store-subjects.js";

const MEBIBYTE = 1_048_576;
const REFUSED_KEYS: readonly (readonly [string, string])[] = [
  ["nothing", ""],
  ["an absolute path", "/abs"],
  ["an empty part", "a//b"],
  ["a folder", "a/"],
  ["a way out at the start", "../a"],
  ["a way out in the middle", "a/../b"],
  ["a dot part", "a/./b"],
  ["other than ASCII", "café"],
  ["a newline", "a\nb"],
  ["a NUL", "a\0b"],
  ["the store's own folder", ".reelkeeper/x"],
  ["more than 1024 bytes", "x".repeat(1_025)],
];
const never = new AbortController().signal;

describe.each(SUBJECTS)("%s", (_name, open) => {
  let subject: Subject;
  beforeAll(async () => {
    subject = await open();
  });
  afterAll(() => subject.close());

  const newKey = (): string => `t/${randomUUID()}.mp4`;
  const put = (key: string, source: PutSource, options: Partial<PutOptions> = {}): Promise<void> =>
    subject.store.put(key, source, { signal: never, ...options });
  const read = async (key: string, range?: { start: number; end: number }): Promise<Buffer> => {
    const stream = await subject.store.get(key, { signal: never, ...(range && { range }) });
    return Buffer.concat(await stream.toArray());
  };
  const keysBelow = async (prefix: string): Promise<string[]> => {
    const keys: string[] = [];
    for await (const { key } of subject.store.list(prefix, never)) keys.push(key);
    return keys;
  };
  /** R2 takes one write per second and key: what it puts off is tried again. */
  const putAgain = (key: string, source: PutSource): Promise<"stored" | "already-exists"> =>
    waitFor(`put ${key}`, async () => {
      try {
        await put(key, source);
        return "stored";
      } catch (error) {
        if (isAppError(error, "unavailable")) return undefined;
        if (isAppError(error, "already-exists")) return "already-exists";
        throw error;
      }
    });

  it.each([0, 1, MEBIBYTE + 3, 12 * MEBIBYTE + 1])("returns the %i bytes that were put", async (bytes) => {
    const key = newKey();
    const source = await createSource(subject.sourceDir, bytes);
    await put(key, source);
    expect((await read(key)).equals(source.content)).toBe(true);
  });

  it("returns size, hashes and metadata of what was put", async () => {
    const key = newKey();
    const source = await createSource(subject.sourceDir);
    await put(key, source);
    expect(await subject.store.head(key, never)).toEqual({
      key,
      bytes: source.bytes,
      md5: source.md5,
      sha256: source.sha256,
      etag: source.md5,
      metadata: source.metadata,
    });
  });

  it("returns the SHA-256 of a large file, whose ETag may be no MD5", async () => {
    const key = newKey();
    const source = await createSource(subject.sourceDir, 7 * MEBIBYTE);
    await put(key, source);
    const facts = await subject.store.head(key, never);
    expect(facts).toMatchObject({ bytes: source.bytes, sha256: source.sha256, metadata: source.metadata });
    expect([null, source.md5]).toContain(facts?.md5);
  });

  it.each([100, 7 * MEBIBYTE])(
    "answers a second put of %i bytes with already-exists and keeps the first",
    async (bytes) => {
      const key = newKey();
      const first = await createSource(subject.sourceDir, 200);
      await put(key, first);
      const second = await createSource(subject.sourceDir, bytes);
      expect(await putAgain(key, second)).toBe("already-exists");
      expect((await read(key)).equals(first.content)).toBe(true);
      expect((await subject.store.head(key, never))?.sha256).toBe(first.sha256);
    },
  );

  it("lets one of many concurrent puts of a key win, whole", async () => {
    const key = newKey();
    const sources = await Promise.all(
      Array.from({ length: 8 }, (_, index) => createSource(subject.sourceDir, 500 + index)),
    );
    const results = await Promise.allSettled(sources.map((source) => put(key, source)));
    const winners = sources.filter((_, index) => results[index]?.status === "fulfilled");
    const kinds = results.flatMap((result) =>
      result.status === "rejected" ? [(result.reason as { kind: string }).kind] : [],
    );
    expect(winners).toHaveLength(1);
    expect(["already-exists", "unavailable"]).toEqual(expect.arrayContaining([...new Set(kinds)]));
    expect(
      createHash("sha256")
        .update(await read(key))
        .digest("hex"),
    ).toBe(winners[0]!.sha256);
    expect(await subject.store.head(key, never)).toMatchObject({
      sha256: winners[0]!.sha256,
      metadata: winners[0]!.metadata,
    });
  });

  it("knows no object that was not put, nor one that is only the folder of others", async () => {
    const folder = `t/${randomUUID()}`;
    await put(`${folder}/a.mp4`, await createSource(subject.sourceDir));
    expect(await subject.store.head(`${folder}/b.mp4`, never)).toBeUndefined();
    expect(await subject.store.head(folder, never)).toBeUndefined();
    await expect(read(`${folder}/b.mp4`)).rejects.toMatchObject({ kind: "not-found" });
  });

  it("returns ranges, both ends included, cut at the end of the object", async () => {
    const key = newKey();
    const source = await createSource(subject.sourceDir, Buffer.from("0123456789"));
    await put(key, source);
    expect(String(await read(key, { start: 2, end: 4 }))).toBe("234");
    expect(String(await read(key, { start: 9, end: 9 }))).toBe("9");
    expect(String(await read(key, { start: 5, end: 100 }))).toBe("56789");
    await expect(read(key, { start: 10, end: 12 })).rejects.toMatchObject({ kind: "invalid-argument" });
  });

  it("deletes an object alone, and succeeds when it is absent", async () => {
    const folder = `t/${randomUUID()}`;
    const source = await createSource(subject.sourceDir);
    await put(`${folder}/a.mp4`, source);
    await put(`${folder}/b.mp4`, source);
    await subject.store.delete(`${folder}/a.mp4`, never);
    await subject.store.delete(`${folder}/a.mp4`, never);
    expect(await keysBelow(`${folder}/`)).toEqual([`${folder}/b.mp4`]);
    expect(await putAgain(`${folder}/a.mp4`, source)).toBe("stored");
    expect(await subject.store.head(`${folder}/a.mp4`, never)).toMatchObject({ sha256: source.sha256 });
  });

  it("lists below a text prefix in key order, with sizes", async () => {
    const folder = `t/${randomUUID()}`;
    const names = ["cam1/b", "cam1-x/a", "cam1.mp4", "cam10/a", "cam1/a/z", "cam1/a-b", "cam2/a", "Cam1/a"];
    const source = await createSource(subject.sourceDir, 321);
    for (const name of names) await put(`${folder}/${name}`, source);
    const keys = names.map((name) => `${folder}/${name}`).sort();
    expect(await keysBelow(`${folder}/`)).toEqual(keys);
    expect(await keysBelow(`${folder}/cam1/`)).toEqual([
      `${folder}/cam1/a-b`,
      `${folder}/cam1/a/z`,
      `${folder}/cam1/b`,
    ]);
    expect(await keysBelow(`${folder}/cam1`)).toEqual(keys.filter((key) => key.startsWith(`${folder}/cam1`)));
    expect(await keysBelow(`${folder}/absent/`)).toEqual([]);
    for await (const { bytes } of subject.store.list(`${folder}/`, never)) expect(bytes).toBe(321);
  });

  it("F49 keeps keys with spaces, signs and quotes exact", async () => {
    const folder = `t/${randomUUID()}`;
    const names = [
      "sp ace",
      "pl+us",
      "100%",
      "%41",
      "q?x=1&y",
      "#h",
      "'quote\"",
      "(par)~!*",
      "back\\slash",
      "-dash",
      "a=b;c,d@e:$",
    ];
    for (const name of names) {
      const key = `${folder}/${name}/s.mp4`;
      const source = await createSource(subject.sourceDir, Buffer.from(name));
      await put(key, source);
      expect(await subject.store.head(key, never)).toMatchObject({ sha256: source.sha256 });
      expect(String(await read(key))).toBe(name);
    }
    expect(await keysBelow(`${folder}/`)).toEqual(names.map((name) => `${folder}/${name}/s.mp4`).sort());
    await subject.store.delete(`${folder}/%41/s.mp4`, never);
    expect(await keysBelow(`${folder}/`)).toHaveLength(names.length - 1);
  });

  it.each(REFUSED_KEYS)("refuses %s as a key everywhere", async (_what, key) => {
    const source = await createSource(subject.sourceDir);
    const refused = { kind: "invalid-argument" };
    await expect(put(key, source)).rejects.toMatchObject(refused);
    await expect(subject.store.head(key, never)).rejects.toMatchObject(refused);
    await expect(read(key)).rejects.toMatchObject(refused);
    await expect(subject.store.delete(key, never)).rejects.toMatchObject(refused);
  });

  it.each([{ sha256: "x" }, { Upper: "x" }, { name: "café" }, { name: "a\r\nb" }, { name: "x".repeat(3_000) }])(
    "refuses metadata that fits no header (%#)",
    async (metadata) => {
      const source = await createSource(subject.sourceDir);
      await expect(put(newKey(), { ...source, metadata })).rejects.toMatchObject({ kind: "invalid-argument" });
    },
  );

  it.each([200, 7 * MEBIBYTE])(
    "F9 stores nothing of a file of %i bytes that grew after it was hashed",
    async (bytes) => {
      const key = newKey();
      const source = await createSource(subject.sourceDir, bytes);
      await appendFile(source.filePath, "more");
      await expect(put(key, source)).rejects.toMatchObject({ kind: "failed-precondition" });
      expect(await subject.store.head(key, never)).toBeUndefined();
    },
  );

  it("stores nothing when the file is gone, was replaced, or is a link (F47)", async () => {
    const key = newKey();
    const other = await createSource(subject.sourceDir);
    const gone = await createSource(subject.sourceDir);
    await rm(gone.filePath);
    await expect(put(key, gone)).rejects.toMatchObject({ kind: "failed-precondition" });
    const replaced = await createSource(subject.sourceDir);
    await writeFile(`${replaced.filePath}.new`, replaced.content);
    await rename(`${replaced.filePath}.new`, replaced.filePath);
    await expect(put(key, replaced)).rejects.toMatchObject({ kind: "failed-precondition" });
    const linked = { ...other, filePath: `${other.filePath}.link` };
    await symlink(other.filePath, linked.filePath);
    await expect(put(key, linked)).rejects.toMatchObject({ kind: "failed-precondition" });
    expect(await subject.store.head(key, never)).toBeUndefined();
  });

  it("F35 keeps the object when MediaMTX creates a file of the same name again", async () => {
    const key = newKey();
    const source = { ...(await createSource(subject.sourceDir)), nameIsUnique: false };
    await put(key, source);
    await writeFile(source.filePath, "the next segment");
    expect((await read(key)).equals(source.content)).toBe(true);
  });

  it.each([300_000, 7 * MEBIBYTE])("tells the hook of each of %i bytes", async (bytes) => {
    let told = 0;
    const source = await createSource(subject.sourceDir, bytes);
    await put(newKey(), source, { onBytes: (count) => void (told += count) });
    expect(told).toBe(bytes);
  });

  it("ends a put as cancelled when the signal aborts, and stores nothing", async () => {
    const key = newKey();
    const source = await createSource(subject.sourceDir, 3 * MEBIBYTE);
    await expect(put(key, source, { signal: AbortSignal.abort() })).rejects.toMatchObject({ kind: "cancelled" });
    const controller = new AbortController();
    const onBytes = async (): Promise<void> => {
      controller.abort();
      await new Promise((resolve) => setImmediate(resolve));
    };
    await expect(put(key, source, { signal: controller.signal, onBytes })).rejects.toMatchObject({ kind: "cancelled" });
    expect(await subject.store.head(key, never)).toBeUndefined();
  });

  it("ends every other call as cancelled when the signal has aborted", async () => {
    const signal = AbortSignal.abort();
    const cancelled = { kind: "cancelled" };
    await expect(subject.store.head("t/x", signal)).rejects.toMatchObject(cancelled);
    await expect(subject.store.get("t/x", { signal })).rejects.toMatchObject(cancelled);
    await expect(subject.store.delete("t/x", signal)).rejects.toMatchObject(cancelled);
    await expect(subject.store.list("t/", signal)[Symbol.asyncIterator]().next()).rejects.toMatchObject(cancelled);
  });

  it("ends the stream of a get when the signal aborts", async () => {
    const key = newKey();
    await put(key, await createSource(subject.sourceDir, 12 * MEBIBYTE));
    const controller = new AbortController();
    const stream = await subject.store.get(key, { signal: controller.signal });
    controller.abort();
    await expect(stream.toArray()).rejects.toMatchObject({ kind: "cancelled" });
  });

  it("passes its own test and leaves nothing behind", async () => {
    const before = await keysBelow("");
    await subject.store.selfTest(never);
    expect(await keysBelow("")).toEqual(before);
  });

  // The last one: it takes the bucket away.
  it("does not take a lost bucket for absent objects (F29, F45)", async () => {
    const key = newKey();
    await put(key, await createSource(subject.sourceDir));
    await subject.loseBucket();
    const lost = { kind: "failed-precondition", hint: expect.any(String) as string };
    await expect(subject.store.head(key, never)).rejects.toMatchObject(lost);
    await expect(read(key)).rejects.toMatchObject(lost);
    await expect(subject.store.delete(key, never)).rejects.toMatchObject(lost);
    await expect(keysBelow("")).rejects.toMatchObject(lost);
    const source = await createSource(subject.sourceDir);
    await expect(put(newKey(), source)).rejects.toMatchObject(lost);
  });
});

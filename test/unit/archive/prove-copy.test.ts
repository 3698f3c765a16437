/** What counts as a proof, by the answers of the store alone. */
import { createHash } from "node:crypto";
import { Readable } from "node:stream";

import { describe, expect, it } from "vitest";

import type { ObjectFacts, ObjectStore } from "../../../src/archive/object-store.js";
import { type ExpectedCopy, proveCopy, readBack } from "../../../src/archive/prove-copy.js";
import { AppError } from "../../../src/core/errors.js";

const CONTENT = Buffer.from("the bytes of a segment");
const EXPECTED: ExpectedCopy = {
  key: "recordings/cam1/x.mp4",
  bytes: CONTENT.length,
  md5: createHash("md5").update(CONTENT).digest("hex"),
  sha256: createHash("sha256").update(CONTENT).digest("hex"),
};
const WHOLE: ObjectFacts = { ...EXPECTED, etag: "e", metadata: {} };
const signal = new AbortController().signal;

function storeThat(answers: Partial<Pick<ObjectStore, "head" | "get">>): ObjectStore {
  const unexpected = (): never => {
    throw new Error("nothing but head and get proves anything");
  };
  return {
    ...{ kind: "r2", description: "", selfTest: unexpected, put: unexpected, delete: unexpected },
    ...{ list: unexpected, abortStaleUploads: unexpected, close: unexpected, head: unexpected, get: unexpected },
    ...answers,
  };
}

function proveWith(facts: ObjectFacts | undefined) {
  return proveCopy(storeThat({ head: () => Promise.resolve(facts) }), EXPECTED, signal);
}

describe("a copy", () => {
  it("is proven when the store returns size, MD5 and SHA-256 of what was hashed", async () => {
    expect(await proveWith(WHOLE)).toEqual({ kind: "proven", facts: WHOLE });
  });

  it("is proven without MD5 where the store has none (several parts)", async () => {
    expect((await proveWith({ ...WHOLE, md5: null })).kind).toBe("proven");
  });

  it("is absent only when the store says so (F25)", async () => {
    expect(await proveWith(undefined)).toEqual({ kind: "absent" });
  });

  it.each<[string, Partial<ObjectFacts>]>([
    ["another SHA-256", { sha256: "0".repeat(64) }],
    ["no SHA-256 of ours", { sha256: null }],
    ["another size", { bytes: CONTENT.length - 1 }],
    ["another MD5", { md5: "0".repeat(32) }],
  ])("is a conflict, never a proof, with %s (F26)", async (_what, changes) => {
    expect((await proveWith({ ...WHOLE, ...changes })).kind).toBe("conflict");
  });

  it.each(["unavailable", "permission-denied"] as const)("stays in doubt when the store is %s", async (kind) => {
    const store = storeThat({ head: () => Promise.reject(new AppError({ kind, message: "head" })) });
    await expect(proveCopy(store, EXPECTED, signal)).rejects.toMatchObject({ kind });
  });
});

describe("reading back", () => {
  function readBackOf(content: Buffer): Promise<void> {
    return readBack(storeThat({ get: () => Promise.resolve(Readable.from([content])) }), EXPECTED, signal);
  }

  it("is content with the very bytes", async () => {
    await readBackOf(CONTENT);
  });

  it.each([
    ["one bit flipped", Buffer.from(CONTENT.map((byte, at) => (at === 3 ? byte ^ 1 : byte)))],
    ["one byte too few", CONTENT.subarray(1)],
    ["nothing", Buffer.alloc(0)],
  ])("is data loss with %s (F24)", async (_what, content) => {
    await expect(readBackOf(content)).rejects.toMatchObject({
      kind: "data-loss",
      hint: expect.stringContaining("the local copy is kept") as string,
    });
  });

  it("passes on a stream that breaks off, and is no verdict then", async () => {
    const broken = (): Promise<Readable> =>
      Promise.resolve(
        new Readable({
          read() {
            this.destroy(new AppError({ kind: "unavailable", message: "reset" }));
          },
        }),
      );
    await expect(readBack(storeThat({ get: broken }), EXPECTED, signal)).rejects.toMatchObject({ kind: "unavailable" });
  });
});

import { open } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import path from "node:path";
import { Readable, Writable } from "node:stream";

import { describe, expect, it } from "vitest";

import { type SendBytesDeps, sendFilePart, sendStream } from "../../../src/http/send-bytes.js";
import { SpareBuffers } from "../../../src/platform/spare-buffers.js";
import { tempDir } from "../../support/temp-dir.js";

const DEPS: SendBytesDeps = { turns: { take: () => Promise.resolve() }, blocks: new SpareBuffers(1_024, 1) };
const LENGTH = 10_000;
const NEVER = new AbortController().signal;

/** A connection that fails at the third block, and says that it is closed no sooner than that. */
function failing(error: Error): ServerResponse {
  let blocks = 0;
  const connection = new Writable({
    write(_chunk, _encoding, done) {
      blocks += 1;
      setImmediate(() => done(blocks < 3 ? null : error));
    },
  });
  // As one of HTTP, it tells who wrote and nobody else.
  connection.on("error", () => undefined);
  return connection as unknown as ServerResponse;
}

function systemError(syscall: string): Error {
  return Object.assign(new Error(`${syscall} ECONNRESET`), { code: "ECONNRESET", errno: -104, syscall });
}

async function fileOfZeros() {
  const handle = await open(path.join(await tempDir(), "file"), "w+");
  await handle.truncate(LENGTH);
  return handle;
}

describe("a viewer who leaves before the signal says so (F60)", () => {
  it("is no failure of a file that is sent, which is closed", async () => {
    const handle = await fileOfZeros();
    const response = failing(systemError("write"));
    await sendFilePart(DEPS, { handle, start: 0 }, { length: LENGTH, response, signal: NEVER });
    expect(handle.fd).toBe(-1);
    expect(response.destroyed).toBe(true);
  });

  it("is no failure of a stream that is sent, which is ended", async () => {
    const bytes = Readable.from(Array.from({ length: 10 }, () => Buffer.alloc(LENGTH / 10)));
    await sendStream(DEPS, bytes, { length: LENGTH, response: failing(systemError("write")), signal: NEVER });
    expect(bytes.destroyed).toBe(true);
  });

  it("is not taken for a source that fails", async () => {
    const source = new Readable({ read: () => source.destroy(systemError("read")) });
    const sent = sendStream(DEPS, source, { length: LENGTH, response: failing(systemError("write")), signal: NEVER });
    await expect(sent).rejects.toThrow("read ECONNRESET");
    const handle = await fileOfZeros();
    const shorter = { length: LENGTH + 1, response: failing(systemError("read")), signal: NEVER };
    await expect(sendFilePart(DEPS, { handle, start: 0 }, shorter)).rejects.toThrow("read ECONNRESET");
    expect(handle.fd).toBe(-1);
  });
});

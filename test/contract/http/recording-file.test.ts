/** The bytes of a recording: whole or a range, from disk or store, and never those of another file. */
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readlink, rename, rm, symlink, truncate, unlink, utimes, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import path from "node:path";
import { Readable } from "node:stream";

import { describe, expect, it } from "vitest";

import type { ObjectStore } from "../../../src/archive/object-store.js";
import { AppError, type ErrorKind } from "../../../src/core/errors.js";
import { parsePathName } from "../../../src/core/path-name.js";
import type { Recording } from "../../../src/core/recording.js";
import { ask, problemIn } from "../../support/http-ask.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";
import { addFile, addRow } from "../../support/http-rows.js";
import { waitFor } from "../../support/wait-for.js";
import { PATIENCE } from "../../support/patience.js";

const CONTENT = randomBytes(10_000);
const fileUrl = ({ id }: Pick<Recording, "id">): string => `/api/v1/recordings/${id}/file`;
const diskFile = (http: HttpHarness, { filePath }: Recording): string => path.join(http.recordDir, filePath);

/** The same recording from its file, and from its object after the file was released. */
const SOURCES = {
  disk: (http: HttpHarness) => addFile(http, 1, { content: CONTENT, archived: true }),
  store: async (http: HttpHarness) => {
    const changes = { local: "released" } as const;
    const recording = await addFile(http, 1, { content: CONTENT, archived: true, changes });
    await unlink(diskFile(http, recording));
    return recording;
  },
};

describe.each(Object.entries(SOURCES))("a recording from the %s", (_name, add) => {
  it("is sent whole, with its length, type, name and hash", async () => {
    const http = await httpForTest();
    const recording = await add(http);
    const answer = await ask(http, fileUrl(recording));
    expect(answer.status).toBe(200);
    expect(answer.bytes.equals(CONTENT)).toBe(true);
    expect(answer.headers).toMatchObject({
      "content-length": "10000",
      "content-type": "video/mp4",
      "accept-ranges": "bytes",
      "cache-control": "private, no-cache",
      etag: `"${recording.sha256}"`,
      "content-disposition": 'inline; filename="cam1_2026-11-20T00-00-01Z.mp4"',
      "x-content-type-options": "nosniff",
      "cross-origin-resource-policy": "same-origin",
      "content-security-policy": expect.stringContaining("media-src 'self'") as string,
    });
  });

  it.each([
    ["bytes=0-0", 0, 0],
    ["bytes=0-", 0, 9_999],
    ["bytes=9999-", 9_999, 9_999],
    ["bytes=9999-9999", 9_999, 9_999],
    ["bytes=100-199", 100, 199],
    ["bytes=9000-20000", 9_000, 9_999],
    ["bytes=-1", 9_999, 9_999],
    ["bytes=-500", 9_500, 9_999],
    ["bytes=-20000", 0, 9_999],
    ["bytes=0-99999999999999999999999", 0, 9_999],
    ["BYTES=5-6", 5, 6],
  ])("answers the range %s", async (range, first, last) => {
    const http = await httpForTest();
    const recording = await add(http);
    const answer = await ask(http, fileUrl(recording), { headers: { range } });
    expect(answer.status).toBe(206);
    expect(answer.headers["content-range"]).toBe(`bytes ${first}-${last}/10000`);
    expect(answer.headers["content-length"]).toBe(String(last - first + 1));
    expect(answer.bytes.equals(CONTENT.subarray(first, last + 1))).toBe(true);
  });

  it("answers HEAD as GET, without the bytes", async () => {
    const http = await httpForTest();
    const recording = await add(http);
    const head = await ask(http, fileUrl(recording), { method: "HEAD" });
    const get = await ask(http, fileUrl(recording));
    expect([head.status, { ...head.headers, date: "" }]).toEqual([200, { ...get.headers, date: "" }]);
    expect(head.bytes).toHaveLength(0);
  });

  it("ignores a range that comes with HEAD, as RFC 9110 section 14.2 demands", async () => {
    const http = await httpForTest();
    const recording = await add(http);
    for (const range of ["bytes=0-9", "bytes=10000-"]) {
      const head = await ask(http, fileUrl(recording), { method: "HEAD", headers: { range } });
      expect([head.status, head.headers["content-length"]]).toEqual([200, "10000"]);
    }
  });
});

describe("a recording's file", () => {
  it("is each viewer's own part, however many read at once and whoever leaves meanwhile", async () => {
    const http = await httpForTest();
    const content = randomBytes(2_000_000);
    const recording = await addFile(http, 1, { content });
    const read = async (first: number): Promise<void> => {
      const last = first + 900_000;
      const answer = await ask(http, fileUrl(recording), { headers: { range: `bytes=${first}-${last}` } });
      expect(answer.bytes.equals(content.subarray(first, last + 1))).toBe(true);
    };
    const leave = async (): Promise<void> => {
      const answer = await fetch(`http://127.0.0.1:${http.port}${fileUrl(recording)}`);
      const reader = answer.body!.getReader();
      await reader.read();
      await reader.cancel();
    };
    await Promise.all(Array.from({ length: 40 }, (_, at) => (at % 4 === 3 ? leave() : read(at * 25_000))));
  });

  it.each([
    "bytes=",
    "bytes=-",
    "bytes=a-b",
    "bytes=5-2",
    "bytes=0-1,3-4",
    "bytes=0-1,",
    "bytes 0-1",
    "items=0-1",
    "bytes=0x1-0x2",
    "bytes=--5",
    "bytes=1e3-",
    "bytes=+1-2",
  ])("is sent whole for the range %s, which is malformed, multiple or of another unit", async (range) => {
    const http = await httpForTest();
    const recording = await SOURCES.disk(http);
    const answer = await ask(http, fileUrl(recording), { headers: { range } });
    expect([answer.status, answer.bytes.length, answer.headers["content-range"]]).toEqual([200, 10_000, undefined]);
  });

  it.each(["bytes=10000-", "bytes=10000-10001", "bytes=-0", "bytes=99999999999999999999-"])(
    "has no range %s, and says how long it is",
    async (range) => {
      const http = await httpForTest();
      const recording = await SOURCES.disk(http);
      const answer = await ask(http, fileUrl(recording), { headers: { range } });
      expect(problemIn(answer).status).toBe(416);
      expect(answer.headers["content-range"]).toBe("bytes */10000");
      expect(answer.headers.etag).toBeUndefined();
    },
  );

  it("is not sent again to one who has it, by strong or weak comparison", async () => {
    const http = await httpForTest();
    const recording = await SOURCES.disk(http);
    const etag = `"${recording.sha256}"`;
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, "*"]) {
      const answer = await ask(http, fileUrl(recording), { headers: { "if-none-match": known, range: "bytes=0-1" } });
      expect([answer.status, answer.bytes.length, answer.headers.etag], known).toEqual([304, 0, etag]);
    }
    const changed = await ask(http, fileUrl(recording), { headers: { "if-none-match": '"other", etag' } });
    expect(changed.status).toBe(200);
  });

  it("goes on where a download broke off only if it is still the same (If-Range)", async () => {
    const http = await httpForTest();
    const recording = await SOURCES.disk(http);
    const goOn = (ifRange: string) =>
      ask(http, fileUrl(recording), { headers: { range: "bytes=9990-", "if-range": ifRange } });
    expect((await goOn(`"${recording.sha256}"`)).status).toBe(206);
    for (const other of ['"other"', `W/"${recording.sha256}"`, "Fri, 20 Nov 2026 00:00:00 GMT", "x"]) {
      expect((await goOn(other)).status, other).toBe(200);
    }
  });

  it("of no bytes is sent as nothing, and has no range", async () => {
    const http = await httpForTest();
    const recording = await addFile(http, 1, { content: Buffer.alloc(0) });
    const whole = await ask(http, fileUrl(recording));
    expect([whole.status, whole.bytes.length, whole.headers["content-length"]]).toEqual([200, 0, "0"]);
    expect((await ask(http, fileUrl(recording), { headers: { range: "bytes=0-" } })).status).toBe(416);
  });

  it("of MPEG-TS has its own type and name, and slashes of the path do not reach the name", async () => {
    const http = await httpForTest();
    const changes = { path: parsePathName("site/gate-1_a.b"), format: "mpegts" } as const;
    const recording = await addFile(http, 0.5, { content: CONTENT, changes });
    expect((await ask(http, fileUrl(recording))).headers).toMatchObject({
      "content-type": "video/mp2t",
      "content-disposition": 'inline; filename="site-gate-1_a.b_2026-11-20T00-00-00Z.ts"',
    });
  });

  it("is not sent while it is open", async () => {
    const http = await httpForTest();
    const recording = await addFile(http, 1, { content: CONTENT, changes: { local: "open", step: "settle" } });
    expect(problemIn(await ask(http, fileUrl(recording))).status).toBe(409);
  });

  it.each([
    ["missing", "none"],
    ["released", "expired"],
    ["deleted", "deleted"],
    ["quarantined", "none"],
    ["trashed", "conflict"],
  ] as const)("is not found when it is %s on disk and %s in the store", async (local, archive) => {
    const http = await httpForTest();
    const recording = await addRow(http.catalog, 1, { local, archive });
    const answer = await ask(http, fileUrl(recording));
    expect(problemIn(answer).status).toBe(404);
    expect(answer.headers["content-disposition"]).toBeUndefined();
  });

  it("has the hash of other bytes no longer as its ETag once it was found changed", async () => {
    const http = await httpForTest();
    const recording = await addFile(http, 1, { content: CONTENT, changes: { step: "inspect" } });
    const { etag } = (await ask(http, fileUrl(recording))).headers;
    expect(etag).not.toContain(recording.sha256);
  });

  it("that was found changed, and has gone again, is not mixed up with its older object", async () => {
    const http = await httpForTest();
    const changes = { step: "inspect", bytes: 20_000 } as const;
    const recording = await addFile(http, 1, { content: CONTENT, archived: true, changes });
    await unlink(diskFile(http, recording));
    expect(problemIn(await ask(http, fileUrl(recording))).status).toBe(409);
  });
});

describe("a file that is not the one of the row", () => {
  const OTHER = randomBytes(10_000);

  /** Not in the tick of the kernel's clock in which the recording's own file was written: the mtime tells them apart. */
  const writeLater = async (file: string): Promise<void> => {
    await writeFile(file, OTHER);
    const later = new Date(Date.now() + 5_000);
    await utimes(file, later, later);
  };

  /** In place of the recording's own file. */
  const SWAPS: Readonly<Record<string, (file: string, elsewhere: string) => Promise<void>>> = {
    "was replaced": async (file) => {
      await writeLater(`${file}.new`);
      await rename(`${file}.new`, file);
    },
    "was written over": writeLater,
    "is a link to another file": async (file, elsewhere) => {
      await unlink(file);
      await symlink(path.join(elsewhere, "secret"), file);
    },
    "is a link to /etc/passwd": async (file) => {
      await unlink(file);
      await symlink("/etc/passwd", file);
    },
    "is a link to itself": async (file) => {
      await unlink(file);
      await symlink(file, file);
    },
    "lies in a directory that became a link": async (file, elsewhere) => {
      const directory = path.dirname(file);
      await rm(directory, { recursive: true });
      await writeLater(path.join(elsewhere, path.basename(file)));
      await symlink(elsewhere, directory);
    },
    "is a directory": async (file) => {
      await unlink(file);
      await mkdir(file);
    },
    "lies below a file": async (file) => {
      const directory = path.dirname(file);
      await rm(directory, { recursive: true });
      await writeFile(directory, OTHER);
    },
    "is gone": (file) => unlink(file),
  };

  it.each(Object.entries(SWAPS))(
    "because it %s is never sent; the store has the right one (F47)",
    async (_name, swap) => {
      const http = await httpForTest();
      const recording = await addFile(http, 1, { content: CONTENT, archived: true });
      const elsewhere = path.join(path.dirname(http.recordDir), "elsewhere");
      await mkdir(elsewhere);
      await writeFile(path.join(elsewhere, "secret"), OTHER);
      await swap(diskFile(http, recording), elsewhere);
      const answer = await ask(http, fileUrl(recording));
      expect(answer.status).toBe(200);
      expect(answer.bytes.equals(CONTENT)).toBe(true);
      expect(answer.headers.etag).toBe(`"${recording.sha256}"`);
    },
  );

  it.each(Object.entries(SWAPS))("because it %s is not found when the store has none (F47)", async (_name, swap) => {
    const http = await httpForTest();
    const recording = await addFile(http, 1, { content: CONTENT });
    const elsewhere = path.join(path.dirname(http.recordDir), "elsewhere");
    await mkdir(elsewhere);
    await writeFile(path.join(elsewhere, "secret"), OTHER);
    await swap(diskFile(http, recording), elsewhere);
    expect(problemIn(await ask(http, fileUrl(recording))).status).toBe(404);
  });

  it("only by its device number, because its disk was mounted again, is sent", async () => {
    const http = await httpForTest();
    const recording = await addFile(http, 1, { content: CONTENT });
    const { fileIdentity } = recording;
    const elsewhere = `99999:99999${fileIdentity?.slice(fileIdentity.split(":", 2).join(":").length) ?? ""}`;
    await http.catalog.db("recordings").where({ id: recording.id }).update({ file_identity: elsewhere });
    const answer = await ask(http, fileUrl(recording));
    expect([answer.status, answer.bytes.equals(CONTENT)]).toEqual([200, true]);
  });

  it("is not read through a row whose file path leads outside", async () => {
    const http = await httpForTest();
    for (const [index, filePath] of ["../catalog.sqlite", "/etc/passwd", "cam1/../../catalog.sqlite"].entries()) {
      const recording = await addRow(http.catalog, index, { filePath });
      expect(problemIn(await ask(http, fileUrl(recording))).status, filePath).toBe(404);
    }
  });
});

describe("a store that fails (F61)", () => {
  const withGet = (get: ObjectStore["get"]) => ({ store: (folder: ObjectStore): ObjectStore => ({ ...folder, get }) });
  const failing = (kind: ErrorKind) => withGet(() => Promise.reject(new AppError({ kind, message: "get: failed" })));

  it.each([
    ["unavailable", 503],
    ["permission-denied", 503],
    ["failed-precondition", 503],
    ["not-found", 500],
    ["internal", 503],
  ] as const)("with %s is told as %d at once, never as the viewer's fault", async (kind, status) => {
    const http = await httpForTest(failing(kind));
    const recording = await SOURCES.store(http);
    const startedMs = performance.now();
    const answer = await ask(http, fileUrl(recording));
    expect(problemIn(answer).status).toBe(status);
    expect(answer.headers["retry-after"]).toBe(status === 503 ? "1" : undefined);
    expect(performance.now() - startedMs).toBeLessThan(2_000 * PATIENCE);
    expect(answer.headers["content-disposition"]).toBeUndefined();
    expect(http.log.filter(({ level }) => level === "error")).toHaveLength(1);
  });

  it("is not asked while the file is there", async () => {
    const http = await httpForTest(failing("unavailable"));
    expect((await ask(http, fileUrl(await SOURCES.disk(http)))).status).toBe(200);
  });

  it("in the middle of the bytes ends the answer short of its length, and not as if it were whole", async () => {
    const http = await httpForTest(
      withGet(() => {
        const parts = [CONTENT.subarray(0, 5_000)];
        const failure = new AppError({ kind: "unavailable", message: "get: ended early" });
        return Promise.resolve(
          new Readable({
            read() {
              const part = parts.shift();
              if (part === undefined) this.destroy(failure);
              else this.push(part);
            },
          }),
        );
      }),
    );
    const recording = await SOURCES.store(http);
    await expect(ask(http, fileUrl(recording))).rejects.toThrow();
    expect(
      await waitFor("the failure in the log", () => http.log.find(({ level }) => level === "error")),
    ).toMatchObject({ message: "request failed", fields: { err: "get: ended early" } });
  });

  it("is told to stop when the viewer leaves before it has answered, and that is no error", async () => {
    let told = false;
    let asked = false;
    const http = await httpForTest(
      withGet((_key, { signal }) => {
        asked = true;
        return new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            told = true;
            reject(new AppError({ kind: "cancelled", message: "get: cancelled" }));
          });
        });
      }),
    );
    const recording = await SOURCES.store(http);
    const socket = connect(http.port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(`GET ${fileUrl(recording)} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await waitFor("the store to be asked", () => asked);
    socket.destroy();
    await waitFor("the store to be told", () => told);
    expect(http.log.filter(({ level }) => level === "error")).toEqual([]);
  });
});

describe("bytes that are fewer or more than was promised", () => {
  /** Asks twice on one connection; resolves with all that came until the server closed it. */
  function askTwice(http: HttpHarness, url: string, meanwhile: () => Promise<void>): Promise<Buffer> {
    const socket = connect(http.port, "127.0.0.1");
    const came: Buffer[] = [];
    const closed = new Promise<Buffer>((resolve) => socket.once("close", () => resolve(Buffer.concat(came))));
    socket.on("error", () => undefined);
    socket.write(`GET ${url} HTTP/1.1\r\nHost: localhost\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    socket.once("data", (first: Buffer) => {
      came.push(first);
      socket.pause();
      void meanwhile().then(() => {
        socket.on("data", (chunk: Buffer) => came.push(chunk));
        socket.resume();
      });
    });
    return closed;
  }

  it("because MediaMTX truncates the file while it is sent (F10, F35) end the connection, and no answer follows", async () => {
    const http = await httpForTest();
    const content = Buffer.alloc(32 * 1_048_576, 7);
    const recording = await addFile(http, 1, { content });
    const came = await askTwice(http, fileUrl(recording), () => truncate(diskFile(http, recording), 1_000));
    expect(came.length).toBeLessThan(content.length);
    expect(came.toString("latin1").match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it.each([9_000, 11_000])(
    "because the store sends %i of 10000 end the connection, and no answer follows",
    async (bytes) => {
      const sent = Buffer.concat([CONTENT, CONTENT]).subarray(0, bytes);
      const store = (folder: ObjectStore) => ({ ...folder, get: () => Promise.resolve(Readable.from([sent])) });
      const http = await httpForTest({ store });
      const recording = await SOURCES.store(http);
      const came = await askTwice(http, fileUrl(recording), () => Promise.resolve());
      expect(came.toString("latin1").match(/HTTP\/1\.1/g) ?? []).not.toHaveLength(2);
      const errors = () => http.log.filter(({ level }) => level === "error");
      await waitFor("the failure in the log", () => errors().length > 0);
      expect(errors()).toHaveLength(1);
    },
  );
});

describe("viewers that leave (F60)", () => {
  const LARGE = randomBytes(8 * 1_048_576);

  /** Files of this directory that this process holds open. */
  async function openFilesBelow(directory: string): Promise<number> {
    const descriptors = await readdir("/proc/self/fd");
    const targets = await Promise.all(descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
    return targets.filter((target) => target.startsWith(directory) && target.includes(".mp4")).length;
  }

  async function openDescriptors(): Promise<number> {
    return (await readdir("/proc/self/fd")).length;
  }

  /** Reads a little and drops the connection. */
  function leaveEarly({ port }: HttpHarness, target: string): Promise<void> {
    return new Promise((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      });
      socket.once("data", () => socket.destroy());
      socket.once("error", () => socket.destroy());
      socket.once("close", () => resolve());
    });
  }

  it.each(["disk", "store"])("in the middle of a download from the %s cost no descriptor, 50 times", async (from) => {
    const http = await httpForTest();
    const changes = from === "store" ? ({ local: "released" } as const) : {};
    const recording = await addFile(http, 1, { content: LARGE, archived: true, changes });
    if (from === "store") await unlink(diskFile(http, recording));
    const root = path.dirname(http.recordDir);
    await leaveEarly(http, fileUrl(recording));
    await waitFor("the first file to be closed", async () => (await openFilesBelow(root)) === 0);
    const base = await openDescriptors();
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(Array.from({ length: 10 }, () => leaveEarly(http, fileUrl(recording))));
    }
    await waitFor("every file to be closed", async () => (await openFilesBelow(root)) === 0);
    await waitFor("descriptors to return to base", async () => (await openDescriptors()) <= base);
    expect(http.log.filter(({ level }) => level === "error")).toEqual([]);
    expect((await ask(http, fileUrl(recording))).bytes.equals(LARGE)).toBe(true);
  });

  it("without saying so, and take no byte more, lose their connection", async () => {
    const http = await httpForTest({ stalledMs: 2_000 });
    const recording = await addFile(http, 1, { content: LARGE });
    const root = path.dirname(http.recordDir);
    const socket = connect(http.port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(`GET ${fileUrl(recording)} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    // Nobody reads on after the first bytes.
    await new Promise((resolve) => socket.once("readable", resolve));
    expect(socket.readableLength).toBeGreaterThan(0);
    await waitFor("the file to be closed", async () => (await openFilesBelow(root)) === 0);
    let bytes = 0;
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.on("data", (chunk: Buffer) => (bytes += chunk.length));
    await closed;
    expect(bytes).toBeLessThan(LARGE.length);
  });

  it("after HEAD leave nothing open", async () => {
    const http = await httpForTest();
    const recording = await addFile(http, 1, { content: LARGE });
    for (let round = 0; round < 10; round += 1) await ask(http, fileUrl(recording), { method: "HEAD" });
    const root = path.dirname(http.recordDir);
    await waitFor("every file to be closed", async () => (await openFilesBelow(root)) === 0);
  });
});

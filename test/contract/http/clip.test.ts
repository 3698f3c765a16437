/** Clips as they are asked for: what is refused, what headers say, and what becomes of viewers and stores that fail. */
import { readdirSync, readlinkSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import { Readable } from "node:stream";

import { describe, expect, it } from "vitest";

import type { ObjectStore } from "../../../src/archive/object-store.js";
import { AppError } from "../../../src/core/errors.js";
import { formatRfc3339 } from "../../../src/core/instant.js";
import { addFootage, fixtureFootage, type Footage } from "../../support/footage.js";
import { init, part, visualEntry, box } from "../../support/fmp4.js";
import { ask, problemIn } from "../../support/http-ask.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";
import { waitFor } from "../../support/wait-for.js";

const FORMATS = ["mp4", "fmp4"] as const;
const H264_AAC = "v1.20.1/h264-aac";
const START_US = Date.UTC(2026, 10, 20, 17, 4, 43) * 1_000 + 22_940;

function url(fromSec: number, toSec: number, more = ""): string {
  const instant = (sec: number): string => formatRfc3339(START_US + Math.round(sec * 1e6));
  return `/api/v1/clip.mp4?path=cam1&from=${instant(fromSec)}&to=${instant(toSec)}${more}`;
}

async function withFixture(store?: (folder: ObjectStore) => ObjectStore): Promise<HttpHarness> {
  const http = await httpForTest(store === undefined ? {} : { store });
  const archived = store !== undefined;
  const changes = archived ? ({ local: "released" } as const) : {};
  await addFootage(http, fixtureFootage(H264_AAC), { archived, changes });
  return http;
}

/** Files of the harness that this process holds open. */
function openMedia({ recordDir }: HttpHarness): number {
  const root = path.dirname(recordDir);
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(root) && target.includes(".mp4");
    } catch {
      return false;
    }
  }).length;
}

describe("a clip", () => {
  it("is named after its path and the local time of its first frame, and says when it begins and ends", async () => {
    const http = await withFixture();
    const { headers } = await ask(http, url(3, 6, "&zone=Asia/Kolkata"));
    expect(headers).toMatchObject({
      "content-type": "video/mp4",
      "content-disposition": 'attachment; filename="cam1_2026-11-20_22-34-45.mp4"',
      "reelkeeper-start": "2026-11-20T17:04:45.02294Z",
      "reelkeeper-end": formatRfc3339(START_US + 6e6),
    });
  });

  it("that begins where another ends has no frame in common with it, and none is missing between them", async () => {
    const http = await withFixture();
    const whole = await ask(http, url(0, 8, "&format=fmp4"));
    const second = await ask(http, url(4.1, 8, "&format=fmp4"));
    const startedAt = String(second.headers["reelkeeper-start"]);
    const first = await ask(http, url(0, 8, "&format=fmp4").replace(/to=[^&]*/, `to=${startedAt}`));
    const pictures = (bytes: Buffer): number => countSamples(bytes, 1);
    expect(pictures(first.bytes) + pictures(second.bytes)).toBe(pictures(whole.bytes));
    expect(pictures(second.bytes)).toBeGreaterThan(0);
  });

  it("as mp4 has an exact length, which HEAD tells without the bytes", async () => {
    const http = await withFixture();
    const whole = await ask(http, url(1, 9));
    const head = await ask(http, url(1, 9), { method: "HEAD" });
    expect(whole.headers["content-length"]).toBe(String(whole.bytes.length));
    expect(head.bytes.length).toBe(0);
    for (const name of ["content-length", "etag", "reelkeeper-start", "content-disposition", "accept-ranges"]) {
      expect(head.headers[name], name).toBe(whole.headers[name]);
    }
  });

  it("as fmp4 has an estimate that is near, also for HEAD", async () => {
    const http = await withFixture();
    const whole = await ask(http, url(1, 9, "&format=fmp4"));
    const head = await ask(http, url(1, 9, "&format=fmp4"), { method: "HEAD" });
    const estimate = Number(head.headers["reelkeeper-estimated-bytes"]);
    expect(head.headers["content-length"]).toBeUndefined();
    expect(whole.headers["reelkeeper-estimated-bytes"]).toBe(String(estimate));
    // A fragment of a second at each end is counted whole.
    expect(Math.abs(estimate - whole.bytes.length)).toBeLessThan(40_000);
  });

  it("as mp4 is the same by ranges as in one piece, wherever they are cut", async () => {
    const http = await withFixture();
    const whole = await ask(http, url(1, 9));
    const etag = String(whole.headers.etag);
    const length = whole.bytes.length;
    for (const [start, end] of [
      [0, 0],
      [0, 99],
      [1_000, 60_000],
      [length - 1, length - 1],
      [30_000, length - 1],
    ] as const) {
      const answer = await ask(http, url(1, 9), { headers: { range: `bytes=${start}-${end}`, "if-range": etag } });
      expect(answer.status).toBe(206);
      expect(answer.headers["content-range"]).toBe(`bytes ${start}-${end}/${length}`);
      expect(answer.bytes.equals(whole.bytes.subarray(start, end + 1)), `${start}-${end}`).toBe(true);
    }
    const other = await ask(http, url(1, 9), { headers: { range: "bytes=5-9", "if-range": '"other"' } });
    expect([other.status, other.bytes.equals(whole.bytes)]).toEqual([200, true]);
    const behind = await ask(http, url(1, 9), { headers: { range: `bytes=${length}-` } });
    expect([behind.status, behind.headers["content-range"]]).toEqual([416, `bytes */${length}`]);
  });

  it.each(FORMATS)("as %s is the same from the store as from disk", async (format) => {
    const local = await withFixture();
    const stored = await withFixture((folder) => folder);
    const target = url(3, 16, `&format=${format}`);
    const [fromDisk, fromStore] = [await ask(local, target), await ask(stored, target)];
    expect(fromDisk.status).toBe(200);
    expect(fromStore.bytes.equals(fromDisk.bytes)).toBe(true);
  });

  it.each(FORMATS)("as %s asks the store for few ranges, not for every fragment", async (format) => {
    let asked = 0;
    const http = await withFixture((folder) => ({
      ...folder,
      get: (...given) => {
        asked += 1;
        return folder.get(...given);
      },
    }));
    expect((await ask(http, url(0, 30, `&format=${format}`))).status).toBe(200);
    // Six recordings of five fragments: for each its init, its heads and its media, and the first sync sample.
    expect(asked).toBeLessThanOrEqual(6 * 3 + 2);
  });

  it.each(FORMATS)("as %s holds what nobody has inspected yet, and what is still being written", async (format) => {
    const known = await withFixture();
    const http = await httpForTest();
    const footage = fixtureFootage(H264_AAC);
    await addFootage(http, footage.slice(0, 2));
    await addFootage(http, footage.slice(2, 3), { unseen: true });
    await addFootage(http, footage.slice(3, 4), { unseen: true, changes: { local: "open", step: "settle" } });
    const target = url(0, 13, `&format=${format}`);
    expect((await ask(http, target)).bytes.equals((await ask(known, target)).bytes)).toBe(true);
  });
});

describe("no clip", () => {
  it("is made where there is no footage", async () => {
    const http = await withFixture();
    expect(problemIn(await ask(http, url(100, 110))).status).toBe(404);
    expect(problemIn(await ask(http, url(-10, -5))).status).toBe(404);
    expect(problemIn(await ask(http, url(0, 5).replace("path=cam1", "path=nobody"))).status).toBe(404);
  });

  it("is longer than a day, or ends before it begins", async () => {
    const http = await withFixture();
    for (const range of [url(0, 86_400.1), url(5, 5), url(5, 4)]) {
      expect(problemIn(await ask(http, range)), range).toMatchObject({ status: 400, errors: [{ field: "to" }] });
    }
  });

  it.each(FORMATS)("as %s goes over a change of what the camera sends; the instant of it is told", async (format) => {
    const http = await httpForTest();
    const small = visualEntry("avc1", box("avcC", [1, 0x42, 0xc0, 0x1e, 0xff, 0xe1, 0, 1, 0x67, 1, 0, 1, 0x68]));
    await addFootage(http, [madeSegment(0), madeSegment(1), madeSegment(2, small)]);
    const changeAt = formatRfc3339(START_US + 8e6);
    const problem = problemIn(await ask(http, url(0, 12, `&format=${format}`)));
    expect(problem.status).toBe(409);
    expect(problem.detail).toContain(changeAt);
    expect(problem.detail).toContain("avc1.42c01e");
    expect(problem.hint).toContain(changeAt);
    expect((await ask(http, url(0, 8, `&format=${format}`))).status).toBe(200);
    expect((await ask(http, url(8, 12, `&format=${format}`))).status).toBe(200);
  });

  it("as plain MP4 spans a gap that its tables cannot; closed, or in fragments, it does", async () => {
    const http = await httpForTest();
    await addFootage(http, [madeSegment(0), madeSegment(20 * 900 + 1)]);
    expect(problemIn(await ask(http, url(0, 80_000))).detail).toContain("20 hours");
    expect((await ask(http, url(0, 80_000, "&gaps=close"))).status).toBe(200);
    expect((await ask(http, url(0, 80_000, "&format=fmp4"))).status).toBe(200);
  });
});

describe("a store that fails", () => {
  const failing =
    (after: number) =>
    (folder: ObjectStore): ObjectStore => {
      let asked = 0;
      return {
        ...folder,
        get: (...given) => {
          asked += 1;
          if (asked <= after) return folder.get(...given);
          return Promise.reject(new AppError({ kind: "unavailable", message: "get: 500" }));
        },
      };
    };

  it.each(FORMATS)("before the first byte is told as a problem of its own (%s)", async (format) => {
    for (const after of [0, 1, 7]) {
      const http = await withFixture(failing(after));
      const answer = await ask(http, url(0, 30, `&format=${format}`));
      expect(problemIn(answer).status, `after ${after}`).toBe(503);
      expect(answer.headers["content-disposition"]).toBeUndefined();
    }
  });

  it.each(FORMATS)(
    "in the middle ends the connection short of the clip, not as if it were whole (%s)",
    async (format) => {
      const good = await withFixture((folder) => folder);
      let requests = 0;
      const counting = await withFixture((folder) => ({
        ...folder,
        get: (...given) => {
          requests += 1;
          return folder.get(...given);
        },
      }));
      const target = url(0, 30, `&format=${format}`);
      await ask(counting, target);
      expect((await ask(good, target)).status).toBe(200);
      const http = await withFixture(failing(requests - 1));
      await expect(ask(http, target)).rejects.toThrow();
      const told = () => http.log.find(({ level }) => level === "error");
      expect(await waitFor("the failure in the log", told)).toMatchObject({ message: "request failed" });
    },
  );

  it("by hanging is told to stop when the viewer leaves", async () => {
    let told = false;
    let hangs = false;
    const http = await withFixture((folder) => ({
      ...folder,
      get: (_key, { signal }) => {
        hangs = true;
        signal.addEventListener("abort", () => (told = true));
        return Promise.resolve(new Readable({ read: () => undefined, signal }));
      },
    }));
    const socket = connect(http.port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.write(`GET ${url(0, 30)} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await waitFor("the store to be asked", () => hangs);
    socket.destroy();
    await waitFor("the store to be told", () => told);
  });
});

describe("viewers of a clip", () => {
  /** Fragments of 1 MB, so that no buffer takes all of it. */
  const LARGE: Footage[] = [0, 1, 2, 3].map((number) => madeSegment(number, undefined, 1_000_000));

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

  it.each(FORMATS)("that leave in the middle of one as %s leave nothing open, 30 times", async (format) => {
    const http = await httpForTest();
    await addFootage(http, LARGE);
    for (let round = 0; round < 3; round += 1) {
      await Promise.all(Array.from({ length: 10 }, () => leaveEarly(http, url(0, 16, `&format=${format}`))));
    }
    await waitFor("every file to be closed", () => openMedia(http) === 0);
    expect(http.log.filter(({ level }) => level === "error")).toEqual([]);
    expect((await ask(http, url(0, 16, `&format=${format}`))).bytes.length).toBeGreaterThan(15_000_000);
  });

  it.each(FORMATS)("that take no byte of one as %s hold one file open, and lose their connection", async (format) => {
    const http = await httpForTest({ stalledMs: 2_000 });
    await addFootage(http, LARGE);
    const socket = connect(http.port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.pause();
    socket.write(`GET ${url(0, 16, `&format=${format}`)} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    await waitFor("the clip to begin", () => openMedia(http) === 1);
    await waitFor("the file to be closed", () => openMedia(http) === 0);
    socket.destroy();
  });
});

const TIMESCALE = 90_000;

/** Four seconds from `4 × number` s on, of a fragment each. */
function madeSegment(number: number, entry?: Buffer, bytesPerSec = 1_000): Footage {
  const startUs = START_US + number * 4e6;
  const track = { id: 1, timescale: TIMESCALE, ...(entry === undefined ? {} : { sampleEntry: entry }) };
  const mtxi = {
    streamId: "0a5c1b1e-0000-4000-8000-00000000000a",
    segmentNumber: BigInt(number),
    ntpNs: BigInt(startUs) * 1_000n,
  };
  const parts = [0, 1, 2, 3].map((second) =>
    part({
      tracks: [
        {
          id: 1,
          tfdt: second * TIMESCALE,
          samples: Array.from({ length: 10 }, (_, index) => ({
            durationTicks: TIMESCALE / 10,
            sizeBytes: bytesPerSec / 10,
            isSync: index === 0,
          })),
        },
      ],
    }),
  );
  return { startUs, content: Buffer.concat([init({ tracks: [track], mvhdDurationMs: 4_000, mtxi }), ...parts]) };
}

/** Of one track in all `trun` boxes, by their own counts. */
function countSamples(bytes: Buffer, trackId: number): number {
  let count = 0;
  for (let at = bytes.indexOf("tfhd"); at >= 0; at = bytes.indexOf("tfhd", at + 4)) {
    if (bytes.readUInt32BE(at + 8) !== trackId) continue;
    count += bytes.readUInt32BE(bytes.indexOf("trun", at) + 8);
  }
  return count;
}

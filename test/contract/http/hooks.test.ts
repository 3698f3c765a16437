/** What MediaMTX's hooks tell, as it comes in by HTTP: late, twice, out of order, of files that are not there, forged. */
import { execFile } from "node:child_process";
import { mkdir, rename, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import fc from "fast-check";
import sqlite3 from "sqlite3";
import { describe, expect, it, onTestFinished } from "vitest";

import { findLastPathEvent } from "../../../src/catalog/path-events.js";
import { parsePathName } from "../../../src/core/path-name.js";
import { samples, segment } from "../../support/fmp4.js";
import { ask, type Answered, problemIn } from "../../support/http-ask.js";
import { HOOK_SECRET, type HttpHarness, httpForTest, MEDIAMTX_RECORD_DIR } from "../../support/http-harness.js";
import { dump } from "../../support/http-rows.js";
import { PATIENCE } from "../../support/patience.js";
import { waitFor } from "../../support/wait-for.js";

const run = promisify(execFile);
const HOOK_DEADLINE_MS = 5_000 * PATIENCE;
const DAY_START_SEC = 1_795_132_800;
const STREAM_ID = "0a5c1b1e-0000-4000-8000-00000000000a";

/** Segment `number` of a path: four seconds each. */
function nameOf(number: number, pathName = "cam1"): string {
  return `${pathName}/2026-11-20/${String(DAY_START_SEC + number * 4)}-000000.mp4`;
}

interface Written {
  readonly pathName?: string;
  /** Of the first sample, as the `mtxi` box says it. */
  readonly ntpNs?: bigint;
}

async function writeSegment(http: HttpHarness, number: number, written: Written = {}): Promise<string> {
  const { pathName = "cam1", ntpNs = BigInt(DAY_START_SEC + number * 4) * 1_000_000_000n } = written;
  const file = path.join(http.recordDir, nameOf(number, pathName));
  await mkdir(path.dirname(file), { recursive: true });
  const content = segment({
    tracks: [{ id: 1, timescale: 90_000 }],
    parts: [{ tracks: [{ id: 1, tfdt: 0, samples: samples(100, 3_600) }] }],
    mvhdDurationMs: 4_000,
    mtxi: { streamId: STREAM_ID, segmentNumber: BigInt(number), ntpNs },
  });
  await writeFile(file, content);
  return file;
}

type Kind = "segment-create" | "segment-complete" | "ready" | "not-ready";

function hook(http: HttpHarness, kind: Kind, fields: Readonly<Record<string, unknown>>): Promise<Answered> {
  return ask(http, `/hooks/${kind}`, { method: "POST", body: { secret: HOOK_SECRET, ...fields } });
}

function complete(http: HttpHarness, number: number, more: Readonly<Record<string, unknown>> = {}): Promise<Answered> {
  const segmentPath = `${MEDIAMTX_RECORD_DIR}/${nameOf(number)}`;
  return hook(http, "segment-complete", { path: "cam1", segmentPath, segmentDuration: 4, ...more });
}

async function lockDatabase({ databaseFile }: HttpHarness): Promise<{ readonly unlock: () => Promise<void> }> {
  const rival = new sqlite3.Database(databaseFile);
  const execute = (sql: string) =>
    new Promise<void>((resolve, reject) => {
      rival.exec(sql, (error) => (error === null ? resolve() : reject(error)));
    });
  onTestFinished(() => new Promise<void>((resolve) => rival.close(() => resolve())));
  await execute("begin exclusive");
  return { unlock: () => execute("commit") };
}

/** The rows without what tells when and by whom they were made. */
async function rowsOf(http: HttpHarness): Promise<Record<string, unknown>[]> {
  const rows = (await http.catalog.db("recordings").orderBy("start_us")) as Record<string, unknown>[];
  return rows.map((row) => ({ ...row, id: "", origin: "", created_at_us: 0, updated_at_us: 0, file_identity: "" }));
}

async function recordingsOf(http: HttpHarness): Promise<unknown[]> {
  return (await dump(http.catalog))["recordings"] ?? [];
}

describe("a completed segment", () => {
  it("gets its row at once, by JSON, by a form, by a Bearer secret, and says the same each time", async () => {
    const http = await httpForTest();
    await writeSegment(http, 0);
    const fields = { path: "cam1", segmentPath: `${MEDIAMTX_RECORD_DIR}/${nameOf(0)}`, segmentDuration: "4.000000000" };
    const target = "/hooks/segment-complete";
    const form = new URLSearchParams({ ...fields, secret: HOOK_SECRET, unknown: "is ignored" }).toString();
    const type = "application/x-www-form-urlencoded";
    const answers = [
      await complete(http, 0),
      await ask(http, target, { method: "POST", body: form, headers: { "content-type": type } }),
      await ask(http, target, { method: "POST", body: fields, headers: { authorization: `Bearer ${HOOK_SECRET}` } }),
      await complete(http, 0, { segmentDuration: "" }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await rowsOf(http)).toMatchObject([
      {
        path: "cam1",
        local: "present",
        step: "inspect",
        stream_id: STREAM_ID,
        segment_number: 0,
        start_us: DAY_START_SEC * 1e6,
        file_path: nameOf(0),
      },
    ]);
    const { id } = answers[0]?.json() as { id: string };
    expect((await ask(http, `/api/v1/recordings/${id}`)).status).toBe(200);
    expect(http.woken.times).toBeGreaterThan(0);
  });

  it("that is told of ten times at once has one row (F3)", async () => {
    const http = await httpForTest();
    await writeSegment(http, 0);
    const answers = await Promise.all(Array.from({ length: 10 }, () => complete(http, 0)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await rowsOf(http)).toHaveLength(1);
  });

  it("that is told of out of order ends as it does in order (F4)", async () => {
    const kinds = ["segment-create", "segment-complete"] as const;
    const inOrder = [0, 1, 2].flatMap((number) => kinds.map((kind) => ({ kind, number })));
    const endOf = async (order: typeof inOrder): Promise<unknown> => {
      const http = await httpForTest();
      for (const number of [0, 1, 2]) await writeSegment(http, number);
      for (const { kind, number } of order) {
        const segmentPath = `${MEDIAMTX_RECORD_DIR}/${nameOf(number)}`;
        expect((await hook(http, kind, { path: "cam1", segmentPath })).status).toBe(202);
      }
      return rowsOf(http);
    };
    const expected = await endOf(inOrder);
    expect(expected).toHaveLength(3);
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(inOrder, { minLength: inOrder.length }), async (order) => {
        expect(await endOf(order)).toEqual(expected);
      }),
      { numRuns: 15 },
    );
  });

  it("of a path that is named like a part of an object is listed and measured like any other", async () => {
    const http = await httpForTest();
    for (const [number, name] of ["__proto__", "constructor", "toString", "hasOwnProperty/x"].entries()) {
      await writeSegment(http, number, { pathName: name });
      const segmentPath = `${MEDIAMTX_RECORD_DIR}/${nameOf(number, name)}`;
      expect((await hook(http, "segment-complete", { path: name, segmentPath })).status).toBe(202);
      expect((await hook(http, "ready", { path: name })).status).toBe(202);
      const answer = await ask(http, `/api/v1/recordings?path=${name}`);
      expect((answer.json() as { items: unknown[] }).items).toHaveLength(1);
      expect((await ask(http, "/metrics")).text).toContain(`path_recording_age_seconds{path="${name}"}`);
    }
  });
});

describe("a segment that is not there", () => {
  it("is heard, kept as missing and told once (F5)", async () => {
    const http = await httpForTest();
    const answers = [await complete(http, 0), await complete(http, 0), await complete(http, 0)];
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await rowsOf(http)).toMatchObject([{ local: "missing", step: null, bytes: 0 }]);
    expect(http.log.filter(({ level }) => level === "error")).toHaveLength(1);
  });

  it("gets its file into the same row when it turns up (F6)", async () => {
    const http = await httpForTest();
    const first = await complete(http, 0);
    await writeSegment(http, 0);
    const second = await complete(http, 0);
    expect(second.text).toBe(first.text);
    expect(await rowsOf(http)).toMatchObject([{ local: "present", step: "inspect" }]);
  });
});

describe("the path of a segment", () => {
  it.each([
    ["as MediaMTX sees it", (name: string) => `${MEDIAMTX_RECORD_DIR}/${name}`],
    ["as we see it", (name: string, dir: string) => `${dir}/${name}`],
    ["relative with a dot", (name: string) => `./recordings/${name}`],
    ["relative", (name: string) => `recordings/${name}`],
    ["relative with two dots in a row", (name: string) => `././recordings/${name}`],
  ])("%s is found below our own record directory, never by a working directory (F6)", async (_name, pathOf) => {
    const http = await httpForTest();
    await writeSegment(http, 0);
    const answer = await complete(http, 0, { segmentPath: pathOf(nameOf(0), http.recordDir) });
    expect(answer.status).toBe(202);
    expect(await rowsOf(http)).toMatchObject([{ local: "present", file_path: nameOf(0) }]);
  });

  it("must be of the path that the hook names", async () => {
    const http = await httpForTest();
    await writeSegment(http, 0);
    for (const number of [0, 1]) {
      const answer = await complete(http, number, { path: "cam2" });
      expect(problemIn(answer)).toMatchObject({ status: 400, errors: [{ field: "path" }] });
    }
    expect(await recordingsOf(http)).toEqual([]);
  });
});

describe("a name that is no segment", () => {
  /** What stands in place of the file; the real one lies in `elsewhere`. */
  const ODDITIES: Readonly<Record<string, (file: string, elsewhere: string) => Promise<unknown>>> = {
    "a link to a segment outside": (file, elsewhere) => symlink(path.join(elsewhere, "real.mp4"), file),
    "a link to a segment beside it": (file) => symlink(`${file}.real`, file),
    "a link to /etc/passwd": (file) => symlink("/etc/passwd", file),
    "a link to nothing": (file) => symlink("/nowhere/at/all", file),
    "a link to itself": (file) => symlink(file, file),
    "a directory": (file) => mkdir(file),
    "a FIFO, on which nobody waits": (file) => run("mkfifo", [file]),
  };

  it.each(Object.entries(ODDITIES))(
    "because it is %s is refused at once, and nothing is recorded",
    async (_name, put) => {
      const http = await httpForTest();
      const elsewhere = path.join(path.dirname(http.recordDir), "elsewhere");
      await mkdir(elsewhere);
      const file = await writeSegment(http, 0);
      await rename(file, path.join(elsewhere, "real.mp4"));
      await put(file, elsewhere);
      const startedMs = performance.now();
      for (const kind of ["segment-create", "segment-complete"] as const) {
        const answer = await hook(http, kind, { path: "cam1", segmentPath: `${MEDIAMTX_RECORD_DIR}/${nameOf(0)}` });
        expect(problemIn(answer)).toMatchObject({ status: 400, errors: [{ field: "segmentPath" }] });
      }
      expect(performance.now() - startedMs).toBeLessThan(HOOK_DEADLINE_MS);
      expect(await recordingsOf(http)).toEqual([]);
    },
  );

  it("because its directory is a link that leads outside is refused, and nothing is recorded", async () => {
    const http = await httpForTest();
    const file = await writeSegment(http, 0);
    const elsewhere = path.join(path.dirname(http.recordDir), "elsewhere");
    await rename(path.dirname(file), elsewhere);
    await symlink(elsewhere, path.dirname(file));
    expect(problemIn(await complete(http, 0))).toMatchObject({ status: 400, errors: [{ field: "segmentPath" }] });
    expect(await recordingsOf(http)).toEqual([]);
  });

  it("because it lies elsewhere, climbs or has no time in its name is refused without a trace", async () => {
    const http = await httpForTest();
    await writeSegment(http, 0);
    const before = await dump(http.catalog);
    for (const segmentPath of [
      "/etc/passwd",
      `/other/${nameOf(0)}`,
      `${MEDIAMTX_RECORD_DIR}-2/${nameOf(0)}`,
      `${MEDIAMTX_RECORD_DIR}/../recordings/${nameOf(0)}`,
      `${MEDIAMTX_RECORD_DIR}/cam1/../${nameOf(0)}`,
      `${MEDIAMTX_RECORD_DIR}//${nameOf(0)}`,
      `../recordings/${nameOf(0)}`,
      nameOf(0),
      `${MEDIAMTX_RECORD_DIR}/cam1/x.mp4`,
      `${MEDIAMTX_RECORD_DIR}/${nameOf(0)}.tmp`,
      `${MEDIAMTX_RECORD_DIR}/${nameOf(0)}/x.mp4`,
      `${MEDIAMTX_RECORD_DIR}/${"a/".repeat(2_000)}x.mp4`,
      `${MEDIAMTX_RECORD_DIR}/cam1/2026-11-20/${"1".repeat(300)}-000000.mp4`,
    ]) {
      const answer = await complete(http, 0, { segmentPath });
      expect(problemIn(answer), segmentPath.slice(0, 80)).toMatchObject({
        status: 400,
        errors: [{ field: "segmentPath" }],
      });
    }
    expect(await dump(http.catalog)).toEqual(before);
  });
});

describe("a segment of an impossible time", () => {
  const list = async (http: HttpHarness): Promise<unknown> => (await ask(http, "/api/v1/recordings")).status;

  it.each([
    "cam1/9999-12-31_23-59-59-999999.mp4",
    "cam1/2200-01-01_00-00-00-000000.mp4",
    "cam1/1969-12-31_23-59-59-999999.ts",
    "cam1/0000-01-01_00-00-00-000000.mp4",
    "cam1/2026-11-20/9999999999-999999.mp4",
  ])("by its name %s is no segment, and spoils no list", async (name) => {
    const http = await httpForTest();
    const file = path.join(http.recordDir, name);
    await mkdir(path.dirname(file), { recursive: true });
    const isThere = [false, true];
    for (const there of isThere) {
      if (there) await writeFile(file, "media");
      const answer = await complete(http, 0, { segmentPath: `${MEDIAMTX_RECORD_DIR}/${name}` });
      expect(problemIn(answer).status).toBe(400);
    }
    expect(await recordingsOf(http)).toEqual([]);
    expect(await list(http)).toBe(200);
  });

  it.each([0xffff_ffff_ffff_ffffn, 0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn, 9_007_199_254_740_990_000n])(
    "by its mtxi box (%s ns) is taken at its name's word, and spoils no list",
    async (ntpNs) => {
      const http = await httpForTest();
      await writeSegment(http, 0, { ntpNs });
      expect((await complete(http, 0)).status).toBe(202);
      expect(await rowsOf(http)).toMatchObject([{ start_us: DAY_START_SEC * 1e6, local: "present" }]);
      expect(await list(http)).toBe(200);
    },
  );
});

describe("a hook with a wrong secret", () => {
  it("changes nothing and learns nothing, whatever else it says", async () => {
    const http = await httpForTest();
    await writeSegment(http, 0);
    const before = await dump(http.catalog);
    const answers = await Promise.all(
      [undefined, "", "wrong", `${HOOK_SECRET} `, [HOOK_SECRET], { is: HOOK_SECRET }, 7, null, true].flatMap(
        (secret) => [
          complete(http, 0, { secret }),
          hook(http, "ready", { path: "cam1", secret }),
          hook(http, "not-ready", { path: "/../", secret }),
        ],
      ),
    );
    for (const answer of answers) expect(problemIn(answer).status).toBe(401);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(await dump(http.catalog)).toEqual(before);
  });
});

describe("a path's source", () => {
  it("that comes and goes is kept with its time and kind", async () => {
    const http = await httpForTest();
    const cam1 = parsePathName("cam1");
    await hook(http, "ready", { path: "cam1", sourceType: "rtspSession", sourceId: "a-b" });
    expect(await findLastPathEvent(http.catalog, cam1)).toMatchObject({
      kind: "ready",
      sourceType: "rtspSession",
      sourceId: "a-b",
      atUs: http.catalog.clock.nowUs(),
    });
    await http.catalog.clock.advance(1_000);
    await hook(http, "not-ready", { path: "cam1", sourceType: "" });
    expect(await findLastPathEvent(http.catalog, cam1)).toMatchObject({ kind: "not-ready" });
  });
});

describe("a hook that waits", () => {
  it("has others step back until it is answered", async () => {
    const http = await httpForTest();
    await writeSegment(http, 0);
    const { urgent, hooks } = http.deps;
    let goOn: () => void = () => undefined;
    const mayGoOn = new Promise<void>((resolve) => (goOn = resolve));
    // However long the test takes to see it wait: a locked database would end the wait after a second and a half.
    const { noteSegment } = hooks;
    Object.assign(hooks, {
      noteSegment: async (...given: Parameters<typeof noteSegment>) => {
        await mayGoOn;
        return noteSegment(...given);
      },
    });
    const answer = complete(http, 0);
    // Enough of that clock for whatever waits by now.
    const isSeen = async () => {
      await http.catalog.clock.advance(20);
      return urgent.isKeptWaiting;
    };
    await waitFor("the hook to be kept waiting", isSeen, { intervalMs: 5 });
    goOn();
    expect((await answer).status).toBe(202);
    await waitFor("nothing to be kept waiting", () => !urgent.isKeptWaiting, { intervalMs: 5 });
  });
});

describe("a database that another process has locked (F36)", () => {
  it("is answered as not available within five seconds, to each of ten, and the hook may come again", async () => {
    const http = await httpForTest();
    await writeSegment(http, 0);
    const rival = await lockDatabase(http);
    const startedMs = performance.now();
    const answers = await Promise.all([
      ...Array.from({ length: 8 }, () => complete(http, 0)),
      complete(http, 1),
      hook(http, "ready", { path: "cam1" }),
    ]);
    expect(performance.now() - startedMs).toBeLessThan(HOOK_DEADLINE_MS);
    for (const answer of answers) {
      expect(problemIn(answer).status).toBe(503);
      expect(answer.headers["retry-after"]).toBe("1");
    }
    await rival.unlock();
    expect((await complete(http, 0)).status).toBe(202);
    expect(await rowsOf(http)).toHaveLength(1);
  });
});

describe("the metrics of hooks", () => {
  it("tell of each kind how many were heard and how many refused", async () => {
    const http = await httpForTest();
    await writeSegment(http, 0);
    await complete(http, 0);
    await complete(http, 0, { segmentPath: "/etc/passwd" });
    await hook(http, "ready", { path: "cam1" });
    const { text } = await ask(http, "/metrics");
    const count = (kind: string, result: string): string =>
      `reelkeeper_hook_duration_seconds_count{kind="${kind}",result="${result}"} 1`;
    expect(text).toContain(count("segment-complete", "accepted"));
    expect(text).toContain(count("segment-complete", "invalid-argument"));
    expect(text).toContain(count("ready", "accepted"));
  });
});

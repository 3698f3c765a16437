/** How it runs, as operators and their tools see it: backlog, scans, health, metrics. */
import { rm } from "node:fs/promises";

import { describe, expect, it } from "vitest";

import { closeCatalog } from "../../../src/catalog/catalog.js";
import { recordRejectedFile } from "../../../src/catalog/rejected-files.js";
import { AppError } from "../../../src/core/errors.js";
import { parsePathName } from "../../../src/core/path-name.js";
import { ask, problemIn } from "../../support/http-ask.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";
import { addRow, at } from "../../support/http-rows.js";

type Json = Record<string, unknown>;

const get = async (http: HttpHarness, target: string): Promise<Json> => (await ask(http, target)).json() as Json;

describe("the archive's state", () => {
  it("is empty when nothing waits", async () => {
    const http = await httpForTest();
    await addRow(http.catalog, 1, { local: "released", archive: "verified" });
    expect(await get(http, "/api/v1/archive")).toEqual({
      store: http.store.description,
      backlog: { segments: 0, bytes: 0, oldestUnarchivedAt: null, steps: [] },
      bytesPerSec: 0,
      concurrency: 4,
      drainSec: 0,
      lastError: null,
      errors: [],
    });
  });

  it("sums what waits by step, with the oldest, the rate, the time to drain and the last errors", async () => {
    const http = await httpForTest();
    await addRow(http.catalog, 10, { step: "inspect", bytes: 300 });
    await addRow(http.catalog, 4, { step: "archive", bytes: 500 });
    await addRow(http.catalog, 8, {
      step: "archive",
      bytes: 201,
      error: "put: 503",
      attempts: 4,
      nextAttemptAtUs: at(90),
    });
    await addRow(http.catalog, 0, { step: "release", bytes: 9_999 });
    http.pace.bytesPerSec = 100;
    http.pace.lastError = "put: 503";
    expect(await get(http, "/api/v1/archive")).toMatchObject({
      backlog: {
        segments: 3,
        bytes: 1_001,
        oldestUnarchivedAt: "2026-11-20T00:00:04Z",
        steps: expect.arrayContaining([
          { step: "inspect", segments: 1, bytes: 300 },
          { step: "archive", segments: 2, bytes: 701 },
        ]) as unknown[],
      },
      drainSec: 11,
      lastError: "put: 503",
      errors: [
        { path: "cam1", step: "archive", error: "put: 503", attempts: 4, nextAttemptAt: "2026-11-20T00:01:30Z" },
      ],
    });
  });

  it("cannot tell when it will be drained while nothing moves", async () => {
    const http = await httpForTest();
    await addRow(http.catalog, 4, { step: "archive" });
    expect(await get(http, "/api/v1/archive")).toMatchObject({ drainSec: null });
  });
});

describe("the scan", () => {
  it("is shown with its times and counts, and begins on request", async () => {
    const http = await httpForTest();
    expect(await get(http, "/api/v1/scan")).toMatchObject({ running: false, startedAt: null, finishedAt: null });
    http.scanner.state = {
      running: true,
      startedAtUs: at(5),
      finishedAtUs: null,
      progress: { directories: 1, files: 2, recorded: 3, rejected: 4, missing: 5, doubted: 6 },
      error: "read: EIO",
    };
    expect(await get(http, "/api/v1/scan")).toEqual({
      running: true,
      startedAt: "2026-11-20T00:00:05Z",
      finishedAt: null,
      directories: 1,
      files: 2,
      recorded: 3,
      rejected: 4,
      missing: 5,
      doubted: 6,
      error: "read: EIO",
    });
    expect((await ask(http, "/api/v1/scan", { method: "POST" })).status).toBe(202);
    expect(http.scanner.requests).toBe(1);
  });
});

describe("deletions", () => {
  const STOPS = [
    { doubt: "volume", sinceUs: at(5), message: "another disk", evidence: null },
    { doubt: "mass-missing", sinceUs: at(6), message: "8 of 20 files vanished", evidence: 8 },
  ] as const;

  it("are not stopped as a rule, and say so", async () => {
    const http = await httpForTest();
    expect(await get(http, "/api/v1/deletions")).toEqual({ stopped: false, stops: [] });
  });

  it("tell what stops them since when, and go on for what a person names (F45)", async () => {
    const http = await httpForTest();
    http.stops.list = STOPS;
    expect(await get(http, "/api/v1/deletions")).toEqual({
      stopped: true,
      stops: [
        {
          ...{ doubt: "volume", since: "2026-11-20T00:00:05Z", message: "another disk" },
          hint: expect.stringContaining("resume-deletes") as string,
        },
        expect.objectContaining({ doubt: "mass-missing", since: "2026-11-20T00:00:06Z" }),
      ],
    });
    const resume = (doubts: unknown) => ask(http, "/api/v1/deletions/resume", { method: "POST", body: { doubts } });
    expect((await resume([])).status).toBe(400);
    expect((await resume(["everything"])).status).toBe(400);
    expect((await resume(["volume", "clock"])).json()).toEqual({ released: ["volume"] });
    expect(http.stops.list).toEqual([STOPS[1]]);
  });

  it("are in the metrics while they are stopped, by what stops them", async () => {
    const http = await httpForTest();
    http.stops.list = STOPS;
    const { text } = await ask(http, "/metrics");
    expect(text).toContain('reelkeeper_deletions_stopped{doubt="volume"} 1');
    expect(text).toContain('reelkeeper_deletions_stopped{doubt="clock"} 0');
  });
});

describe("rejected files", () => {
  it("are listed by name, as many as asked for, whatever they are called", async () => {
    const http = await httpForTest();
    for (const filePath of ["cam1/b.mp4", "cam1/a \n<script>.mp4", "cam1/\\xff.mp4"]) {
      await recordRejectedFile(http.catalog, { filePath, reason: "a symbolic link", bytes: 3 });
    }
    const { items } = (await get(http, "/api/v1/rejected-files")) as { items: Json[] };
    expect(items.map(({ filePath }) => filePath)).toEqual(
      ["cam1/\\xff.mp4", "cam1/a \n<script>.mp4", "cam1/b.mp4"].sort(),
    );
    expect(items[0]).toMatchObject({ reason: "a symbolic link", bytes: 3, firstSeenAt: "2026-11-20T00:00:00Z" });
    expect((await get(http, "/api/v1/rejected-files?limit=1"))["items"]).toHaveLength(1);
  });
});

describe("health", () => {
  const checksOf = async (http: HttpHarness): Promise<Json[]> =>
    (await get(http, "/api/v1/health/details"))["checks"] as Json[];

  it("is good when everything works, and says where cameras publish to", async () => {
    const http = await httpForTest();
    for (const target of ["/health", "/ready"]) {
      const answer = await ask(http, target);
      expect([answer.status, answer.json()]).toEqual([200, { status: "ok" }]);
    }
    // How full the disk of the test machine is, is not our affair.
    const others = (await checksOf(http)).filter(({ name }) => name !== "record-directory");
    expect(new Set(others.map(({ status }) => status))).toEqual(new Set(["ok"]));
    expect(await get(http, "/api/v1/health/details")).toMatchObject({ publishUrls: ["rtsp://127.0.0.1:8554/PATH"] });
  });

  it.each<[string, string, RegExp, (http: HttpHarness) => unknown]>([
    ["record-directory", "the record directory is gone", /ENOENT/, (http) => rm(http.recordDir, { recursive: true })],
    [
      "store",
      "the store complains",
      /put: 503/,
      (http) => {
        http.pace.lastError = "put: 503";
      },
    ],
    [
      "configuration",
      "MediaMTX runs something else",
      /cam1 record/,
      (http) => {
        http.health.mediamtx = () => ({
          version: "1.21.0",
          error: null,
          configError: null,
          pending: false,
          drift: [{ where: "cam1", setting: "record" }],
        });
      },
    ],
    [
      "configuration",
      "MediaMTX refuses the configuration",
      /bad source/,
      (http) => {
        http.health.mediamtx = () => ({
          version: "1.21.0",
          error: null,
          configError: "bad source",
          pending: false,
          drift: [],
        });
      },
    ],
    [
      "mediamtx",
      "MediaMTX does not answer",
      /refused/,
      (http) => {
        http.health.mediamtx = () => ({ version: "", error: "refused", configError: null, pending: false, drift: [] });
      },
    ],
    [
      "scan",
      "many files vanished at once",
      /51 files/,
      (http) => {
        http.health.scan = () => ({ error: null, doubted: 51, finished: true });
      },
    ],
    [
      "scan",
      "the scan failed",
      /EIO/,
      (http) => {
        http.health.scan = () => ({ error: "read: EIO", doubted: 0, finished: true });
      },
    ],
    [
      "database",
      "the database does not answer",
      /locked/,
      (http) => {
        http.health.pingDatabase = () => Promise.reject(new AppError({ kind: "unavailable", message: "locked" }));
      },
    ],
  ])("of %s is red, and first, when %s", async (name, _what, message, harm) => {
    const http = await httpForTest();
    await harm(http);
    const checks = await checksOf(http);
    expect(checks[0]).toMatchObject({ name, status: "fail", message: expect.stringMatching(message) as string });
    expect(String(checks[0]?.["hint"]).length).toBeGreaterThan(10);
    // Whoever asks whether the process works gets an answer about the process.
    expect((await ask(http, "/health")).status).toBe(200);
  });

  it("is asked in vain when the database is gone, and what is wrong stands in the log alone", async () => {
    const http = await httpForTest();
    await closeCatalog(http.catalog);
    for (const target of ["/health", "/ready"]) {
      const answer = await ask(http, target);
      expect(answer.status).toBe(503);
      expect(answer.json()).toEqual({ status: "failed", reason: "the database does not answer" });
    }
    expect(http.log).toContainEqual(expect.objectContaining({ level: "warn", message: "database does not answer" }));
    expect(problemIn(await ask(http, "/api/v1/recordings")).status).toBe(503);
  });
});

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Prometheus text format 0.0.4; throws at a line that is none. */
function parseMetrics(text: string): Sample[] {
  const samples: Sample[] = [];
  const typed = new Set<string>();
  for (const line of text.split("\n").filter((each) => each !== "")) {
    if (/^# HELP [a-zA-Z_:][\w:]* \S/.test(line)) continue;
    const type = /^# TYPE (\S+) (?:counter|gauge|histogram|summary)$/.exec(line);
    if (type !== null) {
      typed.add(type[1] ?? "");
      continue;
    }
    const match = /^([a-zA-Z_:][\w:]*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$/.exec(line);
    if (match === null) throw new Error(`no metric: ${line}`);
    const [, name = "", labels = "", value = ""] = match;
    if (![name, name.replace(/_(bucket|sum|count)$/, "")].some((known) => typed.has(known))) {
      throw new Error(`${name} has no type`);
    }
    if (Number.isNaN(Number(value.replace("+Inf", "Infinity"))) && value !== "Nan")
      throw new Error(`no value: ${line}`);
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = "", text_ = ""]) => [key, text_]);
    samples.push({ name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) });
  }
  return samples;
}

describe("the metrics", () => {
  it("are Prometheus text, and tell of backlog, of paths and of the process", async () => {
    const http = await httpForTest();
    await addRow(http.catalog, 10, { step: "archive", bytes: 700, path: parsePathName("site/gate") });
    await http.catalog.clock.advance(60_000);
    const answer = await ask(http, "/metrics");
    expect(answer.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    const samples = parseMetrics(answer.text);
    const value = (name: string, labels: Readonly<Record<string, string>> = {}) =>
      samples.find(
        (sample) => sample.name === name && Object.entries(labels).every(([key, is]) => sample.labels[key] === is),
      )?.value;
    expect(value("reelkeeper_backlog_segments", { step: "archive" })).toBe(1);
    expect(value("reelkeeper_backlog_bytes", { step: "archive" })).toBe(700);
    expect(value("reelkeeper_backlog_oldest_age_seconds")).toBe(50);
    expect(value("reelkeeper_path_recording_age_seconds", { path: "site/gate" })).toBe(46);
    expect(value("reelkeeper_upload_concurrency")).toBe(4);
    expect(value("reelkeeper_process_resident_memory_bytes")).toBeGreaterThan(1e6);
  });

  it("fail as a problem when the database is gone, and not as half a text", async () => {
    const http = await httpForTest();
    await closeCatalog(http.catalog);
    expect(problemIn(await ask(http, "/metrics")).status).toBe(503);
  });
});

/** The timeline and the calendar as clients get them. */
import { describe, expect, it } from "vitest";
import type { z } from "zod";

import { insertPathEvent } from "../../../src/catalog/path-events.js";
import { daysSchema, timelineSchema } from "../../../src/contract/timeline.js";
import { formatRfc3339 } from "../../../src/core/instant.js";
import { parsePathName } from "../../../src/core/path-name.js";
import { ask, problemIn } from "../../support/http-ask.js";
import { type HttpHarness, httpForTest } from "../../support/http-harness.js";
import { addRow, at } from "../../support/http-rows.js";

type Timeline = z.infer<typeof timelineSchema>;

const CAM1 = parsePathName("cam1");
const time = (sec: number): string => formatRfc3339(at(sec));
const VIDEO = { kind: "video", id: 1, timescale: 90_000, widthPx: 1, heightPx: 1, frameRate: 1 } as const;

/** The present is an hour after the start. */
async function hourLater(): Promise<HttpHarness> {
  const http = await httpForTest();
  await http.catalog.clock.advance(3_600_000);
  return http;
}

async function timeline(http: HttpHarness, query: Readonly<Record<string, string | number>>): Promise<Timeline> {
  const text = Object.entries(query).map(([name, value]): [string, string] => [name, String(value)]);
  const answer = await ask(http, `/api/v1/timeline?${new URLSearchParams(text).toString()}`);
  if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
  // Nothing that the contract does not name, and all that it does.
  const parsed = timelineSchema.parse(answer.json());
  expect(parsed).toEqual(answer.json());
  return parsed;
}

describe("the timeline", () => {
  it("shows footage and gaps of one path, without a file or an object behind the rows", async () => {
    const http = await hourLater();
    await addRow(http.catalog, 0, { archive: "verified", tracks: [{ ...VIDEO, codec: "avc1.42c028" }] });
    await addRow(http.catalog, 4);
    await addRow(http.catalog, 60.5, { local: "released", archive: "verified" });
    const event = { path: CAM1, sourceType: null, sourceId: null };
    await insertPathEvent(http.catalog, { ...event, kind: "not-ready", atUs: at(9) });
    await insertPathEvent(http.catalog, { ...event, kind: "ready", atUs: at(60), sourceType: "rtspSession" });
    for (const atUs of [at(-20) - 1, at(64.25)]) await insertPathEvent(http.catalog, { ...event, kind: "ready", atUs });
    await insertPathEvent(http.catalog, { ...event, path: parsePathName("cam2"), kind: "ready", atUs: at(5) });
    expect(await timeline(http, { path: "cam1", from: time(-20), to: time(64.25) })).toEqual({
      from: "2026-11-19T23:59:40Z",
      to: "2026-11-20T00:01:04.25Z",
      transcoding: [],
      paths: [
        {
          path: "cam1",
          codecs: ["avc1.42c028"],
          spans: [
            { from: time(-20), to: time(0), kind: "gap", cause: "unknown" },
            { from: time(0), to: time(4), kind: "footage", where: "both" },
            { from: time(4), to: time(8), kind: "footage", where: "local" },
            { from: time(8), to: time(60.5), kind: "gap", cause: "source-offline" },
            { from: time(60.5), to: time(64.25), kind: "footage", where: "archived" },
          ],
          holds: [],
          events: [
            { at: time(9), kind: "not-ready", source: null },
            { at: time(60), kind: "ready", source: "rtspSession" },
          ],
        },
      ],
    });
  });

  it("shows several paths in the order of the request, each once, known or not", async () => {
    const http = await hourLater();
    await addRow(http.catalog, 0, { path: parsePathName("site/gate") });
    const range = { from: time(0), to: time(4) };
    const query = new URLSearchParams([["path", "cam9"], ["path", "site/gate,cam9"], ...Object.entries(range)]);
    const { paths } = timelineSchema.parse((await ask(http, `/api/v1/timeline?${query.toString()}`)).json());
    expect(paths.map(({ path, codecs, spans }) => [path, codecs, spans])).toEqual([
      ["cam9", [], [{ ...range, kind: "gap", cause: "unknown" }]],
      ["site/gate", [], [{ ...range, kind: "footage", where: "local" }]],
    ]);
  });

  it("tells the latest 1,000 events of a camera that comes and goes all the time", async () => {
    const http = await hourLater();
    const rows = Array.from({ length: 1_001 }, (_, index) => ({
      ...{ id: `${index}`, path: "cam1", at_us: at(index), kind: index % 2 === 0 ? "ready" : "not-ready" },
      ...{ source_type: null, source_id: null },
    }));
    await http.catalog.db.batchInsert("path_events", rows, 100);
    const [path] = (await timeline(http, { path: "cam1", from: time(0), to: time(2_000) })).paths;
    expect(path!.events).toHaveLength(1_000);
    expect([path!.events[0]!.at, path!.events.at(-1)!.at]).toEqual([time(1), time(1_000)]);
  });

  it("ends with the present", async () => {
    const http = await hourLater();
    const [path] = (await timeline(http, { path: "cam1", from: time(3_500), to: time(9_999) })).paths;
    expect(path!.spans).toEqual([{ from: time(3_500), to: time(3_600), kind: "gap", cause: "unknown" }]);
    const future = await timeline(http, { path: "cam1", from: time(5_000), to: "9999-12-31T23:59:59Z" });
    expect(future.paths[0]!.spans).toEqual([]);
  });

  it("shows coverage of each bucket with resolution, and no spans", async () => {
    const http = await hourLater();
    await addRow(http.catalog, 0, { endUs: at(15) });
    await addRow(http.catalog, 15, { endUs: at(20), local: "deleted", archive: "deleted" });
    const [path] = (await timeline(http, { path: "cam1", from: time(0), to: time(25), resolution: 10 })).paths;
    expect(path!.spans).toEqual([]);
    expect(path!.buckets).toEqual([
      { from: time(0), to: time(10), coverage: 1, cause: null },
      { from: time(10), to: time(20), coverage: 0.5, cause: "deleted" },
      { from: time(20), to: time(25), coverage: 0, cause: "unknown" },
    ]);
    const late = await timeline(http, { path: "cam1", from: time(3_590), to: time(3_620), resolution: 15 });
    expect(late.paths[0]!.buckets!.map(({ coverage, cause }) => [coverage, cause])).toEqual([
      [0, "unknown"],
      [0, null],
    ]);
  });

  it("holds 10,000 buckets and no more", async () => {
    const http = await hourLater();
    const most = await timeline(http, { path: "cam1", from: time(0), to: time(10_000), resolution: 1 });
    expect(most.paths[0]!.buckets).toHaveLength(10_000);
    const query = new URLSearchParams({ path: "cam1", from: time(0), to: time(10_000.000_001), resolution: "1" });
    const problem = problemIn(await ask(http, `/api/v1/timeline?${query.toString()}`));
    expect(problem).toMatchObject({ status: 400, errors: [{ field: "resolution" }] });
  });

  it("refuses ranges without length, without an end, and too many paths, by the name of the field", async () => {
    const http = await hourLater();
    const right = { path: "cam1", from: time(0), to: time(10) };
    const many = Array.from({ length: 17 }, (_, index) => `cam${index}`).join(",");
    const wrong: readonly [Record<string, string>, string][] = [
      [{ ...right, to: time(0) }, "to"],
      [{ ...right, to: time(-1) }, "to"],
      [{ ...right, path: many }, "path"],
      [{ path: "cam1", from: time(0) }, "to"],
      [{ path: "cam1", to: time(0) }, "from"],
      [{ from: time(0), to: time(10) }, "path"],
    ];
    for (const [query, field] of wrong) {
      const answer = await ask(http, `/api/v1/timeline?${new URLSearchParams(query).toString()}`);
      expect(problemIn(answer), JSON.stringify(query)).toMatchObject({ status: 400, errors: [{ field }] });
    }
  });

  it("refuses a range with more spans than an answer holds, and still tells its coverage", async () => {
    const http = await hourLater();
    await addRow(http.catalog, 0);
    const columns = (await http.catalog.db("recordings").first()) as object;
    await http.catalog.db("recordings").delete();
    const rows = Array.from({ length: 20_001 }, (_, index) => ({
      ...columns,
      id: `r${String(index)}`,
      file_path: `cam1/${String(index)}.mp4`,
      start_us: at(index / 10),
      end_us: at(index / 10 + 0.05),
      gap_before_us: 50_000,
    }));
    await http.catalog.db.batchInsert("recordings", rows, 25);
    const query = { path: "cam1", from: time(-1), to: time(3_600) };
    const answer = await ask(http, `/api/v1/timeline?${new URLSearchParams(query).toString()}`);
    const problem = problemIn(answer);
    expect(problem).toMatchObject({ status: 400, errors: [{ field: "to" }] });
    expect(problem.hint).toContain("resolution");
    const [path] = (await timeline(http, { ...query, resolution: 3_601 })).paths;
    expect(path!.buckets![0]!.coverage).toBeCloseTo((20_001 * 0.05) / 3_601, 9);
  });
});

describe("the calendar", () => {
  it("shows the days of a month with footage, as the zone has them", async () => {
    const http = await httpForTest();
    await http.catalog.clock.advance(86_400_000);
    await addRow(http.catalog, -7_200, { endUs: at(3_600) });
    const days = async (query: Record<string, string>) => {
      const answer = await ask(http, `/api/v1/days?${new URLSearchParams(query).toString()}`);
      return daysSchema.parse(answer.json());
    };
    const query = { path: "cam1", month: "2026-11" };
    expect(await days(query)).toEqual({
      ...query,
      zone: "UTC",
      days: [
        { date: "2026-11-19", footageSec: 7_200 },
        { date: "2026-11-20", footageSec: 3_600 },
      ],
    });
    expect((await days({ ...query, zone: "Europe/Berlin" })).days).toEqual([
      { date: "2026-11-19", footageSec: 3_600 },
      { date: "2026-11-20", footageSec: 7_200 },
    ]);
    expect((await days({ ...query, month: "2026-12" })).days).toEqual([]);
    expect((await days({ ...query, path: "cam2" })).days).toEqual([]);
    expect((await days({ ...query, month: "9999-12" })).days).toEqual([]);
  });

  it("refuses months and zones that there are not", async () => {
    const http = await httpForTest();
    for (const [field, value] of [
      ["month", "2026-13"],
      ["zone", "Mars/Olympus"],
      ["zone", "+02:00"],
    ] as const) {
      const query = { path: "cam1", month: "2026-11", zone: "UTC", [field]: value };
      const answer = await ask(http, `/api/v1/days?${new URLSearchParams(query).toString()}`);
      expect(problemIn(answer)).toMatchObject({ status: 400, errors: [{ field }] });
    }
  });
});

it("says in the API's document what a timeline cannot do without", async () => {
  const http = await httpForTest();
  interface Operation {
    readonly parameters: readonly { readonly name: string; readonly required: boolean }[];
  }
  const document = (await ask(http, "/api/v1/openapi.json")).json() as {
    readonly paths: Readonly<Record<string, { readonly get: Operation }>>;
  };
  const required = (path: string) =>
    document.paths[path]!.get.parameters.filter((parameter) => parameter.required).map(({ name }) => name);
  expect(required("/api/v1/timeline")).toEqual(["path", "from", "to"]);
  expect(required("/api/v1/days")).toEqual(["path", "month"]);
});

/** Editing paths: by URL and by query, merged and not overwritten, shown to MediaMTX before anything is written. */
import { describe, expect, it } from "vitest";

import { findPath, insertPath, updatePath } from "../../../src/catalog/paths.js";
import { insertPathEvent } from "../../../src/catalog/path-events.js";
import { AppError } from "../../../src/core/errors.js";
import { parsePathName } from "../../../src/core/path-name.js";
import { ask, type Answered, problemIn } from "../../support/http-ask.js";
import { DEFAULT_RETENTION_MS, type HttpHarness, httpForTest } from "../../support/http-harness.js";
import { addRow, at, dump } from "../../support/http-rows.js";

type Body = Record<string, unknown>;

const GATE = parsePathName("site/gate");
const SOURCE = "rtsp://admin:it's%20a:p@ss@10.0.0.7:554/stream?channel=1&pwd=quay'side&token=t0ken";
const SECRETS = ["it's", "p@ss", "quay", "side", "t0ken"];

const add = (http: HttpHarness, body: Body) => ask(http, "/api/v1/paths", { method: "POST", body });
const byUrl = (name: string): string => `/api/v1/paths/${name}`;
const byQuery = (name: string): string => `/api/v1/paths?path=${encodeURIComponent(name)}`;
const patch = (http: HttpHarness, target: string, body: Body) => ask(http, target, { method: "PATCH", body });
const bodyOf = (answer: Answered): Body => answer.json() as Body;

async function added(body: Body): Promise<HttpHarness> {
  const http = await httpForTest();
  const answer = await add(http, body);
  if (answer.status !== 201) throw new Error(answer.text);
  http.woken.times = 0;
  http.mediamtx.applied = 0;
  return http;
}

describe.each([
  ["as the end of the URL", byUrl],
  ["as query parameter", byQuery],
])("a path named %s", (_name, target) => {
  it("is shown, changed and removed, slashes and all", async () => {
    const http = await added({ name: "site/gate", record: true });
    await add(http, { name: "site" });
    expect(bodyOf(await ask(http, target("site/gate")))).toMatchObject({ name: "site/gate", record: true });
    const changed = await patch(http, target("site/gate"), { record: false, labels: ["gate"] });
    expect([changed.status, bodyOf(changed)]).toMatchObject([200, { record: false, labels: ["gate"] }]);
    const removed = await ask(http, target("site/gate"), { method: "DELETE" });
    expect([removed.status, bodyOf(removed)]).toEqual([200, { removed: "site/gate" }]);
    expect(problemIn(await ask(http, target("site/gate"))).status).toBe(404);
    expect(problemIn(await ask(http, target("site/gate"), { method: "DELETE" })).status).toBe(404);
    expect(problemIn(await patch(http, target("site/gate"), { record: true })).status).toBe(404);
    expect((await ask(http, target("site"))).status).toBe(200);
    expect(http.mediamtx.applied).toBe(3);
  });
});

describe("adding a path", () => {
  it("keeps MediaMTX's settings by their own names beside ours, and says so", async () => {
    const http = await httpForTest();
    const body = {
      name: "cam1",
      record: true,
      recordSegmentDuration: "4s",
      recordFormat: "mpegts",
      maxReaders: 3,
      archive: "none",
      localRetention: "7d",
      labels: ["door", "é"],
    };
    const answer = await add(http, body);
    expect([answer.status, bodyOf(answer)]).toMatchObject([201, { ...body, enabled: true, archiveRetention: null }]);
    expect(await findPath(http.catalog, parsePathName("cam1"))).toMatchObject({
      settings: { record: true, recordSegmentDuration: "4s", recordFormat: "mpegts", maxReaders: 3 },
      archive: "none",
      localRetention: "7d",
    });
    expect(http.mediamtx.applied).toBe(1);
    expect(bodyOf(await ask(http, byUrl("cam1")))).toEqual(bodyOf(answer));
    const { effective, warnings, ...listed } = bodyOf(answer);
    expect([effective, warnings]).toMatchObject([
      { maxReaders: { value: 3, from: "own", inherited: 0 } },
      [{ field: "recordFormat" }],
    ]);
    expect(bodyOf(await ask(http, "/api/v1/paths"))).toEqual({ items: [listed], others: [] });
  });

  it("has it recorded where the base configuration says so and the path does not", async () => {
    const http = await httpForTest();
    await add(http, { name: "cam1" });
    await add(http, { name: "cam2", record: true });
    const recorded = async () => {
      const { items } = bodyOf(await ask(http, "/api/v1/paths")) as { items: { recorded: boolean }[] };
      return items.map((path) => path.recorded);
    };
    expect(await recorded()).toEqual([false, true]);
    http.mediamtx.inherited = { record: true, source: "rtsp://u:secret@h/1" };
    expect(await recorded()).toEqual([true, true]);
    const shown = await ask(http, byUrl("cam2"));
    expect(bodyOf(shown)).toMatchObject({ effective: { record: { from: "own", inherited: true } } });
    const settings = await ask(http, "/api/v1/config/settings");
    const items = (bodyOf(settings) as { items: { name: string; inherited: unknown }[] }).items;
    expect(items.find(({ name }) => name === "record")?.inherited).toBe(true);
    for (const { text } of [shown, settings]) expect(text).not.toContain("u:secret");
  });

  it("of a name that there is already is refused, also when ten try at once", async () => {
    const http = await httpForTest();
    const answers = await Promise.all(Array.from({ length: 10 }, () => add(http, { name: "cam1" })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(9).fill(409)]);
    expect(http.mediamtx.applied).toBe(1);
  });

  it.each(["all", "all_others"])("named %s is refused, for that is MediaMTX's word for all others", async (name) => {
    const http = await httpForTest();
    expect(problemIn(await add(http, { name }))).toMatchObject({ status: 400, errors: [{ field: "name" }] });
  });

  it("that pulls on demand from nowhere is refused by the setting's name", async () => {
    const http = await httpForTest();
    const answer = await add(http, { name: "cam1", sourceOnDemand: true });
    expect(problemIn(answer)).toMatchObject({ status: 400, errors: [{ field: "sourceOnDemand" }] });
    const own = await added({ name: "cam1", source: "rtsp://h/1", sourceOnDemand: true });
    const reset = await patch(own, byUrl("cam1"), { source: null });
    expect(problemIn(reset)).toMatchObject({ status: 400, errors: [{ field: "sourceOnDemand" }] });
  });
});

describe("what MediaMTX refuses", () => {
  const refuse = () =>
    Promise.reject(
      new AppError({ kind: "failed-precondition", message: `mediamtx refuses path cam1: bad source ${SOURCE}` }),
    );

  it("is answered with its reason and without passwords, and nothing is written", async () => {
    const http = await added({ name: "cam1", record: true });
    const before = await dump(http.catalog);
    http.mediamtx.validate = refuse;
    for (const answer of [await add(http, { name: "cam2" }), await patch(http, byUrl("cam1"), { record: false })]) {
      expect(problemIn(answer)).toMatchObject({
        status: 409,
        detail: expect.stringContaining("mediamtx refuses path cam1: bad source rtsp://admin:***@") as string,
      });
      for (const secret of SECRETS) expect(answer.text).not.toContain(secret);
    }
    expect(await dump(http.catalog)).toEqual(before);
    expect([http.mediamtx.applied, http.woken.times]).toEqual([0, 0]);
  });

  it("is asked with the whole of what would be, once per change", async () => {
    const http = await added({ name: "cam1", record: true });
    const asked: unknown[] = [];
    http.mediamtx.validate = (paths) => {
      asked.push(paths);
      return Promise.resolve();
    };
    await patch(http, byUrl("cam1"), { record: false });
    await add(http, { name: "cam2", enabled: false });
    const cam1 = { name: "cam1", enabled: true, settings: { record: false } };
    expect(asked).toEqual([[cam1], [cam1, { name: "cam2", enabled: false, settings: {} }]]);
  });

  it("cannot be asked is answered as not available now", async () => {
    const http = await httpForTest();
    http.mediamtx.validate = () => Promise.reject(new AppError({ kind: "unavailable", message: "no answer" }));
    expect(problemIn(await add(http, { name: "cam1" })).status).toBe(503);
    expect(await findPath(http.catalog, parsePathName("cam1"))).toBeUndefined();
  });
});

describe("changing a path", () => {
  it("keeps what is not named, and null resets a setting to what it inherits", async () => {
    const http = await added({ name: "cam1", record: true, recordSegmentDuration: "4s", localRetention: "7d" });
    const answer = await patch(http, byUrl("cam1"), {
      recordSegmentDuration: null,
      maxReaders: 2,
      localRetention: null,
    });
    expect(bodyOf(answer)).toMatchObject({ record: true, maxReaders: 2, localRetention: null });
    expect(bodyOf(answer)).not.toHaveProperty("recordSegmentDuration");
    expect(await findPath(http.catalog, parsePathName("cam1"))).toMatchObject({
      settings: { record: true, maxReaders: 2 },
    });
  });

  it.each(["name", "createdAt", "updatedAt", "state", "config"])("cannot touch %s", async (field) => {
    const http = await added({ name: "cam1" });
    const answer = await patch(http, byUrl("cam1"), { [field]: "cam2" });
    expect(problemIn(answer)).toMatchObject({ status: 400, errors: [{ field }] });
  });

  it.each(["enabled", "archive", "labels"])("cannot reset %s, which inherits nothing", async (field) => {
    const http = await added({ name: "cam1" });
    expect(problemIn(await patch(http, byUrl("cam1"), { [field]: null }))).toMatchObject({
      status: 400,
      errors: [{ field }],
    });
  });

  it("loses no field when twelve do it at the same time", async () => {
    const http = await added({ name: "cam1" });
    // All of them have read before any of them writes.
    let waiting: (() => void)[] = [];
    http.mediamtx.validate = () =>
      new Promise((resolve) => {
        waiting.push(resolve);
        if (waiting.length < 12) return;
        http.mediamtx.validate = () => Promise.resolve();
        for (const go of waiting) go();
        waiting = [];
      });
    const changes: Body[] = [
      { record: true },
      { recordFormat: "mpegts" },
      { recordPartDuration: "2s" },
      { recordSegmentDuration: "10s" },
      { recordMaxPartSize: "20M" },
      { maxReaders: 5 },
      { useAbsoluteTimestamp: true },
      { overridePublisher: false },
      { rtspTransport: "tcp" },
      { labels: ["a"] },
      { archive: "none" },
      { localRetention: "3d" },
    ];
    const answers = await Promise.all(changes.map((change) => patch(http, byUrl("cam1"), change)));
    expect(answers.map(({ status }) => status)).toEqual(changes.map(() => 200));
    expect(bodyOf(await ask(http, byUrl("cam1")))).toMatchObject(Object.assign({}, ...changes) as Body);
  });

  it("sees what another process has written meanwhile", async () => {
    const http = await added({ name: "cam1", record: true });
    const before = await findPath(http.catalog, parsePathName("cam1"));
    let interferences = 0;
    http.mediamtx.validate = async () => {
      interferences += 1;
      if (interferences === 1) await updatePath(http.catalog, { ...before!, labels: ["from elsewhere"] });
    };
    const answer = await patch(http, byUrl("cam1"), { record: false });
    expect(bodyOf(answer)).toMatchObject({ record: false, labels: ["from elsewhere"] });
    expect(interferences).toBe(2);
  });

  it("that somebody removes meanwhile is not found, and does not come back", async () => {
    const http = await added({ name: "cam1" });
    http.mediamtx.validate = async () => {
      await ask(http, byUrl("cam1"), { method: "DELETE" });
    };
    expect(problemIn(await patch(http, byUrl("cam1"), { record: true })).status).toBe(404);
    expect(await findPath(http.catalog, parsePathName("cam1"))).toBeUndefined();
  });
});

describe("the password of a source", () => {
  const stored = async (http: HttpHarness) => (await findPath(http.catalog, parsePathName("cam1")))?.settings["source"];

  it("is never shown, however it is written", async () => {
    const http = await added({ name: "cam1", source: SOURCE });
    const long = `rtsp://${"u".repeat(400)}:${"long".repeat(350)}@10.0.0.7/1`;
    await add(http, { name: "cam2", source: long });
    for (const target of [byUrl("cam1"), byQuery("cam1"), "/api/v1/paths", byUrl("cam2")]) {
      const { text } = await ask(http, target);
      for (const secret of [...SECRETS, "longlong"]) expect(text, target).not.toContain(secret);
    }
    expect(bodyOf(await ask(http, byUrl("cam1")))["source"]).toBe(
      "rtsp://admin:***@10.0.0.7:554/stream?channel=1&pwd=***&token=***",
    );
  });

  it("stays what it was when all that was read is sent back", async () => {
    const http = await added({ name: "cam1", source: SOURCE, record: true });
    const read = bodyOf(await ask(http, byUrl("cam1")));
    const editable = Object.entries(read).filter(
      ([field]) =>
        !["name", "createdAt", "updatedAt", "recorded", "state", "config", "effective", "warnings"].includes(field),
    );
    const answer = await patch(http, byUrl("cam1"), { ...Object.fromEntries(editable), record: false });
    expect(bodyOf(answer)).toMatchObject({ source: read["source"], record: false });
    expect(await stored(http)).toBe(SOURCE);
  });

  it("is not replaced by its mask when the rest of the source changes", async () => {
    const http = await added({ name: "cam1", source: SOURCE });
    for (const source of ["rtsp://admin:***@10.0.0.8/stream", "rtsp://10.0.0.7/x?token=***", "rtsp://h/?pwd=***&a=1"]) {
      const answer = await patch(http, byUrl("cam1"), { source });
      expect(problemIn(answer), source).toMatchObject({ status: 400, errors: [{ field: "source" }] });
    }
    expect(problemIn(await add(http, { name: "cam2", source: "rtsp://u:***@h/1" })).status).toBe(400);
    expect(await stored(http)).toBe(SOURCE);
    await patch(http, byUrl("cam1"), { source: "rtsp://admin:new@10.0.0.8/stream" });
    expect(await stored(http)).toBe("rtsp://admin:new@10.0.0.8/stream");
  });
});

describe("a passphrase or token of a path", () => {
  const NAMES = { srtReadPassphrase: "0123456789", srtPublishPassphrase: "publishers only", whepBearerToken: "a.b.c" };
  const MASKS = Object.fromEntries(Object.keys(NAMES).map((name) => [name, "***"]));
  const stored = async (http: HttpHarness) => (await findPath(http.catalog, parsePathName("cam1")))?.settings;

  it("is shown as ***, which stays what it was when it is sent back, and is sealed", async () => {
    const http = await added({ name: "cam1", ...NAMES });
    for (const target of [
      byUrl("cam1"),
      "/api/v1/paths",
      "/api/v1/config",
      "/api/v1/config/history/1",
      "/api/v1/audit",
    ]) {
      const { text } = await ask(http, target);
      for (const secret of Object.values(NAMES)) expect(text, target).not.toContain(secret);
    }
    const [row] = await http.catalog.db<{ settings: string; secrets: string }>("paths");
    expect(JSON.parse(row?.settings ?? "")).toEqual(Object.fromEntries(Object.keys(NAMES).map((name) => [name, null])));
    expect(bodyOf(await ask(http, byUrl("cam1")))).toMatchObject(MASKS);
    expect((await patch(http, byUrl("cam1"), { ...MASKS, maxReaders: 3 })).status).toBe(200);
    expect(await stored(http)).toEqual({ ...NAMES, maxReaders: 3 });
    expect((await patch(http, byUrl("cam1"), { srtReadPassphrase: "another one", whepBearerToken: null })).status).toBe(
      200,
    );
    expect(await stored(http)).toEqual({
      ...{ srtReadPassphrase: "another one", srtPublishPassphrase: "publishers only", maxReaders: 3 },
    });
  });

  it("is refused as a mask of nothing, and without being told when it is malformed", async () => {
    const http = await added({ name: "cam1", maxReaders: 3 });
    for (const [field, value] of [...Object.entries(MASKS), ["srtReadPassphrase", "too-short"] as const]) {
      const answer = await patch(http, byUrl("cam1"), { [field]: value });
      expect(problemIn(answer), field).toMatchObject({ status: 400, errors: [{ field }] });
      expect(answer.text).not.toContain("too-short");
    }
    const pulled = { source: "rtsp://10.0.0.7/1", srtPublishPassphrase: NAMES.srtPublishPassphrase };
    expect(problemIn(await patch(http, byUrl("cam1"), pulled))).toMatchObject({
      errors: [{ field: "srtPublishPassphrase" }],
    });
    expect(await stored(http)).toEqual({ maxReaders: 3 });
  });
});

describe("a changed policy", () => {
  const release = { step: "release", archive: "verified", local: "present" } as const;
  const dueAt = async (http: HttpHarness): Promise<number[]> => {
    const rows = (await http.catalog.db("recordings").orderBy("start_us")) as { next_attempt_at_us: number }[];
    return rows.map((row) => row.next_attempt_at_us);
  };

  it("of local retention moves the release of what waits for it, of this path only", async () => {
    const http = await added({ name: "site/gate" });
    await addRow(http.catalog, 0, { ...release, path: GATE, verifiedAtUs: at(10), nextAttemptAtUs: at(99_999) });
    await addRow(http.catalog, 4, { path: GATE, step: "archive", nextAttemptAtUs: at(77) });
    await addRow(http.catalog, 8, { ...release, verifiedAtUs: at(10), nextAttemptAtUs: at(88) });
    await patch(http, byUrl("site/gate"), { localRetention: "1h" });
    expect(await dueAt(http)).toEqual([at(10 + 3_600), at(77), at(88)]);
    await patch(http, byUrl("site/gate"), { localRetention: "0s" });
    expect(await dueAt(http)).toEqual([at(10), at(77), at(88)]);
    await patch(http, byUrl("site/gate"), { localRetention: null });
    expect(await dueAt(http)).toEqual([at(10 + DEFAULT_RETENTION_MS / 1_000), at(77), at(88)]);
    expect(http.woken.times).toBe(3);
  });

  it("of the longest retention leaves rows that can still be read", async () => {
    const http = await added({ name: "site/gate" });
    const { id } = await addRow(http.catalog, 0, { ...release, path: GATE, verifiedAtUs: at(10) });
    expect((await patch(http, byUrl("site/gate"), { localRetention: "36500d" })).status).toBe(200);
    expect((await ask(http, `/api/v1/recordings/${id}`)).status).toBe(200);
  });

  it("that leaves retention alone moves nothing", async () => {
    const http = await added({ name: "site/gate", localRetention: "1h" });
    await addRow(http.catalog, 0, { ...release, path: GATE, verifiedAtUs: at(10), nextAttemptAtUs: at(55) });
    await patch(http, byUrl("site/gate"), { localRetention: "1h", labels: ["x"] });
    expect(await dueAt(http)).toEqual([at(55)]);
  });

  it("from no archive to archive queues what is here and was never archived", async () => {
    const http = await added({ name: "site/gate", archive: "none" });
    const idle = { path: GATE, nextAttemptAtUs: at(99) };
    await addRow(http.catalog, 0, idle);
    await addRow(http.catalog, 4, { ...idle, local: "open", step: "settle" });
    await addRow(http.catalog, 8, { ...idle, local: "missing" });
    await addRow(http.catalog, 12, { nextAttemptAtUs: at(99) });
    const steps = async () =>
      ((await http.catalog.db("recordings").orderBy("start_us")) as { step: string | null }[]).map(({ step }) => step);
    await patch(http, byUrl("site/gate"), { labels: ["x"] });
    expect(await steps()).toEqual([null, "settle", null, null]);
    await patch(http, byUrl("site/gate"), { archive: "all" });
    expect(await steps()).toEqual(["inspect", "settle", null, null]);
    expect((await dueAt(http))[0]).toBe(http.catalog.clock.nowUs());
    expect(http.woken.times).toBe(2);
  });
});

describe("the state of a path", () => {
  it("is what MediaMTX says now, and when a hook last told of it", async () => {
    const http = await added({ name: "cam1" });
    const facts = { path: parsePathName("cam1"), sourceType: null, sourceId: null };
    await insertPathEvent(http.catalog, { ...facts, kind: "ready", atUs: at(7) });
    http.mediamtx.live = () =>
      Promise.resolve(new Map([[parsePathName("cam1"), { online: true, source: "rtspSession" }]]));
    const state = { online: true, source: "rtspSession", since: "2026-11-20T00:00:07Z" };
    expect(bodyOf(await ask(http, byUrl("cam1")))).toMatchObject({ state });
  });

  it("is offline when MediaMTX does not know it, and unknown when MediaMTX cannot be asked", async () => {
    const http = await added({ name: "cam1" });
    expect(bodyOf(await ask(http, byUrl("cam1")))).toMatchObject({ state: { online: false, since: null } });
    http.mediamtx.live = () => Promise.reject(new AppError({ kind: "unavailable", message: "refused" }));
    for (const target of [byUrl("cam1"), byQuery("cam1")]) {
      expect(bodyOf(await ask(http, target))).toMatchObject({ state: { online: null, source: null } });
    }
    expect(bodyOf(await ask(http, "/api/v1/paths"))).toMatchObject({ items: [{ state: { online: null } }] });
  });

  it("is told of paths that only MediaMTX knows, once they have recordings", async () => {
    const http = await added({ name: "cam1" });
    await addRow(http.catalog, 0);
    await addRow(http.catalog, 10, { path: GATE });
    const { items, others } = bodyOf(await ask(http, "/api/v1/paths")) as {
      items: { name: string }[];
      others: unknown[];
    };
    expect(items.map(({ name }) => name)).toEqual(["cam1"]);
    expect(others).toEqual([{ name: "site/gate", state: { online: false, source: null, since: null } }]);
  });

  it("of a hundred paths is asked of MediaMTX once", async () => {
    const http = await httpForTest();
    for (let index = 0; index < 100; index += 1) {
      const name = parsePathName(`cam${index}`);
      const ours = { enabled: true, archive: "all", localRetention: null, archiveRetention: null, labels: [] } as const;
      await insertPath(http.catalog, { name, settings: {}, ...ours });
    }
    let asked = 0;
    http.mediamtx.live = () => {
      asked += 1;
      return Promise.reject(new AppError({ kind: "unavailable", message: "refused" }));
    };
    expect((bodyOf(await ask(http, "/api/v1/paths"))["items"] as unknown[]).length).toBe(100);
    expect(asked).toBe(1);
  });
});

/**
 * Paths are edited while four cameras publish, are recorded and two of them watched: by a real MediaMTX, whose sessions,
 * files and configuration say how that went.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";

import { expect, it, onTestFinished } from "vitest";

import type { RecordingView } from "../../../src/contract/recordings.js";
import type { App } from "../../support/app.js";
import { startChild } from "../../support/child.js";
import { createRandom, printedSeed } from "../../support/random.js";
import { waitFor } from "../../support/wait-for.js";
import { configured, folderScene } from "./scene.js";

const LIVE = ["site/live1", "site/live2", "site/live3", "live4"];
const WATCHED = ["site/live1", "live4"];
const NOWHERE = ["-f", "null", "-"];
const EDITS = 50;
const GOP_SEC = 1;
const CAMERA = { size: "160x120", fps: 10, gopSec: GOP_SEC, bitrate: "80k" };

interface Preview {
  readonly diff: string;
  readonly reconnects: readonly { readonly path: string; readonly reason: string }[];
  readonly warnings: readonly { readonly path: string; readonly message: string }[];
}

interface Change {
  readonly action: "create" | "update" | "delete";
  readonly name: string;
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** Everybody who publishes or reads, by id: whoever was cut off and came back has another one. */
async function sessionIds({ mediamtxApiUrl }: App): Promise<string[]> {
  const response = await fetch(`${mediamtxApiUrl}/v3/rtspsessions/list`);
  const { items } = (await response.json()) as { items: { id: string; path: string; state: string }[] };
  return items.map(({ id, path: of, state }) => `${of} ${state} ${id}`).sort();
}

const configText = ({ dataDir }: App): Promise<string> =>
  readFile(path.join(dataDir, "mediamtx", "mediamtx.yml"), "utf8");

/** Of other paths only, whatever the dice say. */
function createEdits(random: () => number): () => Change {
  const there = new Set<string>();
  const one = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const settings = (): Record<string, unknown> =>
    one([
      () => ({ record: random() < 0.5 }),
      () => ({ recordSegmentDuration: one(["2s", "30s", "5m"]) }),
      () => ({ recordFormat: one(["fmp4", "mpegts"]) }),
      () => ({ maxReaders: Math.floor(random() * 9) }),
      () => ({ source: one(["publisher", "rtsp://127.0.0.1:1/away", "rtsp://u:pass-word@127.0.0.1:1/away"]) }),
      () => ({ overridePublisher: random() < 0.5 }),
      () => ({ useAbsoluteTimestamp: random() < 0.5 }),
    ])();
  return () => {
    const name = `site/${one(["other", "live", "live11"])}${Math.floor(random() * 5)}/x`;
    if (!there.has(name)) {
      there.add(name);
      return { action: "create", name, settings: settings() };
    }
    if (random() < 0.8) return { action: "update", name, settings: settings() };
    there.delete(name);
    return { action: "delete", name };
  };
}

function carryOut(app: App, { action, name, settings = {} }: Change): Promise<unknown> {
  if (action === "create") return app.post("/api/v1/paths", { name, ...settings });
  if (action === "update") return app.patch(`/api/v1/paths/${name}`, settings);
  return app.delete(`/api/v1/paths/${name}`);
}

/** Runs of one recorder, in order; each begins at its number 0 and misses none. */
function runsOf(recordings: readonly RecordingView[]): RecordingView[][] {
  const runs: RecordingView[][] = [];
  for (const recording of recordings) {
    const run = runs.at(-1);
    if (run?.[0]?.streamId === recording.streamId) run.push(recording);
    else runs.push([recording]);
  }
  for (const run of runs) {
    expect(run.map(({ segmentNumber }) => segmentNumber)).toEqual(run.map((_, index) => index));
    expect(run.slice(1).filter(({ gapBeforeSec }) => gapBeforeSec !== 0)).toEqual([]);
  }
  return runs;
}

it("50 random edits of other paths cut nobody off and lose no segment; one of a camera's own costs a GOP and says so", async () => {
  const random = createRandom(printedSeed());
  const { app, addPath, startCamera } = await folderScene();
  for (const name of LIVE) await addPath(name, { recordSegmentDuration: "2s" });
  const cameras = await Promise.all(LIVE.map((name) => startCamera(name, CAMERA)));
  const viewers = await Promise.all(
    WATCHED.map(async (name) => {
      // By itself ffmpeg gives up where five seconds of a stream do not tell what it is.
      const input = ["-analyzeduration", "60M", "-rtsp_transport", "tcp", "-i", app.rtspUrl(name)];
      const viewer = await startChild("ffmpeg", ["-nostdin", "-loglevel", "error", ...input, "-c", "copy", ...NOWHERE]);
      onTestFinished(async () => {
        await viewer.stop("SIGKILL");
      });
      return viewer;
    }),
  );
  const before = await waitFor("cameras and viewers to be there", async () => {
    const ids = await sessionIds(app);
    return ids.length === LIVE.length + WATCHED.length && ids.every((id) => / (publish|read) /.test(id)) ? ids : false;
  });
  const yamlBefore = await configText(app);
  const { version } = await app.get<{ version: number }>("/api/v1/config");

  const next = createEdits(random);
  for (let edit = 0; edit < EDITS; edit += 1) {
    const change = next();
    const preview = await app.post<Preview>("/api/v1/config/preview", { changes: [change] });
    const others = preview.reconnects.filter(({ path: name }) => !LIVE.includes(name));
    expect(preview.reconnects).toEqual(others);
    await carryOut(app, change);
    // Edits that come together make one reload: now and then what was asked for is waited for.
    if (edit % 4 === 3) await configured(app, LIVE[0]!);
  }
  await configured(app, LIVE[0]!);
  expect(await sessionIds(app)).toEqual(before);

  // A rollback of them all, on the running server, brings back the very file.
  const rolledBack = await app.post<{ exact: boolean }>("/api/v1/config/rollback", { version });
  await configured(app, LIVE[0]!);
  expect([rolledBack.exact, await configText(app)]).toEqual([true, yamlBefore]);
  expect(await sessionIds(app)).toEqual(before);

  // One of the recorder's own settings: what it costs is said before.
  const [own = ""] = LIVE;
  const change = { action: "update", name: own, settings: { recordSegmentDuration: "3s" } } as const;
  const preview = await app.post<Preview>("/api/v1/config/preview", { changes: [change] });
  expect(preview.reconnects).toEqual([]);
  const message = expect.stringMatching(/at most one GOP/) as string;
  expect(preview.warnings).toContainEqual({ path: own, field: "record", message });
  const edited = (await app.createdFiles()).length;
  await carryOut(app, change);
  await configured(app, own);
  await waitFor("files of the new length", async () => {
    const files = (await app.createdFiles()).slice(edited).filter((file) => file.includes(`/${own}/`));
    return files.length >= 3;
  });
  expect(await sessionIds(app)).toEqual(before);
  expect([...cameras.map(({ child }) => child), ...viewers].map(({ process }) => process.exitCode)).toEqual(
    before.map(() => null),
  );
  expect((await app.mediamtxLog()).split("reloading configuration").length).toBeGreaterThan(10);

  await Promise.all([...viewers.map((viewer) => viewer.stop()), ...cameras.map((camera) => camera.stop())]);
  await app.drained();
  for (const name of LIVE) {
    const runs = runsOf(await app.recordings({ path: name }));
    expect([name, runs.length]).toEqual([name, name === own ? 2 : 1]);
    const [, second] = runs;
    if (second !== undefined) expect(second[0]?.gapBeforeSec).toBeLessThanOrEqual(GOP_SEC);
  }
  expect(await app.audit()).toMatchObject({ violations: [] });
});

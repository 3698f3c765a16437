/**
 * The sweep from inside (F14, F30, F42, F54): a small pipeline is killed, failed, paused or made to repeat itself at every
 * fault point of the sources, then played to its end, and the independent checker looks at what is left. In CI: kill and
 * error at all points with a folder store, kill at the points of S3 with versitygw, about two minutes. FAULT_SWEEP=all:
 * all four at all points with both stores.
 */
import { mkdir } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { JUDGED_ONCE } from "../../support/patience.js";
import { faultPointsInSource, isOfFolder, isOfS3, isSweptElsewhere } from "../../support/pipeline/fault-points.js";
import { layOutScene } from "../../support/pipeline/scene-files.js";
import { violationsOf } from "../../support/pipeline/scene-checks.js";
import { Stage } from "../../support/pipeline/stage.js";
import { copyArmedProgram, type FaultMode } from "../../support/pipeline/swept-process.js";
import { createTempDir, removeTempDir } from "../../support/temp-dir.js";
import { type S3Server, startS3Server } from "../../support/versitygw.js";

const SWEEPS_ALL = process.env["FAULT_SWEEP"] === "all";
const MODES: readonly FaultMode[] = ["kill", "error", "pause", "repeat"];
/** Waiting for a turn counts as well. */
const TURN_TIMEOUT_MS = 3_600_000;
const FAULTS_OF: Record<FaultMode, string> = { kill: "F14, F62", error: "F42", pause: "F16, F54", repeat: "F54" };
const points = (await faultPointsInSource()).filter((point) => !isSweptElsewhere(point));

describe.each(["folder", "s3"] as const)("with the %s store", JUDGED_ONCE, (kind) => {
  const ofStore = points.filter((point) => !(kind === "folder" ? isOfS3(point) : isOfFolder(point)));
  let directory: string;
  let server: S3Server | undefined;
  let stage: Stage;
  let cases = 0;

  beforeAll(async () => {
    directory = await createTempDir();
    if (kind === "s3") {
      await mkdir(path.join(directory, "buckets"));
      server = await startS3Server({ directory: path.join(directory, "buckets") });
    }
    stage = new Stage(await copyArmedProgram(directory));
  });
  afterAll(async () => {
    await stage.close();
    await server?.stop();
    await removeTempDir(directory);
  });

  async function newScene() {
    const sceneDir = path.join(directory, `case-${String((cases += 1))}`);
    await mkdir(sceneDir);
    return layOutScene(sceneDir, server);
  }

  it("reaches every point without a fault, and everything holds", async () => {
    const files = await newScene();
    const reached = await stage.play(files.scene);
    expect(ofStore.filter((point) => !reached.includes(point))).toEqual([]);
    expect(await violationsOf(files)).toEqual([]);
  });

  for (const mode of MODES) {
    const swept = SWEEPS_ALL ? ofStore : sweptInCi(kind, mode, ofStore);
    if (swept.length === 0) continue;
    it.concurrent.each(swept)(
      `loses nothing with ${mode} at %s (${FAULTS_OF[mode]})`,
      async (point) => {
        await stage.inTurn(async () => {
          const files = await newScene();
          await stage.playWith({ point, mode }, files.scene);
          expect(await violationsOf(files)).toEqual([]);
          await removeTempDir(files.directory);
        });
      },
      TURN_TIMEOUT_MS,
    );
  }
});

function sweptInCi(kind: "folder" | "s3", mode: FaultMode, ofStore: readonly string[]): readonly string[] {
  if (kind === "s3") return mode === "kill" ? ofStore.filter(isOfS3) : [];
  return mode === "kill" || mode === "error" ? ofStore : [];
}

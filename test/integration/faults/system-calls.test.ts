/**
 * The sweep from outside: the scene of the fault points under strace, killed at or failed in its Nth system call that
 * changes something, then played to its end, and the independent checker looks at what is left. In CI a few numbers per
 * kind of call, spread over the whole run by a seed that is printed (FAULT_SEED repeats it), about a minute and a half.
 * FAULT_SWEEP=all: every number, with both stores, for hours.
 */
import { mkdir } from "node:fs/promises";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { JUDGED_ONCE, PATIENCE } from "../../support/patience.js";
import { layOutScene } from "../../support/pipeline/scene-files.js";
import { violationsOf } from "../../support/pipeline/scene-checks.js";
import { Stage } from "../../support/pipeline/stage.js";
import { copyArmedProgram } from "../../support/pipeline/swept-process.js";
import { type CallGroup, CALLS, countCalls, type CountedCalls, strikeAt } from "../../support/pipeline/system-calls.js";
import { createTempDir, removeTempDir } from "../../support/temp-dir.js";
import { type S3Server, startS3Server } from "../../support/versitygw.js";

const SWEEPS_ALL = process.env["FAULT_SWEEP"] === "all";
const SEED = Number(process.env["FAULT_SEED"] ?? Math.floor(Math.random() * 1e9));
const KILLS = SWEEPS_ALL ? Infinity : 3;
const FAILURES = SWEEPS_ALL ? Infinity : 2;
const TIMEOUT_MS = SWEEPS_ALL ? 10 * 3_600_000 : 600_000 * PATIENCE;
const KILL = "signal=SIGKILL";
/** Node or libuv gave up: no answer of ours to a failed call. */
const ABORTED = "SIGABRT";

const GROUPS = Object.keys(CALLS) as CallGroup[];
const STORES = [
  ["folder", GROUPS],
  ["s3", SWEEPS_ALL ? GROUPS : (["write"] as const)],
] as const;
const ERRORS: readonly (readonly [string, CallGroup, string])[] = [
  ["EIO", "fsync", "F42"],
  // Of SQLite. Not "write": the first that fails may be how threads wake each other, and libuv aborts then.
  ["ENOSPC", "write at an offset", "F37"],
  ["ENOSPC", "rename", "F43"],
  ["EACCES", "unlink", "F46"],
];

describe.each(STORES)("with the %s store", JUDGED_ONCE, (kind, groups) => {
  let directory: string;
  let server: S3Server | undefined;
  let program: string;
  let stage: Stage;
  let calls: CountedCalls;
  let cases = 0;

  beforeAll(async () => {
    process.stderr.write(`FAULT_SEED=${String(SEED)}\n`);
    directory = await createTempDir();
    if (kind === "s3") {
      await mkdir(path.join(directory, "buckets"));
      server = await startS3Server({ directory: path.join(directory, "buckets") });
    }
    program = await copyArmedProgram(directory);
    stage = new Stage(program);
    calls = await countCalls(program, await newScene());
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

  /** Each struck scene ends as the number says; returns how. What does not hold afterwards, with its number, throws. */
  async function sweep(group: CallGroup, effect: string, most: number): Promise<(number | string)[]> {
    const results: (number | string)[] = [];
    const numbers = spread(calls.get(group) ?? [], most);
    expect(numbers).not.toEqual([]);
    const strike = async (number: number): Promise<string[]> => {
      const files = await newScene();
      const { result, output } = await strikeAt(program, files, { group, number, effect });
      results.push(result);
      await stage.play(files.scene);
      const violations = await violationsOf(files);
      await removeTempDir(files.directory);
      return violations.map((violation) => `${effect} at call ${String(number)}: ${violation}\n${output}`);
    };
    const found: string[] = [];
    await Promise.all(numbers.map((number) => stage.inTurn(async () => void found.push(...(await strike(number))))));
    expect(found, `FAULT_SEED=${String(SEED)}`).toEqual([]);
    return results;
  }

  it.concurrent.each(groups)(
    "loses nothing when killed at any %s (F14)",
    async (group) => {
      const results = await sweep(group, KILL, KILLS);
      // Now and then a run makes fewer calls than the one that was counted.
      expect(results.filter((result) => result === "SIGKILL").length).toBeGreaterThan(results.length / 2);
    },
    TIMEOUT_MS,
  );

  if (kind === "folder" || SWEEPS_ALL) {
    it.concurrent.each(ERRORS)(
      "loses nothing when %s comes from a %s (%s)",
      async (error, group) => {
        expect(await sweep(group, `error=${error}`, FAILURES)).not.toContain(ABORTED);
      },
      TIMEOUT_MS,
    );
  }
});

/** `most` of them, one from each of as many equal stretches. */
function spread(numbers: readonly number[], most: number): readonly number[] {
  if (numbers.length <= most) return numbers;
  return Array.from({ length: most }, (_, at) => {
    const random = Math.abs(Math.sin(SEED + at * 7.3)) % 1;
    return numbers[Math.floor(((at + random) * numbers.length) / most)] ?? 1;
  });
}

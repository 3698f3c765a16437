/** The recordings of test/fixtures with what MediaMTX's hook said of them. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import { MemoryByteSource } from "../../../src/media/byte-source.js";
import { walkFragments } from "../../../src/media/fragment-walk.js";
import { readInit } from "../../../src/media/init.js";
import type { Inspection } from "../../../src/media/inspection.js";

const FIXTURE_DIR = path.resolve(import.meta.dirname, "../../fixtures/recordings");

export interface FixtureFile {
  /** `v1.20.1/h264-aac/2026-11-20_17-04-43-022940.mp4` */
  readonly name: string;
  readonly filePath: string;
  readonly folder: string;
  /** By the file name, which is UTC there. */
  readonly startUs: number;
  /** MTX_SEGMENT_DURATION; null for the file that no hook was called for. */
  readonly hookDurationSec: number | null;
}

export const FIXTURES: readonly FixtureFile[] = ["v1.14.0", "v1.20.1"].flatMap((version) => {
  const lines = readFileSync(path.join(FIXTURE_DIR, version, "hooks.csv"), "utf8")
    .trim()
    .split("\n");
  const durations = new Map(lines.map((line) => line.split(",")).map(([, file, sec]) => [file, Number(sec)]));
  return readdirSync(path.join(FIXTURE_DIR, version), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name: camera }) =>
      readdirSync(path.join(FIXTURE_DIR, version, camera))
        .sort()
        .map((file) => ({
          name: `${version}/${camera}/${file}`,
          filePath: path.join(FIXTURE_DIR, version, camera, file),
          folder: `${version}/${camera}`,
          startUs: startOf(file),
          hookDurationSec: durations.get(`./rec/${camera}/${file}`) ?? null,
        })),
    );
});

export const FMP4_FIXTURES = FIXTURES.filter(({ name }) => name.endsWith(".mp4"));

export function fixture(name: string): FixtureFile {
  const found = FIXTURES.find((file) => file.name.startsWith(name));
  if (found === undefined) throw new Error(`no fixture ${name}`);
  return found;
}

export function inspectBytes(bytes: Uint8Array): Inspection {
  const source = new MemoryByteSource(bytes);
  return walkFragments(source, readInit(source));
}

export function inspectFixture(file: FixtureFile): Inspection {
  return inspectBytes(readFileSync(file.filePath));
}

function startOf(file: string): number {
  const [day = "", time = ""] = file.split("_");
  const [hour, minute, second, fraction] = time.replace(/\.\w+$/, "").split("-");
  return Date.parse(`${day}T${hour ?? ""}:${minute ?? ""}:${second ?? ""}Z`) * 1_000 + Number(fraction);
}

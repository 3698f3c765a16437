/** Segments for the bench: real boxes in MediaMTX's layout, media of zeros, each with its own number. */
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { footage, nameOf } from "../../contract/steps/footage.js";

const FRAMES_PER_SEC = 10;
export const FIRST_START_US = Date.UTC(2026, 5, 1) * 1_000;

export interface Segments {
  readonly camera: string;
  readonly count: number;
  readonly seconds: number;
  /** Of a file, about. */
  readonly bytes: number;
}

/** Writes them below `directory`; answers their names there, in order. */
export async function writeSegments(directory: string, segments: Segments): Promise<string[]> {
  const { camera, count, seconds, bytes } = segments;
  const sampleBytes = Math.max(10, Math.floor(bytes / seconds / FRAMES_PER_SEC));
  const names: string[] = [];
  for (let number = 0; number < count; number += 1) {
    const startUs = FIRST_START_US + number * seconds * 1_000_000;
    const name = nameOf(camera, startUs);
    const file = path.join(directory, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, footage({ startUs, number, seconds, sampleBytes }));
    names.push(name);
  }
  return names;
}

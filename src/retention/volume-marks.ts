/**
 * What stands beside the recordings, so that they are recognised: the id of the volume, never changed, and a high-water
 * mark of the database that worked on them. The id is also kept in the data directory, for a database that is lost.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";

import { AppError, errnoOf } from "../core/errors.js";
import { ensureDirectory, writeFileAtomically } from "../platform/files.js";

export interface VolumeMarks {
  /** Null: proven absent. Throws `unavailable` when the disk cannot tell. */
  readVolumeId(): Promise<string | null>;
  readKnownVolumeId(): Promise<string | null>;
  readGeneration(): Promise<number | null>;
  writeVolumeId(id: string): Promise<void>;
  writeKnownVolumeId(id: string): Promise<void>;
  writeGeneration(generation: number): Promise<void>;
}

export function createVolumeMarks(recordDir: string, dataDir: string): VolumeMarks {
  const own = path.join(recordDir, ".reelkeeper");
  const volumeFile = path.join(own, "volume-id");
  const generationFile = path.join(own, "generation");
  const knownFile = path.join(dataDir, "volume-id");
  return {
    readVolumeId: () => readMark(volumeFile),
    readKnownVolumeId: () => readMark(knownFile),
    readGeneration: async () => {
      const text = await readMark(generationFile);
      if (text === null) return null;
      if (!/^\d{1,15}$/.test(text)) throw cannotRead(generationFile, new Error(`"${text.slice(0, 40)}" is no number`));
      return Number(text);
    },
    writeVolumeId: async (id) => {
      await ensureDirectory(own);
      await writeMark(volumeFile, id);
    },
    writeKnownVolumeId: (id) => writeMark(knownFile, id),
    writeGeneration: (generation) => writeMark(generationFile, String(generation)),
  };
}

async function readMark(file: string): Promise<string | null> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return null;
    throw cannotRead(file, error);
  }
}

async function writeMark(file: string, text: string): Promise<void> {
  try {
    await writeFileAtomically(file, `${text}\n`);
  } catch (error) {
    throw new AppError({ kind: "unavailable", message: `write ${file}`, cause: error });
  }
}

function cannotRead(file: string, cause: unknown): AppError {
  return new AppError({ kind: "unavailable", message: `read ${file}`, cause });
}

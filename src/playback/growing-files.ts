/**
 * Files that MediaMTX still writes, as far as their fragments are whole. Each is walked once: the next look goes on where
 * the last one ended. Those that were not looked at for longest are forgotten, and walked anew when they are asked for.
 */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

import { AppError, errnoOf, isAppError } from "../core/errors.js";
import type { Recording, RecordingId } from "../core/recording.js";
import { type GrownFootage, GrowingWalk } from "../media/growing-walk.js";
import { resolveInside } from "../platform/files.js";

export type GrowingRecording = Pick<Recording, "id" | "filePath">;

/** More than any machine records at once, with what waits for inspection; an hour of fragments takes about 300 KiB. */
const MOST_WALKS = 512;

interface Walk {
  /** dev:ino of the file that is walked. */
  readonly file: string;
  readonly walk: GrowingWalk;
}

export class GrowingFiles {
  readonly #recordDir: string;
  readonly #walks = new Map<RecordingId, Walk>();
  /** One look at a file at a time. */
  readonly #looking = new Map<RecordingId, Promise<GrownFootage | null>>();

  constructor(recordDir: string) {
    this.#recordDir = recordDir;
  }

  /** Null when the file is not there, or holds no whole fragment yet. Throws `unavailable` when we cannot tell. */
  look(recording: GrowingRecording): Promise<GrownFootage | null> {
    const running = this.#looking.get(recording.id);
    if (running !== undefined) return running;
    const look = this.#look(recording).finally(() => this.#looking.delete(recording.id));
    this.#looking.set(recording.id, look);
    return look;
  }

  async #look(recording: GrowingRecording): Promise<GrownFootage | null> {
    const handle = await openFile(this.#recordDir, recording);
    if (handle === undefined) return null;
    try {
      const { dev, ino, size } = await handle.stat();
      const walk = this.#walkOf(recording.id, `${String(dev)}:${String(ino)}`, size);
      const readRange = (startBytes: number, lengthBytes: number): Promise<Uint8Array> =>
        readExactly(handle, startBytes, lengthBytes);
      return await walk.advance({ sizeBytes: size, readRange });
    } catch (error) {
      throw unreadable(recording, error);
    } finally {
      await handle.close();
    }
  }

  /** Another file under the name, or one that became shorter, is walked from its beginning. */
  #walkOf(id: RecordingId, file: string, sizeBytes: number): GrowingWalk {
    const known = this.#walks.get(id);
    const isSame = known?.file === file && known.walk.wholeBytes <= sizeBytes;
    const walk = isSame ? known.walk : new GrowingWalk();
    this.#walks.delete(id);
    this.#walks.set(id, { file, walk });
    for (const oldest of this.#walks.keys()) {
      if (this.#walks.size <= MOST_WALKS) break;
      this.#walks.delete(oldest);
    }
    return walk;
  }
}

/** Undefined: there is no such file, or no regular one. The caller closes it. */
export async function openFile(recordDir: string, { id, filePath }: GrowingRecording): Promise<FileHandle | undefined> {
  try {
    const file = await resolveInside(recordDir, filePath);
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
    return undefined;
  } catch (error) {
    const isAnswer = isAppError(error, "not-found") || isAppError(error, "invalid-argument");
    if (isAnswer || ["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes(errnoOf(error) ?? "")) return undefined;
    throw unreadable({ id, filePath }, error);
  }
}

async function readExactly(handle: FileHandle, startBytes: number, lengthBytes: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafe(lengthBytes);
  let done = 0;
  while (done < lengthBytes) {
    const { bytesRead } = await handle.read(bytes, done, lengthBytes - done, startBytes + done);
    if (bytesRead === 0) throw new AppError({ kind: "unavailable", message: "the file became shorter while read" });
    done += bytesRead;
  }
  return bytes;
}

function unreadable({ id }: GrowingRecording, cause: unknown): AppError {
  return new AppError({ kind: "unavailable", message: `read the file of recording ${id}`, cause });
}

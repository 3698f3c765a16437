/**
 * Files that MediaMTX still writes, as far as their fragments are whole; of MPEG-TS ffprobe tells the tracks, once. Each
 * is walked once: the next look goes on where the last one ended. Those that were not looked at for longest are
 * forgotten, and walked anew when they are asked for.
 */
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";

import { AppError, errnoOf, isAppError } from "../core/errors.js";
import type { Recording, RecordingId, Track } from "../core/recording.js";
import { type FfprobeSettings, probeFile } from "../media/ffprobe.js";
import { GrowingTransport, GrowingTransportEnd } from "../media/growing-transport.js";
import { type Grown, type Growing, type GrownFootage, GrowingWalk } from "../media/growing-walk.js";
import { ticksToUs } from "../media/ticks.js";
import { resolveInside } from "../platform/files.js";

export type GrowingRecording = Pick<Recording, "id" | "filePath" | "format">;

/** More than any machine records at once, with what waits for inspection; an hour of fragments takes about 300 KiB. */
const MOST_WALKS = 512;
const PROBE_WITHIN_MS = 15_000;
/** MPEG-TS that is longer is not read for its last picture, but for this end of it. */
const END_BYTES = 16 * 1_048_576;
/** ffprobe looks no further for what a track is: sound may begin after the first pictures. */
const PROBED_BYTES = 5_000_000;

/** Of MPEG-TS, the end of a file has a walk of its own. */
type WalkKey = RecordingId | `end of ${RecordingId}`;

interface Walk {
  /** dev:ino of the file that is walked. */
  readonly file: string;
  readonly walk: Growing;
  /** Of MPEG-TS, once ffprobe has told them all. */
  tracks: readonly Track[] | null;
}

export class GrowingFiles {
  readonly #recordDir: string;
  readonly #ffprobe: FfprobeSettings;
  readonly #walks = new Map<WalkKey, Walk>();
  /** One look at a file at a time. */
  readonly #looking = new Map<WalkKey, Promise<Grown | null>>();

  constructor(recordDir: string, ffprobe: FfprobeSettings) {
    this.#recordDir = recordDir;
    this.#ffprobe = ffprobe;
  }

  /**
   * Null when the file is not there, holds no whole fragment yet, or ffprobe does not tell the tracks of MPEG-TS. Throws
   * `unavailable` when we cannot tell.
   */
  async look(recording: GrowingRecording): Promise<GrownFootage | null> {
    return this.#withTracks(recording, recording.id);
  }

  /** As `look`; fragments may be missing that are not needed to play it from an instant on. */
  async lookFrom(
    recording: GrowingRecording & Pick<Recording, "startUs">,
    fromUs: number,
  ): Promise<GrownFootage | null> {
    const key: WalkKey = `end of ${recording.id}`;
    const end = this.#isWalked(recording) ? null : await this.#lookOnce(recording, key);
    return end !== null && reachesBackTo(end, fromUs - recording.startUs)
      ? this.#withTracks(recording, key)
      : this.look(recording);
  }

  /** As `look`, when its last picture is all that is wanted: fragments of before may be missing. */
  async lookAtEnd(recording: GrowingRecording): Promise<Grown | null> {
    const { id } = recording;
    const end = this.#isWalked(recording) ? null : await this.#lookOnce(recording, `end of ${id}`);
    return end ?? this.#lookOnce(recording, id);
  }

  #isWalked({ id, format }: GrowingRecording): boolean {
    return format === "fmp4" || this.#walks.has(id);
  }

  async #withTracks(recording: GrowingRecording, key: WalkKey): Promise<GrownFootage | null> {
    const grown = await this.#lookOnce(recording, key);
    const tracks = grown === null ? null : (grown.tracks ?? (await this.#tracksOf(recording, key)));
    return grown === null || tracks === null ? null : { ...grown, tracks };
  }

  #lookOnce(recording: GrowingRecording, key: WalkKey): Promise<Grown | null> {
    const running = this.#looking.get(key);
    if (running !== undefined) return running;
    const look = this.#look(recording, key).finally(() => this.#looking.delete(key));
    this.#looking.set(key, look);
    return look;
  }

  async #look(recording: GrowingRecording, key: WalkKey): Promise<Grown | null> {
    const handle = await openFile(this.#recordDir, recording);
    if (handle === undefined) return null;
    try {
      const { dev, ino, size } = await handle.stat();
      const file = `${String(dev)}:${String(ino)}`;
      const { walk } = this.#walkOf(key, { file, sizeBytes: size, format: recording.format });
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
  #walkOf(key: WalkKey, { file, sizeBytes, format }: OpenedFile): Walk {
    const known = this.#walks.get(key);
    const isSame = known?.file === file && known.walk.wholeBytes <= sizeBytes;
    const begin = (): Growing => {
      if (format === "fmp4") return new GrowingWalk();
      return key.startsWith("end of ") ? new GrowingTransportEnd(sizeBytes, END_BYTES) : new GrowingTransport();
    };
    const walk = isSame ? known : { file, walk: begin(), tracks: null };
    this.#walks.delete(key);
    this.#walks.set(key, walk);
    for (const oldest of this.#walks.keys()) {
      if (this.#walks.size <= MOST_WALKS) break;
      this.#walks.delete(oldest);
    }
    return walk;
  }

  /** As the inspection will say it; null: not now. */
  async #tracksOf({ filePath, format }: GrowingRecording, key: WalkKey): Promise<readonly Track[] | null> {
    const known = this.#walks.get(key);
    if (known?.tracks !== null) return known?.tracks ?? null;
    try {
      const file = { filePath: await resolveInside(this.#recordDir, filePath), format };
      const { tracks } = await probeFile(this.#ffprobe, file, AbortSignal.timeout(PROBE_WITHIN_MS));
      const areKnown = tracks.every(({ kind }) => kind !== "other") || known.walk.wholeBytes >= PROBED_BYTES;
      if (areKnown) known.tracks = tracks;
      return tracks;
    } catch (error) {
      if (!isAppError(error)) throw error;
      return null;
    }
  }
}

/** Sound of the first moments from there on is in the fragment before. */
function reachesBackTo({ index }: Grown, ownUs: number): boolean {
  const syncTicks = index.fragments[1]?.syncTicks ?? null;
  return syncTicks !== null && ticksToUs(syncTicks, index.timescale) <= ownUs;
}

interface OpenedFile extends Pick<Recording, "format"> {
  /** dev:ino */
  readonly file: string;
  readonly sizeBytes: number;
}

/** Undefined: there is no such file, or no regular one. The caller closes it. */
export async function openFile(
  recordDir: string,
  { id, filePath }: Omit<GrowingRecording, "format">,
): Promise<FileHandle | undefined> {
  try {
    const file = await resolveInside(recordDir, filePath);
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    if ((await handle.stat()).isFile()) return handle;
    await handle.close();
    return undefined;
  } catch (error) {
    const isAnswer = isAppError(error, "not-found") || isAppError(error, "invalid-argument");
    if (isAnswer || ["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes(errnoOf(error) ?? "")) return undefined;
    throw unreadable({ id }, error);
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

function unreadable({ id }: Pick<GrowingRecording, "id">, cause: unknown): AppError {
  return new AppError({ kind: "unavailable", message: `read the file of recording ${id}`, cause });
}

/** A picture from the bytes of its recording: the parts are read, and ffmpeg gets them through a pipe. */
import { AppError, isAppError } from "../core/errors.js";
import type { FfmpegSettings } from "../media/ffmpeg.js";
import { decodeKeyPicture } from "../media/key-picture.js";
import type { Picture } from "./locate-picture.js";
import type { PlaybackDeps } from "./playback-deps.js";

export interface DecodeDeps extends Pick<PlaybackDeps, "openReader"> {
  readonly ffmpeg: FfmpegSettings;
}

/** MediaMTX refuses parts above `recordMaxPartSize`, 50 MB. */
const MOST_MEDIA_BYTES = 64 * 1_048_576;

/** Throws as `openReader` and `decodeKeyPicture`. */
export async function decodePicture(
  deps: DecodeDeps,
  { picture, widthPx }: { readonly picture: Picture; readonly widthPx: number },
  signal: AbortSignal,
): Promise<Buffer> {
  const { format } = picture.recording;
  const media = await readParts(deps, picture, signal);
  try {
    return await decodeKeyPicture(deps.ffmpeg, { format, media, widthPx }, signal);
  } catch (error) {
    const head = headOfTransportStream(picture);
    if (!isAppError(error, "data-loss") || head === undefined) throw error;
    return decodeKeyPicture(deps.ffmpeg, { format, media: await readParts(deps, head, signal), widthPx }, signal);
  }
}

async function readParts(
  { openReader }: DecodeDeps,
  { recording, parts }: Picture,
  signal: AbortSignal,
): Promise<Uint8Array[]> {
  const read: Uint8Array[] = [];
  const wanted = parts.reduce((sum, { start, end }) => sum + end - start + 1, 0);
  if (wanted > MOST_MEDIA_BYTES) {
    const message = `picture of recording ${recording.id}: a fragment of ${String(wanted)} bytes is too large`;
    throw new AppError({ kind: "data-loss", message });
  }
  const reader = await openReader(recording, signal);
  try {
    for (const { start, end } of parts) read.push(await reader.read(start, end - start + 1));
    return read;
  } finally {
    await reader.close();
  }
}

/** A piece of a file whose GOP is longer than the piece holds no sync sample; the head of a file always does. */
function headOfTransportStream(picture: Picture): Picture | undefined {
  const [piece] = picture.parts;
  const isPiece = picture.recording.format === "mpegts" && picture.takenAtUs === null;
  if (!isPiece || piece === undefined || piece.start === 0) return undefined;
  return { ...picture, parts: [{ start: 0, end: piece.end - piece.start }] };
}

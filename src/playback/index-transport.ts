/** The fragment index of an MPEG-TS recording that was inspected before there were any: by one read of its file. */
import type { Catalog } from "../catalog/catalog.js";
import { addMissingFragmentIndex } from "../catalog/fragment-indexes.js";
import { findPlayableById } from "../catalog/playable-neighbours.js";
import type { RecordingId } from "../core/recording.js";
import { encodeFragmentIndex } from "../media/fragment-index-codec.js";
import { indexRemoteTransport } from "../media/transport-index.js";
import type { PlaybackDeps } from "./playback-deps.js";

/** Nothing happens where it is no such recording, not on disk, or cannot be cut. Throws as `openReader`. */
export async function indexTransport(
  { catalog, openReader }: { readonly catalog: Catalog } & Pick<PlaybackDeps, "openReader">,
  id: RecordingId,
  signal: AbortSignal,
): Promise<void> {
  const recording = await findPlayableById(catalog, id);
  if (recording?.format !== "mpegts" || recording.local !== "present" || recording.fragmentIndex !== null) return;
  const reader = await openReader(recording, signal);
  const readRange = (startBytes: number, lengthBytes: number): Promise<Uint8Array> => {
    signal.throwIfAborted();
    return reader.read(startBytes, lengthBytes);
  };
  const index = await indexRemoteTransport({ sizeBytes: reader.sizeBytes, readRange }).finally(() => reader.close());
  if (index !== null) await addMissingFragmentIndex(catalog, id, encodeFragmentIndex(index));
}

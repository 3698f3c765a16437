/** The fragment index of an MPEG-TS recording that was inspected before there were any: by one read of its file. */
import type { Catalog } from "../catalog/catalog.js";
import { addMissingFragmentIndex } from "../catalog/fragment-indexes.js";
import { findPlayableById } from "../catalog/playable-neighbours.js";
import type { RecordingId } from "../core/recording.js";
import { encodeFragmentIndex } from "../media/fragment-index-codec.js";
import { TransportPass } from "../media/transport-index.js";
import { TS_PACKET_BYTES } from "../media/transport-packet.js";
import type { PlaybackDeps } from "./playback-deps.js";

const CHUNK_BYTES = 4_096 * TS_PACKET_BYTES;

/** Nothing happens where it is no such recording, not on disk, or cannot be cut. Throws as `openReader`. */
export async function indexTransport(
  { catalog, openReader }: { readonly catalog: Catalog } & Pick<PlaybackDeps, "openReader">,
  id: RecordingId,
  signal: AbortSignal,
): Promise<void> {
  const recording = await findPlayableById(catalog, id);
  if (recording?.format !== "mpegts" || recording.local !== "present" || recording.fragmentIndex !== null) return;
  const reader = await openReader(recording, signal);
  const pass = new TransportPass();
  try {
    const endBytes = reader.sizeBytes - (reader.sizeBytes % TS_PACKET_BYTES);
    for (let at = 0; at < endBytes && !pass.isOver; at += CHUNK_BYTES) {
      signal.throwIfAborted();
      pass.take(await reader.read(at, Math.min(CHUNK_BYTES, endBytes - at)), at);
    }
  } finally {
    await reader.close();
  }
  const index = pass.finish();
  if (index !== null) await addMissingFragmentIndex(catalog, id, encodeFragmentIndex(index));
}

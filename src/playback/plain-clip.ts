/**
 * A clip with one `moov` in front. All heads of fragments are read first, and what they say is kept packed: an hour of
 * video and sound takes a few megabytes. Then the media goes by as it lies, without the heads between it.
 */
import { lengthOf } from "../media/box-writer.js";
import { makeMovieHead } from "../media/moov-writer.js";
import { SampleTable } from "../media/sample-table.js";
import type { SampleRun } from "../media/sample-runs.js";
import { mapInOrder } from "../platform/map-in-order.js";
import type { ClipPart, ClipPlan } from "./clip-plan.js";
import { ClipTimeline } from "./clip-timeline.js";
import { ForwardBytes } from "./forward-bytes.js";
import { type InitTracks, readHeads } from "./fragment-heads.js";
import { addPiece, cutPieces, type Piece } from "./media-pieces.js";
import type { PlainLayout } from "./plain-layout.js";
import type { PlaybackDeps } from "./playback-deps.js";

/** Recordings whose heads are read at the same time. */
const READ_AT_ONCE = 2;

/** Bytes of one recording that follow each other in the clip. */
interface Stretch {
  readonly part: ClipPart;
  /** Where each piece begins in the recording, and how long it is. */
  readonly pieces: readonly Piece[];
}

interface PlainClip extends Pick<PlainLayout, "head"> {
  readonly stretches: readonly Stretch[];
}

/** Of a piece, or a fragment of a plan, in memory. */
const OBJECT_BYTES = 96;

/** Throws as the reading of heads does. */
export async function layOutPlainClip(deps: PlaybackDeps, plan: ClipPlan, signal: AbortSignal): Promise<PlainLayout> {
  const timeline = new ClipTimeline(plan);
  const tables = plan.splice.tracks.map((track) => ({ track, table: new SampleTable(track.track.timescale) }));
  const byId = new Map(tables.map(({ track, table }) => [track.track.id, table]));
  const tracks: InitTracks = new Map(plan.splice.tracks.map((entry) => [entry.track.id, entry]));
  const stretches: Stretch[] = [];
  let mediaBytes = 0;
  const read = mapInOrder(plan.parts, READ_AT_ONCE, async (part) => ({
    part,
    heads: await headsOf(deps, { part, tracks, signal }),
  }));
  for await (const { part, heads } of read) {
    const pieces: Piece[] = [];
    timeline.enter(part);
    for (const runs of heads) {
      for (const kept of timeline.keep(runs)) {
        byId.get(kept.run.trackId)?.add(kept, mediaBytes);
        addPiece(pieces, kept);
        mediaBytes += kept.sizeBytes;
      }
    }
    if (pieces.length > 0) stretches.push({ part, pieces });
  }
  const { startUs, timescale, presentationTicks } = plan;
  const head = makeMovieHead({ tracks: tables, startUs, timescale, presentationTicks, mediaBytes });
  const headBytes = lengthOf(head);
  return {
    ...{ head, bytes: headBytes + mediaBytes, startUs, endUs: plan.endUs },
    open: (range, whose) => plainMedia(deps, { head, stretches }, { ...range, signal: whose }),
    heldBytes: headBytes + OBJECT_BYTES * (countOf(stretches, "pieces") + countOf(plan.parts, "fragments")),
  };
}

function countOf<Key extends string>(parts: readonly Readonly<Record<Key, readonly unknown[]>>[], key: Key): number {
  return parts.reduce((sum, part) => sum + part[key].length, 0);
}

async function headsOf(
  { openReader }: PlaybackDeps,
  { part, tracks, signal }: { readonly part: ClipPart; readonly tracks: InitTracks; readonly signal: AbortSignal },
): Promise<SampleRun[][]> {
  const reader = await openReader(part.segment.recording, signal);
  try {
    const heads: SampleRun[][] = [];
    for await (const runs of readHeads(reader, part.fragments, tracks)) heads.push(runs);
    return heads;
  } finally {
    await reader.close();
  }
}

/** What of the head is in bytes [start, end) of the file. */
export function sliceHead(head: readonly Uint8Array[], start: number, end: number): Uint8Array[] {
  const inside: Uint8Array[] = [];
  let at = 0;
  for (const bytes of head) {
    const wanted = bytes.subarray(Math.max(0, start - at), Math.max(0, end - at));
    if (wanted.byteLength > 0) inside.push(wanted);
    at += bytes.byteLength;
  }
  return inside;
}

/** The media in bytes [start, end) of the file. Opens one recording at a time, and closes it when nobody asks on. */
async function* plainMedia(
  { openReader }: PlaybackDeps,
  clip: PlainClip,
  { start, end, signal }: { readonly start: number; readonly end: number; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  let at = lengthOf(clip.head);
  for (const { part, pieces } of clip.stretches) {
    const wanted = cutPieces(pieces, start - at, end - at);
    at += pieces.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const [first, last] = [wanted[0], wanted.at(-1)];
    if (first === undefined || last === undefined) continue;
    const reader = await openReader(part.segment.recording, signal);
    const bytes = new ForwardBytes(
      reader.blocks(first.offsetBytes, last.offsetBytes + last.sizeBytes),
      first.offsetBytes,
    );
    try {
      yield* bytes.passAll(wanted);
    } finally {
      await bytes.close();
      await reader.close();
    }
  }
}

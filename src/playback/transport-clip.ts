/**
 * A clip from MPEG-TS recordings: their packets, with times moved, go through ffmpeg, which only puts them into another
 * container (media/remux-transport.ts), and what comes out is cut to the sample as fMP4 recordings are. A plain MP4 takes
 * two passes, as its tables stand in front: the second one repeats the first.
 */
import { lengthOf } from "../media/box-writer.js";
import { damaged, readBoxHeader, viewOf } from "../media/box.js";
import { readFragmentHead } from "../media/fragment-head.js";
import { makeMovieHead } from "../media/moov-writer.js";
import { remuxTransport } from "../media/remux-transport.js";
import { readSampleRuns, type SampleRun } from "../media/sample-runs.js";
import { SampleTable } from "../media/sample-table.js";
import { makeFragmentedInit, readSpliceInit, type SpliceInit } from "../media/splice-init.js";
import { rescaleTicks, ticksToUs } from "../media/ticks.js";
import { shiftTimes, TS_PACKET_BYTES } from "../media/transport-packet.js";
import { ClipTimeline, type TimelinePlan } from "./clip-timeline.js";
import { ForwardBytes } from "./forward-bytes.js";
import { rewritten } from "./fragmented-clip.js";
import { addPiece, cutPieces, type Piece } from "./media-pieces.js";
import type { PlainLayout } from "./plain-layout.js";
import type { PlaybackDeps } from "./playback-deps.js";
import { BASE_TICKS, TICKS_PER_SEC, type TransportPart, type TransportPlan } from "./transport-clip-plan.js";

/** A short one, and one of a box beyond 4 GiB. */
const BOX_HEADERS_BYTES = [8, 16] as const;

/** All of an fMP4, as it is read. */
export async function* fragmentedTransport(
  deps: PlaybackDeps,
  plan: TransportPlan,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const bytes = new ForwardBytes(remuxed(deps, plan, signal), 0);
  try {
    const splice = await readInit(bytes);
    const timeline = timelineOf(plan, splice);
    const sequence = { last: 0 };
    yield makeFragmentedInit(splice, plan.startUs);
    for await (const runs of readFragments(bytes, splice)) yield* rewritten(bytes, timeline.keep(runs), sequence);
  } finally {
    await bytes.close();
  }
}

/** Of a piece in memory. */
const PIECE_BYTES = 64;

/** The first pass: only tables are kept. */
export async function layOutPlainTransport(
  deps: PlaybackDeps,
  plan: TransportPlan,
  signal: AbortSignal,
): Promise<PlainLayout> {
  const bytes = new ForwardBytes(remuxed(deps, plan, signal), 0);
  try {
    const splice = await readInit(bytes);
    const facts = timelinePlan(plan, splice);
    const timeline = timelineOf(plan, splice);
    const tables = splice.tracks.map((track) => ({ track, table: new SampleTable(track.track.timescale) }));
    const byId = new Map(tables.map(({ track, table }) => [track.track.id, table]));
    const pieces: Piece[] = [];
    let mediaBytes = 0;
    for await (const runs of readFragments(bytes, splice)) {
      for (const kept of timeline.keep(runs)) {
        byId.get(kept.run.trackId)?.add(kept, mediaBytes);
        addPiece(pieces, kept);
        mediaBytes += kept.sizeBytes;
      }
    }
    const { timescale, presentationTicks } = facts;
    const head = makeMovieHead({ tracks: tables, startUs: plan.startUs, timescale, presentationTicks, mediaBytes });
    const headBytes = lengthOf(head);
    return {
      ...{ head, bytes: headBytes + mediaBytes, startUs: plan.startUs, endUs: plan.endUs },
      open: ({ start, end }, whose) =>
        plainMedia(deps, { plan, pieces: cutPieces(pieces, start - headBytes, end - headBytes) }, whose),
      heldBytes: headBytes + PIECE_BYTES * pieces.length,
    };
  } finally {
    await bytes.close();
  }
}

/** The second one: those pieces. */
async function* plainMedia(
  deps: PlaybackDeps,
  { plan, pieces }: { readonly plan: TransportPlan; readonly pieces: readonly Piece[] },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (pieces.length === 0) return;
  const bytes = new ForwardBytes(remuxed(deps, plan, signal), 0);
  try {
    yield* bytes.passAll(pieces);
  } finally {
    await bytes.close();
  }
}

function remuxed(deps: PlaybackDeps, plan: TransportPlan, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const { ffmpeg, remuxes } = deps;
  const packets = () => movedPackets(deps, plan, signal);
  return remuxes.stream(() => remuxTransport(ffmpeg, { tracks: plan.tracks, packets: packets() }, signal), signal);
}

/** Opens one recording at a time, and closes it when nobody asks on. */
async function* movedPackets(
  { openReader }: PlaybackDeps,
  { parts }: TransportPlan,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (const { recording, start, end, shiftTicks } of parts) {
    const reader = await openReader(recording, signal);
    try {
      yield* moved(reader.blocks(start, end), shiftTicks);
    } finally {
      await reader.close();
    }
  }
}

/** Whole packets; what is torn off at the end is left out. */
async function* moved(
  blocks: AsyncIterable<Uint8Array>,
  shiftTicks: TransportPart["shiftTicks"],
): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array = new Uint8Array(0);
  for await (const block of blocks) {
    const bytes = rest.byteLength === 0 ? block : Buffer.concat([rest, block]);
    const wholeBytes = bytes.byteLength - (bytes.byteLength % TS_PACKET_BYTES);
    for (let at = 0; at < wholeBytes; at += TS_PACKET_BYTES) {
      shiftTimes(bytes.subarray(at, at + TS_PACKET_BYTES), shiftTicks);
    }
    if (wholeBytes > 0) yield bytes.subarray(0, wholeBytes);
    rest = bytes.subarray(wholeBytes);
  }
}

async function readInit(bytes: ForwardBytes): Promise<SpliceInit> {
  const ftyp = await boxBytes(bytes, 0);
  const moov = await boxBytes(bytes, ftyp);
  // What was peeked at is another buffer after the next read.
  return readSpliceInit(Uint8Array.from(await bytes.peek(ftyp + moov)));
}

/** How long the box is that begins so far behind what was read. */
async function boxBytes(bytes: ForwardBytes, at: number): Promise<number> {
  for (const headerBytes of BOX_HEADERS_BYTES) {
    const header = readBoxHeader(viewOf(await bytes.peek(at + headerBytes)), at, at);
    if (header !== undefined) return header.sizeBytes;
  }
  throw damaged("read what ffmpeg wrote: a box has no header");
}

/** The samples of each fragment; its media is there to be read until the next one is asked for. */
async function* readFragments(bytes: ForwardBytes, { init, tracks }: SpliceInit): AsyncGenerator<SampleRun[]> {
  const byId = new Map(tracks.map((entry) => [entry.track.id, entry]));
  let offsetBytes = init.initBytes;
  await bytes.skipTo(offsetBytes);
  while (!(await bytes.isOver())) {
    const moofBytes = await boxBytes(bytes, 0);
    const sizeBytes = moofBytes + (await boxBytes(bytes, moofBytes));
    const [shortest, longest] = BOX_HEADERS_BYTES;
    const headBytes = moofBytes + (sizeBytes - moofBytes < longest ? shortest : longest);
    const head = readFragmentHead(await bytes.peek(headBytes), { offsetBytes, sizeBytes });
    if (typeof head === "number") throw damaged("read what ffmpeg wrote: a fragment is cut off");
    yield readSampleRuns(head, byId);
    offsetBytes += sizeBytes;
    await bytes.skipTo(offsetBytes);
  }
}

function timelinePlan(plan: TransportPlan, splice: SpliceInit): TimelinePlan {
  const main = splice.tracks.find(({ track }) => track.kind === "video") ?? splice.tracks[0];
  if (main === undefined) throw damaged("read what ffmpeg wrote: no track");
  const { id, timescale } = main.track;
  const presentationTicks = rescaleTicks(BASE_TICKS - plan.firstDecodeTicks, TICKS_PER_SEC, timescale);
  return { splice, mainTrackId: id, timescale, presentationTicks };
}

function timelineOf(plan: TransportPlan, splice: SpliceInit): ClipTimeline {
  const facts = timelinePlan(plan, splice);
  const timeline = new ClipTimeline(facts);
  const zeroTicks = -rescaleTicks(plan.firstDecodeTicks, TICKS_PER_SEC, facts.timescale);
  timeline.enter({ zeroTicks, untilUs: ticksToUs(plan.untilTicks, TICKS_PER_SEC) });
  return timeline;
}

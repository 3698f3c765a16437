/**
 * The header walk over a segment of MediaMTX: `ftyp moov { moof mdat }*`. Reads `moof` boxes only and takes what is
 * whole: a torn or damaged tail (kill -9, power loss, full disk) ends the walk and leaves the fragments before it.
 */
import { AppError, isAppError } from "../core/errors.js";
import type { Track } from "../core/recording.js";
import { type Box, type BoxHeader, damaged, fourcc, fourccText, readBoxHeader, viewOf } from "./box.js";
import type { ByteSource } from "./byte-source.js";
import type { Init, InitTrack } from "./init.js";
import type { Fragment, Inspection } from "./inspection.js";
import { readMoof, type TrackSpan } from "./moof.js";
import { ticksToUs } from "./ticks.js";
import { TrackTimeline } from "./track-timeline.js";

/** A part of MediaMTX (usually 1 s) has a `moof` of about 1 KiB. */
const MAX_MOOF_BYTES = 8 * 1_048_576;
/** Boxes that belong to no fragment (`free`, `styp`, `sidx`); a file of nothing else is not walked to its end. */
const MAX_OTHER_BOXES = 64;
const HEADER_BYTES = 16;
const MOOF = fourcc("moof");
const MDAT = fourcc("mdat");
const MOOV = fourcc("moov");

/** The file is a fragmented MP4 and all it holds is less than one fragment: nothing can be played. */
export class NoWholeFragmentError extends AppError {
  constructor(why: string) {
    super({ kind: "data-loss", message: `walk fragments: no whole fragment: ${why}` });
  }
}

/** The file ends inside what it announced. */
class CutOffError extends AppError {
  constructor(message: string) {
    super({ kind: "data-loss", message });
  }
}

/** Throws `data-loss` when not one whole, sound fragment follows the init. */
export function walkFragments(source: ByteSource, init: Init): Inspection {
  const walk = new FragmentWalk(source, init);
  let goesOn = true;
  while (goesOn) goesOn = walk.step();
  return walk.finish();
}

/** The walk one step at a time, for a source that has to fetch what it is asked for; see remote-walk.ts. */
export class FragmentWalk {
  readonly fragments: Fragment[] = [];
  readonly mainTrack: Track;
  readonly timelines: ReadonlyMap<number, TrackTimeline>;
  wholeBytes: number;
  readonly #source: ByteSource;
  readonly #init: Init;
  readonly #tracks: ReadonlyMap<number, InitTrack>;
  #otherBoxes = 0;
  #offset: number;
  /** Why the walk ended before the end of the file. */
  #ending: AppError | undefined;

  constructor(source: ByteSource, init: Init) {
    this.#source = source;
    this.#init = init;
    this.#tracks = new Map(init.tracks.map((entry) => [entry.track.id, entry]));
    this.timelines = new Map(init.tracks.map(({ track }) => [track.id, new TrackTimeline()]));
    this.mainTrack = chooseMainTrack(init.tracks.map(({ track }) => track));
    this.wholeBytes = init.initBytes;
    this.#offset = init.initBytes;
  }

  /**
   * One box or one fragment further; false at the end. All is read before anything is taken down, so a step that the
   * source failed may be tried again.
   */
  step(): boolean {
    if (this.#ending !== undefined || this.#offset >= this.#source.sizeBytes) return false;
    try {
      this.#offset = this.#pass(this.#offset);
      return true;
    } catch (error) {
      if (!isAppError(error, "data-loss")) throw error;
      this.#ending = error;
      return false;
    }
  }

  /** The file has grown: what was cut off may be whole now. What was damaged stays so. */
  resume(): void {
    if (this.#ending instanceof CutOffError) this.#ending = undefined;
  }

  /** Throws `data-loss` when not one whole, sound fragment was passed. */
  finish(): Inspection {
    const ending = this.#ending;
    if (this.fragments.length > 0) return summarise(this, this.#init, ending?.message);
    if (ending !== undefined && !(ending instanceof CutOffError)) throw ending;
    throw new NoWholeFragmentError(ending?.message ?? "the file ends after moov");
  }

  /** Returns the offset after one box or fragment. Throws `data-loss` when there is no whole, sound one. */
  #pass(offset: number): number {
    const restBytes = this.#source.sizeBytes - offset;
    const header = readBoxHeader(viewOf(this.#source.read(offset, Math.min(HEADER_BYTES, restBytes))), 0, offset);
    if (header === undefined) throw new CutOffError(`box header at byte ${String(offset)} is cut off`);
    if (header.type !== MOOF) return this.#skip(offset, header, restBytes);
    if (header.sizeBytes > MAX_MOOF_BYTES) {
      throw damaged(
        `read moof at byte ${String(offset)}: box size ${String(header.sizeBytes)}, expected at most ${String(MAX_MOOF_BYTES)}`,
      );
    }
    if (header.sizeBytes > restBytes) throw cutOff(offset, header, restBytes);
    return this.#readFragment(offset, header, restBytes);
  }

  get #isLearning(): boolean {
    for (const timeline of this.timelines.values()) if (timeline.isLearning) return true;
    return false;
  }

  #skip(offset: number, header: BoxHeader, restBytes: number): number {
    const isNamed = !fourccText(header.type).startsWith("0x");
    this.#otherBoxes += 1;
    if (header.type === MOOV || !isNamed || this.#otherBoxes > MAX_OTHER_BOXES) {
      throw damaged(`read box ${fourccText(header.type)} at byte ${String(offset)}: expected moof`);
    }
    if (header.sizeBytes > restBytes) throw cutOff(offset, header, restBytes);
    if (header.type !== MDAT) this.wholeBytes = offset + header.sizeBytes;
    return offset + header.sizeBytes;
  }

  #readFragment(offset: number, header: BoxHeader, restBytes: number): number {
    const wanted = Math.min(header.sizeBytes + HEADER_BYTES, restBytes);
    const view = viewOf(this.#source.read(offset, wanted));
    const mdat = readBoxHeader(view, header.sizeBytes, offset + header.sizeBytes);
    if (mdat === undefined) throw new CutOffError(`moof at byte ${String(offset)} has no mdat`);
    if (mdat.type !== MDAT) {
      throw damaged(`read box ${fourccText(mdat.type)} at byte ${String(offset + header.sizeBytes)}: expected mdat`);
    }
    const sizeBytes = header.sizeBytes + mdat.sizeBytes;
    if (sizeBytes > restBytes) throw cutOff(offset + header.sizeBytes, mdat, restBytes - header.sizeBytes);
    const moof: Box = {
      type: header.type,
      view,
      viewOffsetBytes: offset,
      start: 0,
      body: header.headerBytes,
      end: header.sizeBytes,
    };
    const spans = readMoof(moof, this.#tracks, this.#isLearning);
    let mediaBytes = 0;
    for (const span of spans) mediaBytes += span.sizeBytes;
    if (mediaBytes > mdat.sizeBytes - mdat.headerBytes) {
      throw damaged(
        `read moof at byte ${String(offset)}: samples of ${String(mediaBytes)} bytes, expected at most ${String(mdat.sizeBytes - mdat.headerBytes)} in mdat`,
      );
    }
    this.#accept(spans, { offsetBytes: offset, sizeBytes });
    return offset + sizeBytes;
  }

  #accept(spans: readonly TrackSpan[], place: Pick<Fragment, "offsetBytes" | "sizeBytes">): void {
    let startTicks: number | null = null;
    let durationTicks = 0;
    let syncTicks: number | null = null;
    for (const span of spans) {
      const spanStart = this.timelines.get(span.trackId)?.add(span) ?? 0;
      if (span.trackId !== this.mainTrack.id || span.sampleCount === 0) continue;
      startTicks ??= spanStart;
      durationTicks += span.durationTicks;
      if (span.syncOffsetTicks !== null) syncTicks ??= spanStart + span.syncOffsetTicks;
    }
    const { offsetBytes, sizeBytes } = place;
    this.fragments.push({ offsetBytes, sizeBytes, startTicks, durationTicks, syncTicks });
    this.wholeBytes = offsetBytes + sizeBytes;
  }
}

function summarise(walk: FragmentWalk, init: Init, tornReason: string | undefined): Inspection {
  let mediaDurationUs = 0;
  let plausibleDurationUs = 0;
  const tracks = init.tracks.map(({ track }): Track => {
    const timeline = walk.timelines.get(track.id) ?? new TrackTimeline();
    const { endTicks, plausibleEndTicks } = timeline.end();
    mediaDurationUs = Math.max(mediaDurationUs, ticksToUs(endTicks, track.timescale));
    plausibleDurationUs = Math.max(plausibleDurationUs, ticksToUs(plausibleEndTicks, track.timescale));
    return track.kind === "video" ? { ...track, frameRate: timeline.frameRate(track.timescale) } : track;
  });
  return {
    tracks,
    startUs: init.startUs,
    position: init.position,
    declaredDurationUs: init.declaredDurationUs,
    mediaDurationUs,
    plausibleDurationUs,
    finalised: init.declaredDurationUs !== null && tornReason === undefined,
    wholeBytes: walk.wholeBytes,
    ...(tornReason === undefined ? {} : { tornReason }),
    fragments: {
      mainTrackId: walk.mainTrack.id,
      timescale: walk.mainTrack.timescale,
      initBytes: init.initBytes,
      fragments: walk.fragments,
    },
  };
}

/** First video track, else first audio track. */
function chooseMainTrack(tracks: readonly Track[]): Track {
  const main = tracks.find(({ kind }) => kind === "video") ?? tracks.find(({ kind }) => kind === "audio") ?? tracks[0];
  if (main === undefined) throw damaged("walk fragments: moov holds no track");
  return main;
}

function cutOff(offset: number, header: BoxHeader, restBytes: number): CutOffError {
  return new CutOffError(
    `${fourccText(header.type)} at byte ${String(offset)} is cut off: ${String(restBytes)} of ${String(header.sizeBytes)} bytes`,
  );
}

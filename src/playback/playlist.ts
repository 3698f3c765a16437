/**
 * The HLS playlist of a range, from rows and their fragment indexes, or from what was made of them lately; only files at
 * its end that nobody has looked into yet are opened. URIs are those of our own route whatever lies behind it, so that a playlist stays true
 * while files are closed, archived and released.
 *
 * A live playlist names what will never change, and stops before what may still come, so that lines are only added.
 */
import { findListable, type ListableRecording, type ListedRow, listListable } from "../catalog/playable-recordings.js";
import { AppError } from "../core/errors.js";
import { renderMultivariant } from "../core/hls-multivariant.js";
import { renderMediaPlaylist } from "../core/hls-playlist.js";
import { formatRfc3339, US_PER_SEC } from "../core/instant.js";
import type { PathName } from "../core/path-name.js";
import type { RecordingId } from "../core/recording.js";
import type { Turns } from "../platform/turns.js";
import type { PlaybackDeps } from "./playback-deps.js";
import { mayRemember, nameFile, type NameFileDeps, type PlaylistRange } from "./playlist-files.js";
import { type NamedFile, namedFile } from "./whole-files.js";

export interface PlaylistDeps extends Pick<PlaybackDeps, "catalog">, NameFileDeps {
  readonly turns: Pick<Turns, "take">;
}

export interface PlaylistRequest extends PlaylistRange {
  readonly path: PathName;
  /** Where the media playlist of a multivariant one is; null: it is the media playlist that is asked for. */
  readonly variantUri: string | null;
  /** What the URIs of the media become for whoever can send nothing but a URL. */
  readonly sign: ((uri: string) => string) | null;
}

export interface Playlist {
  readonly text: string;
  /** Every codec of the range, in order of appearance. */
  readonly codecs: readonly string[];
  /** From here on the recordings are of the other format, which one playlist cannot hold; null: they are not. */
  readonly formatChangesAtUs: number | null;
}

/**
 * Files that are opened for one playlist: the one that is written, and those whose closing was not noticed or whose
 * inspection is due. Without hooks that may be some minutes of short files.
 */
const MOST_LOOKS = 64;
/** Looked into in one turn: some milliseconds of work. */
const FILES_AT_ONCE = 60;
/** A segment that ended in time has a row after this long. */
const SETTLED_AFTER_US = 60 * US_PER_SEC;

/** Throws `not-found` when nothing of the range can be played. */
export async function makePlaylist(deps: PlaylistDeps, request: PlaylistRequest): Promise<Playlist> {
  const { toUs, isLive, variantUri, sign } = request;
  const { files: named, isPending, formatChangesAtUs } = await nameFiles(deps, request);
  const files = sign === null ? named : named.map((file) => signed(file, sign));
  if (files.length === 0) throw nothingThere(request);
  const tracks = files.flatMap((file) => file.tracks);
  const text =
    variantUri !== null
      ? renderMultivariant({ uri: variantUri, files, tracks })
      : renderMediaPlaylist({
          files,
          type: isLive ? "EVENT" : "VOD",
          isEnded: !isLive || formatChangesAtUs !== null || isOver(deps, { files, isPending, toUs }),
          // What is still to come may need what comes before it.
          isIndependent: !isLive && areIndependent(files),
        });
  return { text, codecs: [...new Set(tracks.map(({ codec }) => codec))], formatChangesAtUs };
}

function signed(file: NamedFile, sign: (uri: string) => string): NamedFile {
  const segments = file.segments.map((segment) =>
    segment.uri === undefined ? segment : { ...segment, uri: sign(segment.uri) },
  );
  return namedFile({ ...file, uri: sign(file.uri), segments });
}

interface NamedFiles {
  readonly files: readonly NamedFile[];
  /** More may come of the range. */
  readonly isPending: boolean;
  readonly formatChangesAtUs: number | null;
}

/** EXT-X-MAP holds for all that follows it, so what needs none cannot follow what needs one. */
async function nameFiles(deps: PlaylistDeps, range: PlaylistRequest): Promise<NamedFiles> {
  const { rows, known, unknown } = await lookUp(deps, range);
  const files: NamedFile[] = [];
  let isPending = false;
  let looks = 0;
  for (const [index, row] of rows.entries()) {
    const left = rows.length - 1 - index;
    const place = { isNewest: left === 0, mayLook: left < MOST_LOOKS };
    const recording = unknown.get(row.id);
    if (recording !== undefined && (looks += 1) % FILES_AT_ONCE === 0) await deps.turns.take();
    const named = known.get(row.id) ?? (recording ? await nameFile(deps, recording, { range, place }) : "nothing");
    if (named === "nothing") continue;
    if (named === "pending") {
      isPending = true;
      if (range.isLive) break;
      continue;
    }
    if (files[0] !== undefined && files[0].format !== named.format) {
      return { files, isPending, formatChangesAtUs: row.startUs };
    }
    files.push(named);
    if (range.isLive && recording?.local === "open" && place.isNewest) isPending = true;
  }
  return { files, isPending, formatChangesAtUs: null };
}

interface LookedUp {
  readonly rows: readonly ListedRow[];
  readonly known: ReadonlyMap<RecordingId, NamedFile>;
  /** All others, but for what has gone meanwhile. */
  readonly unknown: ReadonlyMap<RecordingId, ListableRecording>;
}

async function lookUp({ catalog, wholeFiles }: PlaylistDeps, range: PlaylistRequest): Promise<LookedUp> {
  if (!mayRemember(range)) {
    const rows = await findListable(catalog, range);
    return { rows, known: new Map(), unknown: byId(rows) };
  }
  const rows = await listListable(catalog, range);
  const known = new Map<RecordingId, NamedFile>();
  for (const row of rows) {
    const file = wholeFiles.find(row, range);
    if (file !== undefined) known.set(row.id, file);
  }
  const others = rows.filter(({ id }) => !known.has(id));
  const [first, last] = [others[0], others.at(-1)];
  if (first === undefined || last === undefined) return { rows, known, unknown: new Map() };
  const stretch = { path: range.path, fromUs: first.startUs, toUs: last.startUs + 1 };
  return { rows, known, unknown: byId(await findListable(catalog, stretch)) };
}

function byId(recordings: readonly ListableRecording[]): ReadonlyMap<RecordingId, ListableRecording> {
  return new Map(recordings.map((recording) => [recording.id, recording]));
}

function isOver(
  { catalog }: PlaylistDeps,
  { files, isPending, toUs }: Pick<NamedFiles, "files" | "isPending"> & { readonly toUs: number },
): boolean {
  const last = files.at(-1)?.segments.at(-1);
  if (last !== undefined && last.startUs + last.durationUs >= toUs) return true;
  return !isPending && catalog.clock.nowUs() >= toUs + SETTLED_AFTER_US;
}

/** Of H.265, a sync sample may be a CRA picture, whose leading pictures need the GOP before. */
function areIndependent(files: readonly NamedFile[]): boolean {
  return files.every(
    ({ tracks, segments }) =>
      !tracks.some(({ codec }) => /^h(vc|ev)1/.test(codec)) && segments.every(({ beginsWithSync }) => beginsWithSync),
  );
}

function nothingThere({ path, fromUs, toUs }: PlaylistRequest): AppError {
  return new AppError({
    kind: "not-found",
    message: `nothing of ${path} can be played between ${formatRfc3339(fromUs)} and ${formatRfc3339(toUs)}`,
    hint: "see /api/v1/timeline for what is there",
  });
}

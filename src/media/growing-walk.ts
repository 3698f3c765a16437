/**
 * The header walk over a file that is still being written: each `advance` goes on where the last one ended, at the last
 * whole fragment. What it has passed does not change any more, but for `mvhd`, into which MediaMTX writes the length
 * when it closes the file.
 */
import { isAppError } from "../core/errors.js";
import type { StreamPosition, Track } from "../core/recording.js";
import { FragmentWalk } from "./fragment-walk.js";
import { type Init, readInit } from "./init.js";
import type { FragmentIndex } from "./inspection.js";
import { type RemoteFile, WindowSource } from "./window-source.js";

/** As the walk over closed files reads; see byte-source.ts. */
const WINDOW_BYTES = 4_096;

export interface GrownFootage {
  readonly tracks: readonly Track[];
  /** From `mtxi`; null without it. */
  readonly startUs: number | null;
  readonly position: StreamPosition | null;
  /** Of whole fragments alone. */
  readonly index: FragmentIndex;
  /** As if the file ended here; of MPEG-TS with the fragment that no other one has followed yet. */
  readonly endedIndex: FragmentIndex;
  /** Offset after what will not change: the last whole fragment, of MPEG-TS the last whole packet. */
  readonly wholeBytes: number;
}

/** What is known of the file after a look at it; the tracks of MPEG-TS are for ffprobe to tell. */
export type Grown = Omit<GrownFootage, "tracks"> & { readonly tracks: readonly Track[] | null };

export interface Growing {
  /** Null while there is not one whole fragment. Throws what `readRange` throws. */
  advance(file: RemoteFile): Promise<Grown | null>;
  /** Up to here the file was read; one that is shorter now is another one. */
  readonly wholeBytes: number;
}

export class GrowingWalk implements Growing {
  #source: WindowSource | undefined;
  #walk: { readonly init: Init; readonly fragments: FragmentWalk } | undefined;

  /** Null while there is no whole init, or not one whole fragment. Throws what `readRange` throws. */
  async advance(file: RemoteFile): Promise<GrownFootage | null> {
    const source = this.#source ?? new WindowSource(file, WINDOW_BYTES);
    this.#source = source;
    source.reopen(file);
    const walk = this.#walk ?? (await begin(source));
    if (walk === undefined) return null;
    this.#walk = walk;
    walk.fragments.resume();
    let goesOn = true;
    while (goesOn) goesOn = await source.having(() => walk.fragments.step());
    return footageOf(walk.init, walk.fragments);
  }

  /** Offset after the last whole fragment that was passed. */
  get wholeBytes(): number {
    return this.#walk?.fragments.wholeBytes ?? 0;
  }
}

async function begin(source: WindowSource) {
  try {
    const init = await source.having(() => readInit(source));
    if (!init.isFragmented) return undefined;
    return { init, fragments: new FragmentWalk(source, init) };
  } catch (error) {
    // It may not be written yet; what is really broken is found when the file is closed.
    if (isAppError(error, "data-loss")) return undefined;
    throw error;
  }
}

function footageOf(init: Init, { fragments, mainTrack, wholeBytes }: FragmentWalk): GrownFootage | null {
  if (fragments.length === 0) return null;
  const { initBytes, startUs, position } = init;
  const { id: mainTrackId, timescale } = mainTrack;
  const index = { mainTrackId, timescale, initBytes, fragments: [...fragments] };
  const tracks = init.tracks.map(({ track }) => track);
  return { tracks, startUs, position, index, endedIndex: index, wholeBytes };
}

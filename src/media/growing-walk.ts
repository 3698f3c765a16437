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
  readonly index: FragmentIndex;
  /** Offset after the last whole fragment. */
  readonly wholeBytes: number;
}

export class GrowingWalk {
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
  return {
    tracks: init.tracks.map(({ track }) => track),
    startUs: init.startUs,
    position: init.position,
    index: {
      mainTrackId: mainTrack.id,
      timescale: mainTrack.timescale,
      initBytes: init.initBytes,
      fragments: [...fragments],
    },
    wholeBytes,
  };
}

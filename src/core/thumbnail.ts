/** Periodic pictures of a path: which recordings give one, of which instants, and where it stands in the store. */
import { directoryOf, stampOf } from "./object-key.js";
import type { Recording } from "./recording.js";

export const THUMBNAIL_WIDTH_PX = 640;
/** A recording that claims to last for years does not get millions. */
const MOST_OF_ONE_RECORDING = 10_000;

export type PicturedFacts = Pick<Recording, "startUs" | "endUs" | "position" | "tracks" | "format">;

/**
 * The instants of a recording that get a picture: each whole multiple of the interval, and its beginning where a camera
 * has just come back, so that short runs are seen too. None without video. `intervalUs` 0: none at all.
 */
export function pictureInstants(recording: PicturedFacts, intervalUs: number): number[] {
  const { startUs, endUs, position, tracks, format } = recording;
  // Nobody has looked into the tracks of some MPEG-TS files.
  const mayHaveVideo = tracks.some(({ kind }) => kind === "video") || (format === "mpegts" && tracks.length === 0);
  if (intervalUs === 0 || !mayHaveVideo || endUs <= startUs) return [];
  const instants: number[] = position?.segmentNumber === 0 ? [startUs] : [];
  const firstUs = Math.ceil(startUs / intervalUs) * intervalUs;
  for (let atUs = firstUs; atUs < endUs && instants.length < MOST_OF_ONE_RECORDING; atUs += intervalUs) {
    if (atUs !== startUs || instants.length === 0) instants.push(atUs);
  }
  return instants;
}

/** The same for the same picture, so that whoever makes it again finds it there. Below `~`: no recording's. */
export function thumbnailKey(
  prefix: string,
  { path, id, atUs }: Pick<Recording, "path" | "id"> & { readonly atUs: number },
): string {
  // The end of an id of version 7 is what is random in it.
  const own = id.replaceAll("-", "").slice(-12);
  return `${directoryOf(`${prefix}/~thumbnails`, { path, startUs: atUs })}/${stampOf(atUs)}_${own}.jpg`;
}

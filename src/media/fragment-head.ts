/** The head of one fragment whose place is known from the index: its `moof`, and where its media lies. */
import { damaged, fourcc, fourccText, readBoxHeader, viewOf } from "./box.js";
import type { Fragment } from "./inspection.js";
import type { FragmentBoxes } from "./sample-runs.js";

const LONGEST_HEADER_BYTES = 16;

/** How much to read at first: all of the head, as long as MediaMTX writes the usual second of media. */
export const HEAD_BYTES = 4_096;

/**
 * `bytes` are the first ones of the fragment. A number says how many of them are needed. Throws `data-loss` when the
 * fragment is not the one of the index.
 */
export function readFragmentHead(
  bytes: Uint8Array,
  { offsetBytes, sizeBytes }: Pick<Fragment, "offsetBytes" | "sizeBytes">,
): FragmentBoxes | number {
  const view = viewOf(bytes);
  const moof = readBoxHeader(view, 0, offsetBytes);
  if (moof?.type !== fourcc("moof") || moof.sizeBytes + 8 > sizeBytes) throw another(offsetBytes, moof?.type);
  const mdat = view.byteLength < moof.sizeBytes ? undefined : readBoxHeader(view, moof.sizeBytes, offsetBytes);
  if (mdat === undefined) {
    const neededBytes = Math.min(moof.sizeBytes + LONGEST_HEADER_BYTES, sizeBytes);
    if (neededBytes <= bytes.byteLength) throw another(offsetBytes, moof.type);
    return neededBytes;
  }
  if (mdat.type !== fourcc("mdat") || moof.sizeBytes + mdat.sizeBytes !== sizeBytes) {
    throw another(offsetBytes + moof.sizeBytes, mdat.type);
  }
  return {
    moof: { ...moof, view, viewOffsetBytes: offsetBytes, start: 0, body: moof.headerBytes, end: moof.sizeBytes },
    mediaStartBytes: offsetBytes + moof.sizeBytes + mdat.headerBytes,
    mediaEndBytes: offsetBytes + sizeBytes,
  };
}

function another(offsetBytes: number, type: number | undefined) {
  const got = type === undefined ? "nothing" : fourccText(type);
  return damaged(`read fragment at byte ${String(offsetBytes)}: got ${got}, expected the one of the index`);
}

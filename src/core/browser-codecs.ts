/**
 * What browsers make of a codec in fragmented MP4 (Media Source Extensions), by its RFC 6381 string. A camera's sound is
 * often G.711, which MediaMTX records as PCM (`ipcm`) and no browser plays; H.265 depends on browser, system and chip.
 */
export type Playable = "yes" | "some" | "no";

const EVERYWHERE = /^(avc[13]\.|mp4a\.40(\.|$)|mp4a\.6[69b]$|opus$|flac$|vp09\.|av01\.)/i;
const SOMEWHERE = /^(hvc1|hev1|ac-3|ec-3)/i;

/** A range is as playable as the least playable of its codecs; tracks of no known kind are left out by players. */
export function playableIn(codecs: Iterable<string>): Playable {
  let worst: Playable = "yes";
  for (const codec of codecs) {
    if (EVERYWHERE.test(codec)) continue;
    if (!SOMEWHERE.test(codec)) return "no";
    worst = "some";
  }
  return worst;
}

/** Pieces of a file that follow each other in a clip: neighbours are one, and a range of the clip is some of them. */
export interface Piece {
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

export function addPiece(pieces: Piece[], { offsetBytes, sizeBytes }: Piece): void {
  const last = pieces.at(-1);
  if (last === undefined || last.offsetBytes + last.sizeBytes !== offsetBytes) pieces.push({ offsetBytes, sizeBytes });
  else pieces[pieces.length - 1] = { offsetBytes: last.offsetBytes, sizeBytes: last.sizeBytes + sizeBytes };
}

/** What of the pieces, laid end to end, is in [start, end). */
export function cutPieces(pieces: readonly Piece[], start: number, end: number): Piece[] {
  const inside: Piece[] = [];
  let at = 0;
  for (const { offsetBytes, sizeBytes } of pieces) {
    const from = Math.max(0, start - at);
    const to = Math.min(sizeBytes, end - at);
    if (from < to) inside.push({ offsetBytes: offsetBytes + from, sizeBytes: to - from });
    at += sizeBytes;
  }
  return inside;
}

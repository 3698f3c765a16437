/**
 * Wall clock ↔ the player's own time. A playlist leaves gaps out, so that the two run alike inside a fragment only;
 * each fragment says the wall clock of its first frame (EXT-X-PROGRAM-DATE-TIME).
 */
export interface ClockedFragment {
  /** Seconds of the player's time. */
  readonly startSec: number;
  readonly durationSec: number;
  readonly wallMs: number;
}

export function wallOf(fragments: readonly ClockedFragment[], mediaSec: number): number | undefined {
  let found = fragments[0];
  for (const fragment of fragments) {
    if (fragment.startSec > mediaSec) break;
    found = fragment;
  }
  return found === undefined ? undefined : found.wallMs + (mediaSec - found.startSec) * 1_000;
}

/** Where to seek for an instant: inside its fragment, or at the start of the next one when it lies in a gap. */
export function mediaOf(fragments: readonly ClockedFragment[], wallMs: number): number | undefined {
  for (const { startSec, durationSec, wallMs: startMs } of fragments) {
    if (wallMs < startMs) return startSec;
    if (wallMs < startMs + durationSec * 1_000) return startSec + (wallMs - startMs) / 1_000;
  }
  return undefined;
}

/** Whether the instant is in the loaded range at all: inside it, gaps included. */
export function isLoaded(fragments: readonly ClockedFragment[], wallMs: number): boolean {
  const [first, last] = [fragments[0], fragments.at(-1)];
  if (first === undefined || last === undefined) return false;
  return wallMs >= first.wallMs && wallMs < last.wallMs + last.durationSec * 1_000;
}

/** Places of one path that lie close together, so that one statement reads around all of them. */
import type { PathName } from "../core/path-name.js";

/** Where something stands in the timeline of a path. */
export interface Place {
  readonly path: PathName;
  readonly startUs: number;
}

export interface Stretch {
  readonly path: PathName;
  readonly firstUs: number;
  /** Itself a place, as `firstUs` is. */
  readonly lastUs: number;
}

/** What lies between two places of a stretch is read too: some rows of the shortest segments. */
const CLOSE_US = 60_000_000;

export function stretchesOf(places: readonly Place[]): Stretch[] {
  const stretches: Stretch[] = [];
  const sorted = places.toSorted((a, b) => (a.path === b.path ? a.startUs - b.startUs : a.path < b.path ? -1 : 1));
  for (const { path, startUs } of sorted) {
    const last = stretches.at(-1);
    if (last?.path === path && startUs - last.lastUs <= CLOSE_US) {
      stretches[stretches.length - 1] = { ...last, lastUs: startUs };
    } else {
      stretches.push({ path, firstUs: startUs, lastUs: startUs });
    }
  }
  return stretches;
}

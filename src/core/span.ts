/** A part of the timeline of a path: footage and where it is, or a gap and why. Half-open, in microseconds. */
import type { Whereabouts } from "./copy-state.js";

export const GAP_CAUSES = [
  "source-offline",
  "recording-off",
  "disabled",
  "server-down",
  "disk-full",
  "expired",
  "deleted",
  "not-indexed",
  "unknown",
] as const;
export type GapCause = (typeof GAP_CAUSES)[number];

export interface TimeRange {
  readonly fromUs: number;
  readonly toUs: number;
}

export type Footage = TimeRange & { readonly kind: "footage"; readonly where: Whereabouts };
export type Gap = TimeRange & { readonly kind: "gap"; readonly cause: GapCause };
export type Span = Footage | Gap;

/** What the timeline shows, and what it tells of what is done to it. */
import type { TimelinePath } from "./api-types.js";
import type { Marks } from "./marks.js";
import type { TimeView } from "./time-scale.js";

export interface TimelineProps {
  readonly paths: readonly TimelinePath[];
  readonly view: TimeView;
  readonly playheadMs: number | undefined;
  readonly marks: Marks;
  readonly onView: (change: (view: TimeView) => TimeView) => void;
  readonly onSeek: (atMs: number) => void;
  readonly onMarks: (marks: Marks) => void;
}

export interface Hover {
  readonly px: number;
  readonly atMs: number;
  readonly row: number | undefined;
}

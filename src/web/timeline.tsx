/** The timeline: wheel and pinch zoom about the pointer, drag pans, click seeks, shift-drag marks, hover tells; a held finger scrubs. */
import { useColours } from "./use-colours.js";
import { useEffect, useMemo, useRef, useState } from "react";

import type { TimelinePath } from "./api-types.js";
import { nowMs } from "./clock.js";
import { drawTimeline, rowsHeightPx } from "./draw-timeline.js";
import { Picture } from "./picture.js";
import { drawnEvents, drawnSpans, spanAt, type DrawnSpan } from "./spans.js";
import { SpriteTile } from "./sprite-tile.js";
import { strings } from "./strings.js";
import type { Hover, TimelineProps } from "./timeline-props.js";
import { useTimelineGestures } from "./timeline-gestures.js";
import { bothClocks, clock, zone } from "./words.js";

export function Timeline(props: TimelineProps) {
  const { paths, view, playheadMs, marks } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [hover, setHover] = useState<Hover>();
  const [widthPx, setWidthPx] = useState(0);
  const colours = useColours();
  const rows = useRows(paths);
  const events = useMemo(() => paths.map(({ events: own }) => drawnEvents(own)), [paths]);
  useEffect(() => {
    if (canvas.current === null) return;
    const observer = new ResizeObserver(([entry]) => setWidthPx(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(canvas.current);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext("2d");
    if (element === null || context === null || context === undefined || widthPx === 0) return;
    const scale = devicePixelRatio;
    element.width = widthPx * scale;
    element.height = rowsHeightPx(rows.length) * scale;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    const names = paths.length > 1 ? paths.map(({ path }) => path) : [];
    drawTimeline(context, { view, widthPx, rows, events, names, playheadMs, now: nowMs(), ...marks, colours });
  }, [view, widthPx, rows, events, paths, playheadMs, marks, colours]);
  useTimelineGestures(canvas, { ...props, widthPx, onHover: setHover });
  return (
    <div className="timeline">
      <canvas
        ref={canvas}
        tabIndex={0}
        role="application"
        aria-label={strings.timeline.label(zone(view.fromMs))}
        data-from={new Date(view.fromMs).toISOString()}
        data-to={new Date(view.toMs).toISOString()}
        data-rows={Math.max(1, rows.length)}
      />
      {hover !== undefined && <HoverCard {...{ hover, rows, paths, widthPx }} />}
    </div>
  );
}

function useRows(paths: readonly TimelinePath[]): readonly (readonly DrawnSpan[])[] {
  const kept = useRef<{ paths: readonly TimelinePath[]; rows: readonly (readonly DrawnSpan[])[] }>(undefined);
  const [rows, setRows] = useState<readonly (readonly DrawnSpan[])[]>([]);
  useEffect(() => {
    if (kept.current?.paths === paths) return;
    kept.current = { paths, rows: paths.map(({ spans }) => drawnSpans(spans)) };
    setRows(kept.current.rows);
  }, [paths]);
  return rows;
}

interface HoverCardProps {
  readonly hover: Hover;
  readonly rows: readonly (readonly DrawnSpan[])[];
  readonly paths: readonly TimelinePath[];
  readonly widthPx: number;
}

/** The picture of rounded instants only: moving by a hair asks for nothing new. */
const PICTURE_EVERY_MS = 10_000;

function HoverCard({ hover, rows, paths, widthPx }: HoverCardProps) {
  const { px, atMs, row = 0 } = hover;
  const path = paths[row];
  const span = spanAt(rows[row] ?? [], atMs);
  const [pictureMs, setPictureMs] = useState<number>();
  const roundedMs = Math.floor(atMs / PICTURE_EVERY_MS) * PICTURE_EVERY_MS;
  const isFootage = span?.kind === "footage";
  // Footage may begin within the millisecond.
  const wantedMs = isFootage ? Math.max(roundedMs, span.fromMs + 1) : undefined;
  useEffect(() => {
    const timer = setTimeout(() => setPictureMs(wantedMs), 150);
    return () => clearTimeout(timer);
  }, [wantedMs]);
  const left = Math.min(Math.max(0, px - 88), Math.max(0, widthPx - 176));
  return (
    <div className="hover-card" style={{ left }} title={bothClocks(new Date(atMs).toISOString())}>
      {path !== undefined && isFootage && <Preview {...{ path: path.path, atMs, pictureMs, wantedMs }} />}
      <strong>{clock(atMs)}</strong>
      <span>{spanWords(span, atMs)}</span>
    </div>
  );
}

interface PreviewProps {
  readonly path: string;
  readonly atMs: number;
  /** Where the pointer has rested, and where it is now. */
  readonly pictureMs: number | undefined;
  readonly wantedMs: number | undefined;
}

/** A tile at once, and the picture of the very instant where the pointer rests. */
function Preview({ path, atMs, pictureMs, wantedMs }: PreviewProps) {
  const tile = <SpriteTile path={path} atMs={atMs} />;
  if (pictureMs === undefined || pictureMs !== wantedMs) return tile;
  return <Picture path={path} atMs={pictureMs} widthPx={160} alt="" meanwhile={tile} />;
}

function spanWords(span: DrawnSpan | undefined, atMs: number): string {
  if (span === undefined) return atMs > nowMs() ? strings.timeline.future : strings.timeline.nothing;
  return span.kind === "footage" ? strings.where[span.where] : strings.causes[span.cause];
}

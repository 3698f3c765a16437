/** The timeline on its canvas. Only what is seen is drawn, and nothing twice on the same pixel. */
import type { GapCause, Where } from "./api-types.js";
import { type DrawnEvent, type DrawnSpan, firstEndingAfter } from "./spans.js";
import { ticksOf } from "./ticks.js";
import { msOf, pxOf, type TimeView } from "./time-scale.js";
import { clock, minutes, shortDay } from "./words.js";

const RULER_PX = 24;
const ROW_PX = 32;
const FLAG_PX = 8;
export const rowsHeightPx = (rows: number): number => RULER_PX + rows * ROW_PX;

export interface Colours {
  readonly text: string;
  readonly quiet: string;
  readonly line: string;
  readonly page: string;
  readonly accent: string;
  readonly bad: string;
  readonly footage: string;
}

/** The same in light and dark: each stands out on both. */
export const CAUSE_COLOURS: Readonly<Record<GapCause, string>> = {
  "source-offline": "#d9822b",
  "recording-off": "#8f99a8",
  disabled: "#8f99a8",
  "server-down": "#db3737",
  "disk-full": "#c22762",
  expired: "#7157d9",
  deleted: "#96622d",
  "not-indexed": "#2ba3b5",
  unknown: "#a0a040",
};

export interface Scene {
  readonly view: TimeView;
  readonly widthPx: number;
  readonly rows: readonly (readonly DrawnSpan[])[];
  /** Of each row, in order. */
  readonly events: readonly (readonly DrawnEvent[])[];
  /** Of the rows, where there are several. */
  readonly names: readonly string[];
  readonly playheadMs: number | undefined;
  readonly now: number;
  readonly inMs: number | undefined;
  readonly outMs: number | undefined;
  readonly colours: Colours;
}

export function drawTimeline(context: CanvasRenderingContext2D, scene: Scene): void {
  const { widthPx, rows } = scene;
  context.clearRect(0, 0, widthPx, rowsHeightPx(rows.length));
  drawRuler(context, scene);
  for (const [index, spans] of rows.entries()) {
    drawRow(context, scene, { spans, topPx: RULER_PX + index * ROW_PX + 4 });
    drawEvents(context, scene, { events: scene.events[index] ?? [], topPx: RULER_PX + index * ROW_PX });
  }
  drawMarks(context, scene);
  drawNames(context, scene);
}

function drawNames(context: CanvasRenderingContext2D, { names, colours }: Scene): void {
  for (const [index, name] of names.entries()) {
    const topPx = RULER_PX + index * ROW_PX + 6;
    context.fillStyle = colours.page;
    context.globalAlpha = 0.85;
    context.fillRect(4, topPx, context.measureText(name).width + 12, ROW_PX - 12);
    context.globalAlpha = 1;
    context.fillStyle = colours.text;
    context.fillText(name, 10, topPx + (ROW_PX - 12) / 2);
  }
}

function drawRuler(context: CanvasRenderingContext2D, { view, widthPx, rows, colours }: Scene): void {
  const offset = (atMs: number): number => -new Date(atMs).getTimezoneOffset() * 60_000;
  context.font = '12px -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif';
  context.textBaseline = "middle";
  for (const { atMs, kind } of ticksOf(view, widthPx, offset)) {
    const px = Math.round(pxOf(view, widthPx, atMs));
    context.fillStyle = colours.line;
    context.fillRect(px, 0, 1, rowsHeightPx(rows.length));
    context.fillStyle = kind === "day" ? colours.text : colours.quiet;
    const text = kind === "day" ? shortDay(atMs) : kind === "seconds" ? clock(atMs) : minutes(atMs);
    context.fillText(text, px + 4, RULER_PX / 2);
  }
}

interface Row {
  readonly spans: readonly DrawnSpan[];
  readonly topPx: number;
}

function drawRow(context: CanvasRenderingContext2D, scene: Scene, { spans, topPx }: Row): void {
  const { view, widthPx } = scene;
  const heightPx = ROW_PX - 8;
  let drawnPx = -1;
  for (let index = firstEndingAfter(spans, view.fromMs); index < spans.length; index += 1) {
    const span = spans[index];
    if (span === undefined || span.fromMs >= view.toMs) break;
    const startPx = Math.max(0, pxOf(view, widthPx, span.fromMs));
    const endPx = Math.min(widthPx, Math.max(pxOf(view, widthPx, span.toMs), startPx + 1));
    if (endPx <= drawnPx) continue;
    drawnPx = Math.floor(endPx);
    const box = [startPx, topPx, endPx - startPx, heightPx] as const;
    if (span.kind === "gap") fillGap(context, CAUSE_COLOURS[span.cause], box);
    else fillFootage(context, { colour: scene.colours.footage, where: span.where }, box);
  }
}

interface EventRow {
  readonly events: readonly DrawnEvent[];
  readonly topPx: number;
}

/** A flag at the top of the row: filled where the source came, hollow where it left. */
function drawEvents(context: CanvasRenderingContext2D, scene: Scene, { events, topPx }: EventRow): void {
  const { view, widthPx, colours } = scene;
  const pole = ROW_PX - 2;
  let drawnPx = -Infinity;
  for (const { atMs, kind } of events) {
    const px = Math.round(pxOf(view, widthPx, atMs));
    if (px < -FLAG_PX || px > widthPx || px < drawnPx + 2) continue;
    drawnPx = px;
    context.fillStyle = context.strokeStyle = colours.text;
    context.lineWidth = 1.5;
    context.fillRect(px, topPx, 1.5, pole);
    context.beginPath();
    context.moveTo(px, topPx);
    context.lineTo(px + FLAG_PX, topPx + FLAG_PX / 2);
    context.lineTo(px, topPx + FLAG_PX);
    context.closePath();
    context.fillStyle = kind === "ready" ? colours.text : colours.page;
    context.fill();
    context.stroke();
  }
}

type Box = readonly [x: number, y: number, width: number, height: number];

/** Solid where both copies are, lighter on disk alone, outlined in the store alone. */
function fillFootage(
  context: CanvasRenderingContext2D,
  { colour, where }: { readonly colour: string; readonly where: Where },
  box: Box,
): void {
  const [x, y, width, height] = box;
  context.fillStyle = colour;
  context.globalAlpha = where === "both" ? 1 : where === "archived" ? 0.18 : 0.55;
  context.fillRect(...box);
  context.globalAlpha = 1;
  if (where !== "archived" || width < 3) return;
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.strokeRect(x + 1, y + 1, width - 2, height - 2);
}

const hatches = new Map<string, CanvasPattern | null>();

function fillGap(context: CanvasRenderingContext2D, colour: string, box: Box): void {
  if (!hatches.has(colour)) hatches.set(colour, hatchOf(context, colour));
  context.fillStyle = hatches.get(colour) ?? colour;
  context.fillRect(...box);
}

function hatchOf(context: CanvasRenderingContext2D, colour: string): CanvasPattern | null {
  const tile = document.createElement("canvas");
  tile.width = tile.height = 8;
  const paint = tile.getContext("2d");
  if (paint === null) return null;
  paint.strokeStyle = colour;
  paint.lineWidth = 2;
  paint.beginPath();
  for (const offset of [-8, 0, 8]) {
    paint.moveTo(offset - 1, 9);
    paint.lineTo(offset + 9, -1);
  }
  paint.stroke();
  return context.createPattern(tile, "repeat");
}

function drawMarks(context: CanvasRenderingContext2D, scene: Scene): void {
  const { view, widthPx, rows, playheadMs, now, inMs, outMs, colours } = scene;
  const heightPx = rowsHeightPx(rows.length);
  const at = (ms: number): number => Math.round(pxOf(view, widthPx, ms));
  if (inMs !== undefined) {
    const [fromPx, toPx] = [at(inMs), at(outMs ?? inMs)];
    context.fillStyle = colours.accent;
    context.globalAlpha = 0.25;
    context.fillRect(fromPx, 0, toPx - fromPx, heightPx);
    context.globalAlpha = 1;
    for (const px of [fromPx, toPx]) context.fillRect(px - 1, 0, 2, heightPx);
  }
  if (now > view.fromMs && now < view.toMs) {
    context.fillStyle = colours.quiet;
    context.fillRect(at(now), RULER_PX, 1, heightPx);
  }
  if (playheadMs === undefined) return;
  const px = at(playheadMs);
  context.fillStyle = colours.bad;
  context.fillRect(px - 1, 0, 2, heightPx);
  context.beginPath();
  context.moveTo(px - 6, 0);
  context.lineTo(px + 6, 0);
  context.lineTo(px, 8);
  context.fill();
}

/** The instant and the row under a point of the canvas; no row on the ruler. */
export function hit(scene: Pick<Scene, "view" | "widthPx">, px: number, topPx: number) {
  const row = Math.floor((topPx - RULER_PX) / ROW_PX);
  return { atMs: msOf(scene.view, scene.widthPx, px), row: row < 0 ? undefined : row };
}

/** What the address says: which paths, which moment, how much time is shown. A link shows the same again. */
export interface Address {
  readonly paths: readonly string[];
  /** undefined: the newest footage */
  readonly atMs: number | undefined;
  readonly zoomMs: number;
}

export const MOST_PATHS = 9;
const DEFAULT_ZOOM_MS = 3_600_000;

export function readAddress(search: string): Address {
  const query = new URLSearchParams(search);
  const paths = query.getAll("path").flatMap((text) => text.split(","));
  const atMs = Date.parse(query.get("at") ?? "");
  const zoomSec = Number(query.get("zoom"));
  return {
    paths: [...new Set(paths.filter((name) => name !== ""))].slice(0, MOST_PATHS),
    atMs: Number.isNaN(atMs) ? undefined : atMs,
    zoomMs: zoomSec >= 60 && zoomSec <= 86_400 ? zoomSec * 1_000 : DEFAULT_ZOOM_MS,
  };
}

/** Relative to the page, which may live below a path of its host. */
export function writeAddress({ paths, atMs, zoomMs }: Address): string {
  if (paths.length === 0) return "./";
  const parts = [`path=${paths.map((name) => encodeURIComponent(name).replaceAll("%2F", "/")).join(",")}`];
  if (atMs !== undefined) parts.push(`at=${new Date(atMs).toISOString()}`);
  if (zoomMs !== DEFAULT_ZOOM_MS) parts.push(`zoom=${String(Math.round(zoomMs / 1_000))}`);
  return `./?${parts.join("&")}`;
}

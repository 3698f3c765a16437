/** What the API says, in words for people. Pure: data in, text out. */
import type { ArchiveStatus, Export, Health, Path, PathList, Problem, Recording } from "./api-types.js";
import { strings } from "./strings.js";

/** A shape and a colour, so that nothing hangs on colour alone. */
export type MarkKind = "live" | "disk" | "moving" | "good" | "store" | "gap" | "warn" | "bad" | "gone";
export interface Marked {
  readonly kind: MarkKind;
  readonly text: string;
}

const format = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat("en-GB", options);
const formats = {
  clock: format({ timeStyle: "medium" }),
  minutes: format({ timeStyle: "short" }),
  day: format({ weekday: "long", day: "numeric", month: "long", year: "numeric" }),
  shortDay: format({ weekday: "short", day: "numeric", month: "short" }),
  short: format({ day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" }),
  month: format({ month: "long", year: "numeric" }),
  full: format({ dateStyle: "full", timeStyle: "long" }),
  zone: format({ timeZoneName: "short" }),
};

export const clock = (at: Date | number): string => formats.clock.format(at);
export const minutes = (at: Date | number): string => formats.minutes.format(at);
export const day = (at: Date | number): string => formats.day.format(at);
export const shortDay = (at: Date | number): string => formats.shortDay.format(at);
export const monthName = (at: Date | number): string => formats.month.format(at);
export const timeZone = (): string => formats.zone.resolvedOptions().timeZone;

export function when(at: Date | number, nowMs: number): string {
  return day(at) === day(nowMs) ? clock(at) : `${clock(at)}, ${day(at)}`;
}

/** To the minute, for tables. */
export function shortWhen(at: Date | number, nowMs: number): string {
  return day(at) === day(nowMs) ? minutes(at) : formats.short.format(at);
}

/** As a field of a form wants it: local time without a zone, to the second. */
export function localText(atMs: number): string {
  const offsetMs = new Date(atMs).getTimezoneOffset() * 60_000;
  return new Date(atMs - offsetMs).toISOString().slice(0, 19);
}

/** In the viewer's zone, and below it in UTC. */
export function bothClocks(iso: string): string {
  return `${formats.full.format(new Date(iso))}\n${iso.replace("T", " ").replace("Z", " UTC")}`;
}

export function zone(nowMs: number): string {
  const short = formats.zone.formatToParts(nowMs).find(({ type }) => type === "timeZoneName")?.value ?? "";
  return timeZone() === short ? short : `${short} (${timeZone()})`;
}

const count = (number: number, word: string): string =>
  `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;

/** Powers of 1000, three digits. */
export function size(bytes: number): string {
  const power = Math.min(4, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  const digits = power === 0 ? {} : { minimumSignificantDigits: 3, maximumSignificantDigits: 3 };
  return `${(bytes / 1e3 ** power).toLocaleString("en", digits)} ${["B", "kB", "MB", "GB", "TB"][power] ?? "TB"}`;
}

export function length(seconds: number): string {
  if (seconds < 59.95) return `${seconds.toFixed(seconds < 0.05 ? 3 : 1)} s`;
  const two = (number: number): string => String(number).padStart(2, "0");
  const whole = Math.floor(Math.round(seconds) / 60);
  if (whole < 60) return `${String(whole)} min ${two(Math.round(seconds) % 60)} s`;
  return `${String(Math.floor(whole / 60))} h ${two(whole % 60)} min`;
}

const CODECS: Readonly<Record<string, string>> = {
  avc1: "H.264",
  avc3: "H.264",
  hvc1: "H.265",
  hev1: "H.265",
  av01: "AV1",
  vp09: "VP9",
  mp4a: "AAC",
};

export const codecName = (codec: string): string => CODECS[codec.split(".")[0] ?? ""] ?? codec;

export function media(tracks: Recording["tracks"]): string {
  const words = tracks.flatMap(({ width, height, codec }) => [
    ...(width !== undefined && width > 0 ? [`${String(width)}×${String(height ?? 0)}`] : []),
    codecName(codec),
  ]);
  return words.join(" · ");
}

export function stateOf({ local, archive }: Pick<Recording, "local" | "archive">): Marked {
  const { states } = strings;
  if (local === "deleted" || archive === "deleted") return { kind: "gone", text: states.deleted };
  if (local === "open") return { kind: "live", text: states.recording };
  if (local === "quarantined") return { kind: "warn", text: states.quarantined };
  if (archive === "conflict") return { kind: "bad", text: states.conflict };
  if (archive === "verified" && local === "released") return { kind: "store", text: states.released };
  if (archive === "verified" && local === "missing") return { kind: "store", text: states.missingProven };
  if (archive === "verified") return { kind: "good", text: states.proven };
  if (local === "missing") return { kind: "bad", text: states.missing };
  if (archive === "expired") return { kind: "gone", text: local === "present" ? states.expiredOnDisk : states.expired };
  return archive === "uploading" ? { kind: "moving", text: states.archiving } : { kind: "disk", text: states.onDisk };
}

const EXPORT_KINDS: Readonly<Record<Export["state"], MarkKind>> = {
  queued: "disk",
  running: "moving",
  done: "good",
  failed: "bad",
  cancelled: "gone",
  deleted: "gone",
  expired: "gone",
};

export function exportStateOf({ state, progress }: Pick<Export, "state" | "progress">): Marked {
  const text = strings.exports.states[state];
  return {
    kind: EXPORT_KINDS[state],
    text: state === "running" ? `${text}, ${strings.exports.progress(Math.floor(100 * progress))}` : text,
  };
}

/** What a viewer must know besides, each with its kind. */
export function notesOf({ gapBeforeSec, missingBefore, partial, error }: Recording): Marked[] {
  const lost: string[] = [];
  if (gapBeforeSec !== null && gapBeforeSec > 0) lost.push(length(gapBeforeSec));
  if (missingBefore > 0) lost.push(count(missingBefore, "segment"));
  const notes: Marked[] = [];
  if (lost.length > 0) notes.push({ kind: "gap", text: strings.notes.missingBefore(lost.join(", ")) });
  if (partial) notes.push({ kind: "warn", text: strings.notes.partial });
  if (error !== null) notes.push({ kind: "bad", text: error });
  return notes;
}

/** What the list shows of a path. */
export type ShownPath = Pick<Path, "name" | "labels" | "enabled" | "recorded" | "state" | "config">;

/** Those that only MediaMTX's own configuration knows stand among the others: whoever recorded, there is footage. */
export function shownPaths({ items, others }: PathList): ShownPath[] {
  const asItems = others.map(({ name, state }) => {
    return { name, state, labels: [], enabled: true, recorded: true, config: { applied: true, error: null } };
  });
  return [...items, ...asItems].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What a path does now, and why it does not when it does not. */
export function pathStateOf({ enabled, recorded, state, config }: ShownPath, nowMs: number): Marked {
  const words = strings.pathState;
  if (!enabled) return { kind: "gone", text: words.disabled };
  if (!config.applied) return { kind: "bad", text: config.error ?? words.notApplied };
  if (state.online === null) return { kind: "warn", text: words.unknown };
  if (state.online) {
    return recorded ? { kind: "live", text: words.recording } : { kind: "warn", text: words.liveOnly };
  }
  const since = state.since === null ? "" : ` ${words.since(when(new Date(state.since), nowMs))}`;
  return { kind: "gone", text: `${words.off}${since}` };
}

export function backlogOf({ backlog }: ArchiveStatus, nowMs: number): Marked {
  const { segments, bytes, oldestUnarchivedAt } = backlog;
  if (segments === 0) return { kind: "good", text: strings.backlog.none };
  const oldest =
    oldestUnarchivedAt === null ? "" : ` · ${strings.backlog.oldest} ${when(new Date(oldestUnarchivedAt), nowMs)}`;
  return { kind: "moving", text: `${strings.backlog.some(`${count(segments, "segment")}, ${size(bytes)}`)}${oldest}` };
}

const sentence = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;

/** The worst check with its hint, the others by name; undefined when all is well. */
export function healthOf({ checks }: Health): Marked | undefined {
  const [worst, ...others] = checks.filter(({ status }) => status !== "ok");
  if (worst === undefined) return undefined;
  const also = others.map(({ name }) => name).join(", ");
  const more = [worst.hint ?? "", also === "" ? "" : `${strings.also}: ${also}`].filter((text) => text !== "");
  const text = [`${worst.name}: ${worst.message}.`, ...more.map(sentence)].join(" ");
  return { kind: worst.status === "fail" ? "bad" : "warn", text };
}

/** What a failed request says, and what to do. */
export function failure({ detail, hint }: Problem, status: number | undefined): string {
  const what = detail ?? (status === undefined ? strings.noAnswer : strings.answers(status));
  return [what, hint ?? ""]
    .filter((text) => text !== "")
    .map(sentence)
    .join(" ");
}

const FFMPEG =
  "ffmpeg -re -f lavfi -i testsrc2=size=640x360:rate=15 -c:v libx264 -tune zerolatency -g 30 -pix_fmt yuv420p";

/** Where to publish, and a line that does. */
export function firstSteps(publishUrls: readonly string[]): { readonly url: string; readonly ffmpeg: string } {
  const url = (publishUrls[0] ?? "rtsp://ADDRESS-OF-MEDIAMTX:8554/PATH").replace("PATH", "cam1");
  const output = url.startsWith("rtmp") ? "-f flv" : "-f rtsp -rtsp_transport tcp";
  return { url, ffmpeg: `${FFMPEG} ${output} ${url}` };
}

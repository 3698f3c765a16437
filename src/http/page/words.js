/** What the API says, in words for people. Pure: data in, text out. */
const format = (options) => new Intl.DateTimeFormat("en-GB", options);
const formats = {
  clock: format({ timeStyle: "medium" }),
  day: format({ weekday: "long", day: "numeric", month: "long", year: "numeric" }),
  full: format({ dateStyle: "full", timeStyle: "long" }),
  zone: format({ timeZoneName: "short" }),
};

export const clock = (date) => formats.clock.format(date);
export const day = (date) => formats.day.format(date);
export const when = (date) => (day(date) === day(new Date()) ? clock(date) : `${clock(date)}, ${day(date)}`);
export const bothClocks = (iso) =>
  `${formats.full.format(new Date(iso))}\n${iso.replace("T", " ").replace("Z", " UTC")}`;

export function zone() {
  const short = formats.zone.formatToParts(new Date()).find(({ type }) => type === "timeZoneName").value;
  const { timeZone } = formats.zone.resolvedOptions();
  return timeZone === short ? short : `${short} (${timeZone})`;
}

export const count = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;

/** Powers of 1000, three digits. */
export function size(bytes) {
  const power = Math.min(4, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  const digits = power === 0 ? {} : { minimumSignificantDigits: 3, maximumSignificantDigits: 3 };
  return `${(bytes / 1e3 ** power).toLocaleString("en", digits)} ${["B", "kB", "MB", "GB", "TB"][power]}`;
}

export function length(seconds) {
  if (seconds < 59.95) return `${seconds.toFixed(seconds < 0.05 ? 3 : 1)} s`;
  const two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(Math.round(seconds) / 60);
  if (minutes < 60) return `${minutes} min ${two(Math.round(seconds) % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

const CODECS = { avc1: "H.264", avc3: "H.264", hvc1: "H.265", hev1: "H.265", av01: "AV1", vp09: "VP9", mp4a: "AAC" };

export function media(tracks) {
  const words = tracks.flatMap(({ width, height, codec }) => [
    ...(width > 0 ? [`${width}×${height}`] : []),
    CODECS[codec.split(".")[0]] ?? codec,
  ]);
  return words.join(" · ");
}

/** Kind (a shape and a colour) and words. */
export function stateOf({ local, archive }) {
  if (local === "deleted" || archive === "deleted") return ["gone", "Deleted"];
  if (local === "open") return ["live", "Recording…"];
  if (local === "quarantined") return ["warn", "Quarantined"];
  if (archive === "conflict") return ["bad", "Conflict: the store holds other bytes"];
  if (archive === "verified" && local === "released") return ["store", "Released, only in the store"];
  if (archive === "verified" && local === "missing") return ["store", "Missing on disk, proven in the store"];
  if (archive === "verified") return ["good", "Proven"];
  if (local === "missing") return ["bad", "Missing"];
  if (archive === "expired") return ["gone", local === "present" ? "Expired, only on disk" : "Expired"];
  return archive === "uploading" ? ["moving", "Archiving"] : ["disk", "On disk"];
}

/** What a viewer must know besides, each with its kind. */
export function notesOf({ gapBeforeSec, missingBefore, partial, error }) {
  const lost = [];
  if (gapBeforeSec > 0) lost.push(length(gapBeforeSec));
  if (missingBefore > 0) lost.push(count(missingBefore, "segment"));
  return [
    ["gap", lost.length > 0 ? `${lost.join(", ")} missing before` : ""],
    ["warn", partial ? "Partial: only its whole fragments count" : ""],
    ["bad", error ?? ""],
  ].filter(([, text]) => text !== "");
}

export function backlog({ segments, bytes, oldestUnarchivedAt }) {
  if (segments === 0) return ["good", "Nothing left to archive"];
  const oldest = oldestUnarchivedAt === null ? "" : ` · oldest ${when(new Date(oldestUnarchivedAt))}`;
  return ["moving", `${count(segments, "segment")}, ${size(bytes)} to archive${oldest}`];
}

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;

/** The worst check with its hint, the others by name. */
export function health(checks) {
  const [worst, ...others] = checks.filter(({ status }) => status !== "ok");
  if (worst === undefined) return ["good", ""];
  const also = others.map(({ name }) => name).join(", ");
  const more = [worst.hint, also && `also: ${also}`].filter(Boolean).map(sentence);
  return [worst.status === "fail" ? "bad" : "warn", [`${worst.name}: ${worst.message}.`, ...more].join(" ")];
}

/** What a failed request says, and what to do. */
export function failure({ detail, hint }, status) {
  return [detail ?? (status === undefined ? "the server does not answer" : `the server answers ${status}`), hint]
    .filter(Boolean)
    .map(sentence)
    .join(" ");
}

const FFMPEG =
  "ffmpeg -re -f lavfi -i testsrc2=size=640x360:rate=15 -c:v libx264 -tune zerolatency -g 30 -pix_fmt yuv420p";

/** Where to publish, and a line that does. */
export function firstSteps([template = "rtsp://ADDRESS-OF-MEDIAMTX:8554/PATH"]) {
  const url = template.replace("PATH", "cam1");
  const output = url.startsWith("rtmp") ? "-f flv" : "-f rtsp -rtsp_transport tcp";
  return { url, ffmpeg: `${FFMPEG} ${output} ${url}` };
}

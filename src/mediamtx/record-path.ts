/**
 * Codec of MediaMTX's `recordPath` names (`internal/recordstore/path.go`), relative to the record directory. Unlike
 * there, a name must match as a whole: `X.mp4.tmp` is no segment. A local reading (no `%s`, no `%z`) is taken in the
 * given zone; in the hour that summer time gives back it means the earlier instant.
 */
import { AppError } from "../core/errors.js";
import { isPlausibleInstant, US_PER_MS, US_PER_SEC } from "../core/instant.js";
import { isPathName, MAX_PATH_NAME_LENGTH, type PathName } from "../core/path-name.js";
import type { SegmentFormat } from "../core/recording.js";
import { zoneClock, type ZoneClock } from "../core/zone-clock.js";

/** What we configure: second and microsecond in UTC, so that neither zone nor summer time can make two names equal. */
export const OUR_RECORD_PATH = "%path/%Y-%m-%d/%s-%f";
/** MediaMTX's own default below `./recordings/`. */
export const DEFAULT_RECORD_PATH = "%path/%Y-%m-%d_%H-%M-%S-%f";

export interface DecodedName {
  readonly path: PathName;
  readonly startUs: number;
  readonly format: SegmentFormat;
  /** The name itself holds the zone (`%s` or `%z`); otherwise `startUs` is only as right as the given zone. */
  readonly zoneProof: boolean;
  /** MediaMTX can never give this name to another segment (F35). */
  readonly nameIsUnique: boolean;
}

export interface RecordPathCodec {
  encode(path: PathName, startUs: number, format?: SegmentFormat): string;
  /** Undefined for a name that is not of this template. `relativeFilePath` has forward slashes. */
  decode(relativeFilePath: string): DecodedName | undefined;
}

type Variable = "path" | "Y" | "m" | "d" | "H" | "M" | "S" | "f" | "z" | "s";
type Token =
  { readonly kind: "text"; readonly text: string } | { readonly kind: "variable"; readonly variable: Variable };

const PATTERNS: Readonly<Record<Variable, string>> = {
  path: `[0-9a-zA-Z_\\-/.]{1,${String(MAX_PATH_NAME_LENGTH)}}`,
  Y: "[0-9]{4}",
  m: "[0-9]{2}",
  d: "[0-9]{2}",
  H: "[0-9]{2}",
  M: "[0-9]{2}",
  S: "[0-9]{2}",
  f: "[0-9]{6}",
  z: "Z|[+-][0-9]{4}",
  s: "[0-9]{10}",
};
/** A clock that was never set counts from 1970: such seconds have fewer digits. Only where nothing can be mistaken. */
const SHORT_SECONDS = "[0-9]{1,10}";
const WHOLE_DATE: readonly Variable[] = ["Y", "m", "d", "H", "M", "S"];
const MAX_FILE_PATH_LENGTH = 1_024;
const EXTENSIONS: readonly (readonly [string, SegmentFormat])[] = [
  [".mp4", "fmp4"],
  [".ts", "mpegts"],
];

/** Throws `invalid-argument` for a template that MediaMTX would refuse or that does not stay in the record directory. */
export function compileRecordPath(template: string, options: { readonly timeZone: string }): RecordPathCodec {
  const tokens = tokenize(template.replace(/^(\.\/)+/, ""));
  checkTemplate(template, tokens);
  const pattern = new RegExp(`^${patternOf(tokens)}$`);
  const zone = zoneClock(options.timeZone);
  const facts = { zoneProof: holds(tokens, "s") || holds(tokens, "z"), nameIsUnique: nameIsUnique(template) };
  return {
    encode: (path, startUs, format = "fmp4") => {
      const values = valuesAt(path, startUs, zone);
      const name = tokens.map((token) => (token.kind === "text" ? token.text : values[token.variable])).join("");
      return name + (format === "mpegts" ? ".ts" : ".mp4");
    },
    decode: (relativeFilePath) => {
      if (relativeFilePath.length > MAX_FILE_PATH_LENGTH) return undefined;
      const extension = EXTENSIONS.find(([ending]) => relativeFilePath.endsWith(ending));
      if (extension === undefined) return undefined;
      const found = pattern.exec(relativeFilePath.slice(0, -extension[0].length))?.groups;
      const path = found?.["path"];
      if (found === undefined || path === undefined || !isPathName(path)) return undefined;
      const startUs = startUsOf(found, zone);
      return startUs === undefined || !isPlausibleInstant(startUs)
        ? undefined
        : { path, startUs, format: extension[1], ...facts };
    },
  };
}

/** `%s` does not repeat and `%f` tells segments of one second apart. */
export function nameIsUnique(template: string): boolean {
  const tokens = tokenize(template);
  return holds(tokens, "s") && holds(tokens, "f");
}

/** Tries our own template, MediaMTX's default, then the further ones; the first that matches decides. */
export function createNameDecoder(options: {
  readonly templates: readonly string[];
  readonly timeZone: string;
}): (relativeFilePath: string) => DecodedName | undefined {
  const templates = new Set([OUR_RECORD_PATH, DEFAULT_RECORD_PATH, ...options.templates]);
  const codecs = [...templates].map((template) => compileRecordPath(template, { timeZone: options.timeZone }));
  return (relativeFilePath) => {
    for (const codec of codecs) {
      const decoded = codec.decode(relativeFilePath);
      if (decoded !== undefined) return decoded;
    }
    return undefined;
  };
}

function tokenize(template: string): readonly Token[] {
  // A capturing group makes split() answer text and variables in turn.
  return template
    .split(/%(path|[YmdHMSfzs])/)
    .map((part, index): Token =>
      index % 2 === 1 ? { kind: "variable", variable: part as Variable } : { kind: "text", text: part },
    )
    .filter((token) => token.kind === "variable" || token.text !== "");
}

function holds(tokens: readonly Token[], variable: Variable): boolean {
  return tokens.some((token) => token.kind === "variable" && token.variable === variable);
}

function checkTemplate(template: string, tokens: readonly Token[]): void {
  const refuse = (expected: string): AppError =>
    new AppError({ kind: "invalid-argument", message: `recordPath "${template.slice(0, 200)}": expected ${expected}` });
  if (!holds(tokens, "path")) throw refuse("%path in it");
  if (!holds(tokens, "s") && !WHOLE_DATE.every((variable) => holds(tokens, variable))) {
    throw refuse("%s or all of %Y %m %d %H %M %S in it");
  }
  const parts = template.split("/");
  if (template.startsWith("/") || parts.includes("..") || template.includes("\0")) {
    throw refuse("a template relative to the record directory");
  }
}

/** Each variable is captured where it stands first and must read the same wherever it stands again. */
function patternOf(tokens: readonly Token[]): string {
  const seen = new Set<Variable>();
  return tokens
    .map((token, index) => {
      if (token.kind === "text") return token.text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
      if (seen.has(token.variable)) return `\\k<${token.variable}>`;
      seen.add(token.variable);
      const before = tokens[index - 1];
      const isDelimited = before?.kind === "text" && !/[0-9]$/.test(before.text);
      const pattern = token.variable === "s" && isDelimited ? SHORT_SECONDS : PATTERNS[token.variable];
      return `(?<${token.variable}>${pattern})`;
    })
    .join("");
}

function startUsOf(found: Readonly<Record<string, string | undefined>>, zone: ZoneClock): number | undefined {
  const micros = Number(found["f"] ?? 0);
  if (found["s"] !== undefined) return Number(found["s"]) * US_PER_SEC + micros;
  const fields = WHOLE_DATE.map((variable) => Number(found[variable]));
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = fields;
  const reading = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  reading.setUTCFullYear(year, month - 1, day);
  const readBack = [reading.getUTCMonth() + 1, reading.getUTCDate(), reading.getUTCHours(), reading.getUTCMinutes()];
  if (readBack.some((value, index) => value !== fields[index + 1]) || second > 59) return undefined;
  const offset = found["z"];
  const epochMs =
    offset === undefined ? zone.toEpochMs(reading.getTime()) : reading.getTime() - offsetSec(offset) * 1_000;
  return epochMs * US_PER_MS + micros;
}

/** `Z`, `+0530` or `-0330`: hours and minutes share the sign. */
function offsetSec(text: string): number {
  if (text === "Z") return 0;
  const size = Number(text.slice(1, 3)) * 3_600 + Number(text.slice(3, 5)) * 60;
  return text.startsWith("-") ? -size : size;
}

function valuesAt(path: PathName, startUs: number, zone: ZoneClock): Readonly<Record<Variable, string>> {
  const epochSec = Math.floor(startUs / US_PER_SEC);
  const eastSec = zone.offsetSecAt(epochSec * 1_000);
  const reading = new Date((epochSec + eastSec) * 1_000);
  const digits = (value: number, size = 2): string => String(value).padStart(size, "0");
  const minutes = Math.floor(Math.abs(eastSec) / 60);
  return {
    path,
    Y: String(reading.getUTCFullYear()),
    m: digits(reading.getUTCMonth() + 1),
    d: digits(reading.getUTCDate()),
    H: digits(reading.getUTCHours()),
    M: digits(reading.getUTCMinutes()),
    S: digits(reading.getUTCSeconds()),
    f: digits(startUs - epochSec * US_PER_SEC, 6),
    z: eastSec === 0 ? "Z" : `${eastSec < 0 ? "-" : "+"}${digits(Math.floor(minutes / 60))}${digits(minutes % 60)}`,
    s: String(epochSec),
  };
}

/**
 * Where a recording stands in the store: `{prefix}/{path}/{yyyy}/{mm}/{dd}/{start}_{stream}-{number}.mp4`, UTC, ASCII
 * (so NFC-normalising stores change nothing). Without `mtxi` the first twelve digits of the SHA-256 take the place of
 * stream and number. Never built from text that a client sent, only from facts of a row.
 */
import { AppError } from "./errors.js";
import { formatRfc3339 } from "./instant.js";
import type { Recording } from "./recording.js";

/** S3's and R2's limit. */
const MAX_KEY_BYTES = 1_024;

export interface KeyFacts {
  readonly path: Recording["path"];
  readonly startUs: number;
  readonly position: Recording["position"];
  readonly format: Recording["format"];
  /** Hex. */
  readonly sha256: string;
}

export function objectKey(prefix: string, facts: KeyFacts): string {
  const id =
    facts.position === null
      ? facts.sha256.slice(0, 12)
      : `${facts.position.streamId.replaceAll("-", "").slice(0, 12)}-${String(facts.position.segmentNumber)}`;
  return checked(`${directoryOf(prefix, facts)}/${stampOf(facts.startUs)}_${id}${extensionOf(facts.format)}`);
}

/** For other bytes under the same facts: the first key is never overwritten, the newcomer gets its hash in the name. */
export function conflictKey(prefix: string, facts: KeyFacts): string {
  const plain = objectKey(prefix, facts).slice(0, -extensionOf(facts.format).length);
  return checked(`${plain}_${facts.sha256.slice(0, 16)}${extensionOf(facts.format)}`);
}

/** Which store this is. */
export function storeMarkerKey(prefix: string): string {
  return `${prefix}/~store-id`;
}

/**
 * What stands below `{prefix}/~` is Reelkeeper's own and no recording: the marker, backups of the database, exports,
 * pictures. `~` is in no path name, so that no recording's key meets it.
 */
export function isHousekeepingKey(prefix: string, key: string): boolean {
  return key.startsWith(`${prefix}/~`);
}

export function extensionOf(format: Recording["format"]): ".mp4" | ".ts" {
  return format === "fmp4" ? ".mp4" : ".ts";
}

/** `{prefix}/{path}/{yyyy}/{mm}/{dd}`. */
export function directoryOf(prefix: string, facts: Pick<KeyFacts, "path" | "startUs">): string {
  const [year = "", month = "", day = ""] = formatRfc3339(facts.startUs).slice(0, 10).split("-");
  return [prefix, facts.path, year, month, day].join("/");
}

/** `20261120T170443.022940Z`: sorts as time, always six digits. */
export function stampOf(startUs: number): string {
  const seconds = formatRfc3339(startUs).slice(0, 19).replaceAll(/[-:]/g, "");
  return `${seconds}.${String(((startUs % 1_000_000) + 1_000_000) % 1_000_000).padStart(6, "0")}Z`;
}

function checked(key: string): string {
  if (key.length > MAX_KEY_BYTES) {
    throw new AppError({
      kind: "invalid-argument",
      message: `object key of ${String(key.length)} bytes, expected at most ${String(MAX_KEY_BYTES)}`,
      hint: "shorten R2_PREFIX or the path name",
    });
  }
  return key;
}

/** The whole configuration, typed and checked. Holds no secret (see secrets.ts), so it may be logged whole. */
import os from "node:os";
import path from "node:path";

import { parseByteSize } from "../core/byte-size.js";
import type { Watermarks } from "../core/disk-level.js";
import { type Env, refuse } from "./env.js";
import { type HttpConfig, readHttp, readPublicUrl } from "./http.js";
import { type OidcConfig, readOidc } from "./oidc.js";
import { createReader, isLoopbackHost, type Reader, readSafeUrl } from "./reader.js";
import type { VariableName } from "./variables.js";

export interface Config {
  readonly dataDir: string;
  readonly recordDir: string;
  readonly cacheDir: string;
  /** What secrets in the database are sealed with. `isGiven`: by whoever deploys; else it is made where there is none. */
  readonly secretKeys: { readonly file: string; readonly isGiven: boolean };
  readonly http: HttpConfig;
  /** False: whoever asks from this machine, or has ADMIN_TOKEN, is an admin. */
  readonly login: boolean;
  /** Of a login: sent over HTTPS only. */
  readonly cookieSecure: boolean;
  /** Where browsers find us; null: the address that a request names. */
  readonly publicUrl: string | null;
  /** Null: people log in by password alone. */
  readonly oidc: OidcConfig | null;
  readonly database: { readonly kind: "sqlite"; readonly file: string } | { readonly kind: "postgres" };
  readonly storage: StorageConfig;
  readonly archive: ArchiveConfig;
  /** Where players get archived footage from. */
  readonly playbackArchive: "direct" | "proxy";
  readonly localRetentionMs: number;
  /** Of a SQLite database; 0: none. */
  readonly backupIntervalMs: number;
  /** In so many days every proven object is read back once; 0: never. */
  readonly scrubDays: number;
  readonly diskMarks: Watermarks;
  readonly mediamtx: MediaMtxConfig;
  readonly ingest: IngestConfig;
  readonly ffprobePath: string | null;
  readonly thumbnails: ThumbnailConfig;
  /** ffmpegs that transcode at once; 0: nobody may ask for it. */
  readonly transcodingMost: number;
  /** Null: generated and kept in the data directory. */
  readonly nodeId: string | null;
  readonly log: { readonly level: "debug" | "info" | "warn" | "error"; readonly format: "json" | "pretty" };
}

type StorageConfig =
  | { readonly kind: "local"; readonly dir: string; readonly prefix: string }
  | {
      readonly kind: "r2";
      readonly endpoint: string;
      readonly bucket: string;
      readonly region: string;
      readonly publicUrl: string | null;
      readonly prefix: string;
    };

interface ArchiveConfig {
  readonly maxConcurrency: number;
  /** 0: no cap. */
  readonly maxBytesPerSec: number;
  /** 0 to 100. */
  readonly readBackPercent: number;
}

interface MediaMtxConfig {
  readonly mode: "embedded" | "external";
  readonly bin: string | null;
  readonly version: string;
  readonly downloadUrl: string;
  readonly listen: "loopback" | "all";
  readonly apiUrl: string;
  readonly apiUser: string;
  /** Who decides who may publish and watch. */
  readonly auth: "off" | "http" | "jwt";
  /** Where an external server asks us; null for an embedded one. */
  readonly authUrl: string | null;
  readonly baseConfigFile: string;
  readonly configDir: string;
  /** RECORD_DIR in MediaMTX's mount namespace. */
  readonly recordDir: string;
  /** Null: the hook in `configDir`; "none": no hooks. */
  readonly hookCommand: string | null;
  readonly templatesFile: string | null;
}

interface ThumbnailConfig {
  readonly ffmpegPath: string | null;
  /** 0: nothing is kept. */
  readonly cacheBytes: number;
  /** Between periodic pictures of a path; 0: none are made. */
  readonly intervalMs: number;
}

interface IngestConfig {
  readonly scanIntervalMs: number;
  readonly quietMs: number;
  readonly importRecordPaths: readonly string[];
  readonly timeZone: string;
}

const UNSAFE_IN_HOOK_COMMAND = /[$'"`%\r\n\\]/;

/** `projectDir` holds `mediamtx/base.yml`; relative paths count from `cwd`. Throws `invalid-argument`, one line. */
export function loadConfig(env: Env, where: { readonly cwd: string; readonly projectDir: string }): Config {
  const read = createReader(env, where.cwd);
  const dataDir = read.dir("DATA_DIR", path.join(where.cwd, "data"), UNSAFE_IN_HOOK_COMMAND);
  const recordDir = read.dir("RECORD_DIR", path.join(dataDir, "recordings"), UNSAFE_IN_HOOK_COMMAND);
  const storage = readStorage(read, dataDir);
  return {
    dataDir,
    recordDir,
    cacheDir: read.dir("CACHE_DIR", path.join(os.homedir(), ".cache", "reelkeeper")),
    secretKeys: {
      file: read.dir("SECRET_KEY_FILE", path.join(dataDir, "secrets", "secret-keys")),
      isGiven: read.text("SECRET_KEY_FILE") !== undefined,
    },
    http: readHttp(read),
    login: read.oneOf("LOGIN", "required", ["required", "off"]) === "required",
    cookieSecure: read.oneOf("COOKIE_SECURE", "true", ["true", "false"]) === "true",
    publicUrl: readPublicUrl(read),
    oidc: readOidc(read),
    database: readDatabase(env, where.cwd, dataDir),
    storage,
    archive: {
      maxConcurrency: read.integer("ARCHIVE_MAX_CONCURRENCY", 16, [1, 64]),
      maxBytesPerSec: read.integer("ARCHIVE_MAX_BYTES_PER_SEC", 0, [0, Number.MAX_SAFE_INTEGER]),
      readBackPercent: read.number("ARCHIVE_READ_BACK_PERCENT", 1, [0, 100]),
    },
    playbackArchive: readPlaybackArchive(read, storage),
    localRetentionMs: read.durationMs("LOCAL_RETENTION", "24h", 0),
    backupIntervalMs: readPeriod(read, "BACKUP_INTERVAL", { fallback: "24h", leastMs: 1_000 }),
    scrubDays: read.number("SCRUB_DAYS", 30, [0, 3_650]),
    diskMarks: readDiskMarks(read),
    mediamtx: readMediaMtx(read, { dataDir, recordDir, projectDir: where.projectDir }),
    ingest: {
      scanIntervalMs: read.durationMs("SCAN_INTERVAL", "3m", 1_000),
      quietMs: read.durationMs("QUIET_TIME", "60s", 1_000),
      importRecordPaths: readImportRecordPaths(read),
      timeZone: readTimeZone(read),
    },
    ffprobePath: read.optionalDir("FFPROBE_PATH"),
    thumbnails: {
      ffmpegPath: read.optionalDir("FFMPEG_PATH"),
      cacheBytes: readBytes(read, "THUMBNAIL_CACHE", "256M"),
      intervalMs: readPeriod(read, "THUMBNAIL_INTERVAL", { fallback: "5m", leastMs: 10_000 }),
    },
    transcodingMost: readTranscoding(read),
    nodeId: read.optionalMatching("NODE_ID", /^[0-9a-zA-Z-]{1,64}$/),
    log: {
      level: read.oneOf("LOG_LEVEL", "info", ["debug", "info", "warn", "error"]),
      format: read.oneOf("LOG_FORMAT", process.stdout.isTTY ? "pretty" : "json", ["json", "pretty"]),
    },
  };
}

function readBytes(read: Reader, name: VariableName, fallback: string): number {
  const text = read.text(name) ?? fallback;
  const bytes = parseByteSize(text);
  if (bytes === undefined) throw refuse(name, text);
  return bytes;
}

function readDatabase(env: Env, cwd: string, dataDir: string): Config["database"] {
  const url = env.text("DATABASE_URL");
  if (url === undefined) return { kind: "sqlite", file: path.join(dataDir, "reelkeeper.sqlite") };
  if (/^postgres(ql)?:\/\/\S+$/.test(url) && URL.canParse(url)) return { kind: "postgres" };
  if (/^sqlite:[^?]+$/.test(url))
    return { kind: "sqlite", file: path.resolve(cwd, url.replace(/^sqlite:(\/\/(?=\/))?/, "")) };
  throw refuse("DATABASE_URL", url);
}

/** A folder has no address of its own, and a bucket tells browsers nothing without a CORS rule. */
function readPlaybackArchive(read: Reader, storage: StorageConfig): Config["playbackArchive"] {
  return read.oneOf("PLAYBACK_ARCHIVE", "proxy", storage.kind === "r2" ? ["proxy", "direct"] : ["proxy"]);
}

const R2_ONLY = ["R2_ENDPOINT", "R2_BUCKET_NAME", "R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY"] as const;

function readStorage(read: Reader, dataDir: string): StorageConfig {
  const prefix = read.matching(
    "R2_PREFIX",
    "recordings",
    /^[0-9a-zA-Z_-][0-9a-zA-Z_.-]*(\/[0-9a-zA-Z_-][0-9a-zA-Z_.-]*)*$/,
  );
  const mode = read.oneOf("STORAGE_MODE", read.text("R2_BUCKET_NAME") === undefined ? "local" : "r2", ["local", "r2"]);
  // All are checked, whatever the mode: a mistake is told when it is made, not when the mode changes.
  const local = { kind: "local", dir: read.dir("LOCAL_BUCKET_DIR", path.join(dataDir, "bucket")), prefix } as const;
  const r2 = {
    kind: "r2",
    endpoint: readEndpoint(read),
    bucket: read.matching("R2_BUCKET_NAME", "", /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
    region: read.matching("R2_REGION", "auto", /^[a-z0-9-]+$/),
    publicUrl: read.url("R2_PUBLIC_URL", null),
    prefix,
  } as const;
  if (mode === "local") return local;
  for (const name of R2_ONLY) if (read.text(name) === undefined) throw refuse(name, "");
  return r2;
}

function readEndpoint(read: Reader): string {
  return readSafeUrl(read, "R2_ENDPOINT") ?? "";
}

interface Places {
  readonly dataDir: string;
  readonly recordDir: string;
  readonly projectDir: string;
}

function readMediaMtx(read: Reader, places: Places): MediaMtxConfig {
  const mode = read.oneOf("MEDIAMTX_MODE", "embedded", ["embedded", "external"]);
  const apiUrl = read.url("MEDIAMTX_API_URL", "http://127.0.0.1:9997") ?? "";
  if (mode === "embedded" && !isLoopbackHost(new URL(apiUrl).hostname)) throw refuse("MEDIAMTX_API_URL", apiUrl);
  const version = read.matching("MEDIAMTX_VERSION", "1.21.0", /^\d+\.\d+\.\d+$/);
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  if (major !== 1 || minor < 18 || (minor === 18 && patch < 1)) throw refuse("MEDIAMTX_VERSION", version);
  return {
    mode,
    bin: read.optionalDir("MEDIAMTX_BIN"),
    version,
    downloadUrl: read.url("MEDIAMTX_DOWNLOAD_URL", "https://github.com/bluenviron/mediamtx/releases/download") ?? "",
    listen: read.oneOf("MEDIAMTX_LISTEN", "loopback", ["loopback", "all"]),
    apiUrl,
    apiUser: read.matching("MEDIAMTX_API_USER", "reelkeeper", /^[0-9a-zA-Z_.@-]+$/),
    ...readMediaMtxAuth(read, mode),
    baseConfigFile: read.dir("MEDIAMTX_BASE_CONFIG", path.join(places.projectDir, "mediamtx", "base.yml")),
    configDir: read.dir("MEDIAMTX_CONFIG_DIR", path.join(places.dataDir, "mediamtx"), UNSAFE_IN_HOOK_COMMAND),
    recordDir: read.matching("MEDIAMTX_RECORD_DIR", places.recordDir, /^\/[^$'"`%\r\n\\]*$/).replace(/(?<=.)\/+$/, ""),
    hookCommand: read.optionalMatching("MEDIAMTX_HOOK_COMMAND", /^[^$\r\n]+$/),
    templatesFile: read.optionalDir("MEDIAMTX_TEMPLATES"),
  };
}

/**
 * Off by default, also where people log in: cameras publish without a password until each path has been given one, and
 * while Reelkeeper is down MediaMTX lets nobody in that comes back.
 */
function readMediaMtxAuth(read: Reader, mode: MediaMtxConfig["mode"]): Pick<MediaMtxConfig, "auth" | "authUrl"> {
  const auth = read.oneOf("MEDIAMTX_AUTH", "off", ["off", "http", "jwt"]);
  const authUrl = read.url("MEDIAMTX_AUTH_URL", null);
  if (auth === "off") return { auth, authUrl };
  // Without users nobody could be let in, and an address that changes would restart MediaMTX's paths.
  if (read.text("LOGIN") !== "required" || read.text("PORT") === "0") throw refuse("MEDIAMTX_AUTH", auth);
  if (mode === "external" && authUrl === null) throw refuse("MEDIAMTX_AUTH_URL", "");
  return { auth, authUrl };
}

/** Both are checked, whatever is switched off. */
function readTranscoding(read: Reader): number {
  const most = read.integer("TRANSCODING_MAX", 2, [1, 64]);
  return read.oneOf("TRANSCODING", "off", ["on", "off"]) === "on" ? most : 0;
}

/** At least so long, or 0: never. */
function readPeriod(
  read: Reader,
  name: VariableName,
  { fallback, leastMs }: { readonly fallback: string; readonly leastMs: number },
): number {
  const intervalMs = read.durationMs(name, fallback, 0);
  return intervalMs === 0 ? 0 : read.durationMs(name, fallback, leastMs);
}

/** Without a value of its own a mark is never below the one before. */
function readDiskMarks(read: Reader): Watermarks {
  const warnPercent = read.number("DISK_WARN_PERCENT", 80, [1, 100]);
  const highPercent = read.number("DISK_HIGH_PERCENT", Math.max(90, warnPercent), [warnPercent, 100]);
  const fullPercent = read.number("DISK_FULL_PERCENT", Math.max(95, highPercent), [highPercent, 100]);
  return { warnPercent, highPercent, fullPercent };
}

function readImportRecordPaths(read: Reader): readonly string[] {
  const text = read.text("IMPORT_RECORD_PATHS");
  if (text === undefined) return [];
  const templates = text.split(";").map((template) => template.trim());
  if (templates.some((template) => !template.includes("%path"))) throw refuse("IMPORT_RECORD_PATHS", text);
  return templates;
}

function readTimeZone(read: Reader): string {
  const zone = read.text("RECORD_TIMEZONE") ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone;
  } catch {
    throw refuse("RECORD_TIMEZONE", zone);
  }
}

/** Every variable: a malformed value stops the start with one line that names it, shows it and says what is accepted. */
import { readdir, writeFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { loadConfig } from "../../../src/config/config.js";
import { isSecret, readEnv } from "../../../src/config/env.js";
import { loadSecrets } from "../../../src/config/secrets.js";
import { type VariableName, VARIABLES } from "../../../src/config/variables.js";
import { AppError } from "../../../src/core/errors.js";
import { tempDir } from "../../support/temp-dir.js";

const NAMES = Object.keys(VARIABLES) as VariableName[];
const SECRETS = NAMES.filter(isSecret);
const UNSAFE_PATHS = ["/data/$HOME", "/data/it's", '/data/"x"', "/data/100%", "/data/a\nb", "/data/a\\b", "/data/`id`"];

/** Malformed values of each; a variable that is missing here fails the first test. */
const MALFORMED: Partial<Record<string, readonly string[]>> = {
  PORT: ["abc", "-1", "65536", "80.5", "1e3", "0x50", " 80"],
  HOST: ["not a host", "http://localhost", "a/b", "h\n"],
  TLS_CERT_FILE: ["/etc/a\nb"],
  TLS_KEY_FILE: ["/etc/a\nb"],
  TLS_PORT: ["-1", "65536", "https"],
  TRUST_PROXY: ["all", "10.0.0.0/33", "10.0.0", "loopback,", "proxy.example.org", "fe80::/129"],
  CORS_ORIGINS: ["*", "wall.example.org", "https://wall.example.org/", "https://a.org,https://b.org/x"],
  RATE_LIMIT: ["-1", "100001", "many", "0.5"],
  LOGIN: ["on", "Required", "1"],
  ADMIN_PASSWORD: ["eleven-char", "twelve chars with spaces"],
  COOKIE_SECURE: ["yes", "0", "False"],
  PUBLIC_URL: [
    ...["cameras.example.org", "ftp://h", "https://u:pa55word@h", "https://h/a?b", "https://h/#a", "https://h/a;b"],
    ...["https://h/a//b", "https://h/a%2Fb", "https://h/api", "https://h/share/x", "https://h/.well-known"],
  ],
  OIDC_ISSUER: ["login.example.org", "http://login.example.org", "https://u:pa55word@h"],
  OIDC_CLIENT_ID: ["a b", "ü"],
  OIDC_CLIENT_SECRET: ["with space"],
  OIDC_ROLES: ["admins", "admins=root", "admins=admin:cam1", "guards=operator", "guards=viewer:a//b"],
  OIDC_GROUPS_CLAIM: ["a b", "gr$ups"],
  OIDC_SCOPES: ["profile", "openid  email", "openid\nemail"],
  ADMIN_TOKEN: ["fifteen-chars-x", "sixteen chars with spaces", "line-break-in-it\nx", "ümlaut-ümlaut-ümlaut"],
  DATA_DIR: UNSAFE_PATHS,
  SECRET_KEY_FILE: ["/keys\nmore"],
  RECORD_DIR: UNSAFE_PATHS,
  DATABASE_URL: ["mysql://u:p@h/db", "postgres://", "postgres://h/d b", "sqlite:", "sqlite:a?mode=ro", "data.sqlite"],
  PLAYBACK_ARCHIVE: ["Direct", "redirect", "1", "direct"],
  STORAGE_MODE: ["s3", "R2", "local ", "yes"],
  LOCAL_BUCKET_DIR: ["/data/a\nb"],
  R2_ENDPOINT: ["ftp://h", "h.example.com", "http://h.example.com", "https://", "https://u:pa55word@h", "https://u@h"],
  R2_BUCKET_NAME: ["ab", "Upper", "under_score", "-dash", "a".repeat(64), "a/b"],
  R2_ACCESS_KEY_ID: ["with space", "with\nbreak"],
  R2_SECRET_ACCESS_KEY: ["with space", "with\nbreak"],
  R2_REGION: ["EU", "a b"],
  R2_PUBLIC_URL: ["cdn.example.com", "javascript:alert(1)"],
  R2_PREFIX: ["/a", "a/", "a//b", "a b", "ü", "..", "a/../b", ".hidden"],
  ARCHIVE_MAX_CONCURRENCY: ["0", "65", "two", "1.5"],
  ARCHIVE_MAX_BYTES_PER_SEC: ["-1", "1.5", "10M", "99999999999999999999"],
  ARCHIVE_READ_BACK_PERCENT: ["-1", "100.1", "all", "1e1"],
  LOCAL_RETENTION: ["24", "-1h", "1w", "forever", "1.5d"],
  SCRUB_DAYS: ["-1", "3651", "monthly"],
  BACKUP_INTERVAL: ["999ms", "daily", "24"],
  DISK_WARN_PERCENT: ["0", "101", "half", "80%"],
  DISK_HIGH_PERCENT: ["79", "101", "-1"],
  DISK_FULL_PERCENT: ["89", "101", "all"],
  MEDIAMTX_MODE: ["inside", "EMBEDDED"],
  MEDIAMTX_BIN: ["/bin/a\nb"],
  MEDIAMTX_VERSION: ["1.18.0", "1.17.9", "0.9.0", "2.0.0", "latest", "v1.21.0", "1.21"],
  MEDIAMTX_DOWNLOAD_URL: ["file:///tmp/x", "github.com"],
  MEDIAMTX_LISTEN: ["any", "0.0.0.0"],
  MEDIAMTX_API_URL: ["127.0.0.1:9997", "rtsp://127.0.0.1", "http://u:pa55word@127.0.0.1", "http://10.0.0.1:9997"],
  MEDIAMTX_API_USER: ["a:b", "a b", "$USER"],
  MEDIAMTX_API_PASSWORD: ["seven77", "with a space"],
  // Without LOGIN=required nobody could be let in.
  MEDIAMTX_AUTH: ["internal", "HTTP", "1", "http", "jwt"],
  MEDIAMTX_AUTH_URL: ["reelkeeper:8080", "http://u:pa55word@h"],
  MEDIAMTX_BASE_CONFIG: ["/etc/a\nb"],
  MEDIAMTX_CONFIG_DIR: UNSAFE_PATHS,
  MEDIAMTX_RECORD_DIR: ["relative/dir", "./rec", "/rec/%path", "/rec/$HOME", "/rec\n"],
  MEDIAMTX_TEMPLATES: ["/etc/templates\n.yml"],
  MEDIAMTX_HOOK_COMMAND: ["/hook $MTX_PATH", "/hook\nrm"],
  HOOK_SECRET: ["fifteen-chars-x", "sixteen chars with spaces"],
  SCAN_INTERVAL: ["999ms", "0", "often", "3"],
  QUIET_TIME: ["999ms", "0s", "1 min"],
  IMPORT_RECORD_PATHS: ["%Y/%m/%d", "%path/%s;nothing", "%path/%s;"],
  RECORD_TIMEZONE: ["Mars/Olympus", "GMT plus 1"],
  FFPROBE_PATH: ["/bin/ff\nprobe"],
  FFMPEG_PATH: ["/bin/ff\nmpeg"],
  THUMBNAIL_CACHE: ["-1", "1.5M", "256 M", "256MB", "lots", "9007199254740992"],
  THUMBNAIL_INTERVAL: ["9s", "-5m", "5", "often"],
  TRANSCODING: ["yes", "ON", "1"],
  TRANSCODING_MAX: ["0", "65", "1.5", "-1", "two"],
  NODE_ID: ["with space", "a".repeat(65), "a/b", "ü"],
  CACHE_DIR: ["/cache/a\nb"],
  LOG_LEVEL: ["verbose", "INFO", "0"],
  LOG_FORMAT: ["text", "JSON"],
};

describe("a malformed value", () => {
  it("is tried for every variable there is, and for no other", () => {
    expect(Object.keys(MALFORMED).sort()).toEqual([...NAMES].sort());
    for (const name of NAMES) expect(MALFORMED[name]?.length, name).toBeGreaterThan(0);
  });

  it.each(NAMES.flatMap((name) => (MALFORMED[name] ?? []).map((value) => [name, value] as const)))(
    "stops the start: %s=%j",
    async (name, value) => {
      const error = await refusal({ [name]: value });
      expect(error.kind).toBe("invalid-argument");
      expect(error.message.split(/[\r\n]/)).toHaveLength(1);
      expect(error.message).toContain(name);
      expect(error.message).toContain(VARIABLES[name].accepts);
      if (isSecret(name))
        expect(error.message).toBe(`${name}=*** is not accepted, expected ${VARIABLES[name].accepts}`);
      else if (!value.includes("pa55word")) expect(error.message).toContain(JSON.stringify(value).slice(1, -1));
      expect(error.message).not.toContain("pa55word");
      expect(error.fields.map(({ field }) => field)).toEqual([name]);
    },
  );

  it.each(["R2_ENDPOINT", "R2_BUCKET_NAME", "R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY"] as const)(
    "includes none at all: STORAGE_MODE=r2 without %s",
    async (name) => {
      const error = await refusal({ STORAGE_MODE: "r2", ...R2, [name]: "" });
      expect(error.fields.map(({ field }) => field)).toEqual([name]);
    },
  );

  it("leaves no generated secret behind", async () => {
    const dataDir = await tempDir();
    await refusal({ HOOK_SECRET: "short", DATA_DIR: dataDir });
    expect(await readdir(dataDir)).toEqual([]);
  });
});

describe("a variable with a value", () => {
  it("that is empty counts as not set", async () => {
    const where = await place();
    const empty = Object.fromEntries(NAMES.map((name) => [name, ""]));
    expect(loadConfig(readEnv(empty), where)).toEqual(loadConfig(readEnv({}), where));
  });

  it("reaches the configuration", async () => {
    const where = await place();
    const config = loadConfig(
      readEnv({
        ...R2,
        ...{ PORT: "0", HOST: "::1", DATA_DIR: "d", RECORD_DIR: "/rec", CACHE_DIR: "/cache", NODE_ID: "n-1" },
        ...{ DATABASE_URL: "postgresql://u:p@h/db", R2_PREFIX: "a/b-1", R2_PUBLIC_URL: "https://cdn/x/" },
        ...{ ARCHIVE_MAX_CONCURRENCY: "64", ARCHIVE_READ_BACK_PERCENT: "0.5", LOCAL_RETENTION: "1d12h" },
        ...{ MEDIAMTX_MODE: "external", MEDIAMTX_API_URL: "http://mediamtx:9997/", MEDIAMTX_RECORD_DIR: "/r/" },
        ...{
          MEDIAMTX_BIN: "bin/mtx",
          FFPROBE_PATH: "ff",
          SCAN_INTERVAL: "1s",
          IMPORT_RECORD_PATHS: "%path/%s ; x/%path",
        },
        ...{ RECORD_TIMEZONE: "Europe/Berlin", LOG_LEVEL: "warn", LOG_FORMAT: "json" },
      }),
      where,
    );
    expect(config).toMatchObject({
      dataDir: path.join(where.cwd, "d"),
      recordDir: "/rec",
      cacheDir: "/cache",
      http: { host: "::1", port: 0 },
      database: { kind: "postgres" },
      storage: { kind: "r2", endpoint: "http://127.0.0.1:9000", bucket: "bucket", region: "auto", prefix: "a/b-1" },
      archive: { maxConcurrency: 64, maxBytesPerSec: 0, readBackPercent: 0.5 },
      localRetentionMs: 129_600_000,
      mediamtx: {
        ...{ mode: "external", apiUrl: "http://mediamtx:9997", recordDir: "/r" },
        bin: path.join(where.cwd, "bin/mtx"),
      },
      ingest: { scanIntervalMs: 1_000, importRecordPaths: ["%path/%s", "x/%path"], timeZone: "Europe/Berlin" },
      ffprobePath: path.join(where.cwd, "ff"),
      nodeId: "n-1",
      log: { level: "warn", format: "json" },
    });
    expect(config.storage).toMatchObject({ publicUrl: "https://cdn/x" });
    expect(JSON.stringify(config)).not.toContain(R2.R2_SECRET_ACCESS_KEY);
  });

  it.each([
    ["sqlite:x.sqlite", "x.sqlite"],
    ["sqlite:/var/x.sqlite", "/var/x.sqlite"],
    ["sqlite:///var/x.sqlite", "/var/x.sqlite"],
  ])("DATABASE_URL=%s names a file", async (url, file) => {
    const where = await place();
    const { database } = loadConfig(readEnv({ DATABASE_URL: url }), where);
    expect(database).toEqual({ kind: "sqlite", file: path.resolve(where.cwd, file) });
  });

  it.each([
    [{}, "local"],
    [{ R2_BUCKET_NAME: "bucket" }, "r2"],
    [{ STORAGE_MODE: "local", R2_BUCKET_NAME: "bucket" }, "local"],
  ])("%j stores in %s", async (env, kind) => {
    const needed = kind === "r2" ? R2 : {};
    expect(loadConfig(readEnv({ ...needed, ...env }), await place()).storage.kind).toBe(kind);
  });
});

describe("a secret", () => {
  it.each(SECRETS)("%s is read from the file that %s_FILE names, without its last line break", async (name) => {
    const file = path.join(await tempDir(), "secret");
    await writeFile(file, "postgres://u:long-enough-secret@h/db\n");
    expect(readEnv({ [`${name}_FILE`]: file }).text(name)).toBe("postgres://u:long-enough-secret@h/db");
  });

  it.each(SECRETS)("%s is refused when it is set twice", async (name) => {
    const error = await refusal({ [name]: "long-enough-secret", [`${name}_FILE`]: "/absent" });
    expect(error.message).toContain(`${name}_FILE`);
    expect(error.message).not.toContain("long-enough-secret");
  });

  it.each(SECRETS)("%s is refused when its file cannot be read or is empty", async (name) => {
    const directory = await tempDir();
    const absent = await refusal({ [`${name}_FILE`]: path.join(directory, "absent") });
    expect(absent.message).toMatch(new RegExp(`^${name}_FILE=".*/absent" cannot be read`));
    expect(absent.message).toContain(VARIABLES[name].accepts);
    await writeFile(path.join(directory, "empty"), "\n");
    expect((await refusal({ [`${name}_FILE`]: path.join(directory, "empty") })).message).toContain(name);
    expect((await refusal({ [`${name}_FILE`]: directory })).message).toContain(`${name}_FILE`);
  });

  it.each(SECRETS)("%s is never shown when its file holds something malformed", async (name) => {
    const file = path.join(await tempDir(), "secret");
    await writeFile(file, "not  ok\n");
    const error = await refusal({ [`${name}_FILE`]: file });
    expect(error.message).not.toContain("not  ok");
    expect(error.message).toContain(VARIABLES[name].accepts);
  });

  it("of another kind of variable is not read from a file", async () => {
    expect(loadConfig(readEnv({ PORT_FILE: "/absent" }), await place()).http.port).toBe(8080);
  });
});

const R2 = {
  R2_ENDPOINT: "http://127.0.0.1:9000",
  R2_BUCKET_NAME: "bucket",
  R2_ACCESS_KEY_ID: "access-key",
  R2_SECRET_ACCESS_KEY: "the-secret-key",
};

async function place(): Promise<{ cwd: string; projectDir: string }> {
  const cwd = await tempDir();
  return { cwd, projectDir: cwd };
}

/** How a start with these variables ends. */
async function refusal(variables: NodeJS.ProcessEnv): Promise<AppError> {
  const where = await place();
  try {
    const env = readEnv(variables);
    const { dataDir } = loadConfig(env, where);
    await loadSecrets(env, dataDir);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error("the start was not refused");
}

/** Every environment variable, with meaning, default and form. The README's table is made from this. */
export interface Variable {
  readonly about: string;
  /** Shown in the table; the value itself is decided in config.ts where it depends on others. */
  readonly fallback: string;
  /** What is accepted, for the table and for the error. */
  readonly accepts: string;
  /** `NAME_FILE` names a file that holds the value; never logged. */
  readonly secret?: true;
}

export const VARIABLES = {
  PORT: { about: "HTTP port", fallback: "8080", accepts: "an integer from 0 (any free port) to 65535" },
  HOST: {
    about: "HTTP address; with LOGIN=off anything but loopback needs ADMIN_TOKEN",
    fallback: "127.0.0.1",
    accepts: "an IP address or host name",
  },
  TLS_CERT_FILE: {
    about:
      "Certificate and chain (PEM): HTTPS at HOST:TLS_PORT, and PORT is for this machine alone; renewals are noticed",
    fallback: "none: plain HTTP",
    accepts: "a path without line breaks, together with TLS_KEY_FILE",
  },
  TLS_KEY_FILE: {
    about: "Its private key (PEM)",
    fallback: "none",
    accepts: "a path without line breaks, together with TLS_CERT_FILE",
  },
  TLS_PORT: { about: "HTTPS port", fallback: "8443", accepts: "an integer from 0 (any free port) to 65535" },
  TRUST_PROXY: {
    about: "Reverse proxies that are believed when they say whom they speak for (X-Forwarded-For and -Proto)",
    fallback: "loopback",
    accepts: "none, or addresses, networks such as 10.0.0.0/8, loopback, linklocal, uniquelocal, separated by commas",
  },
  CORS_ORIGINS: {
    about: "Pages elsewhere that may read the API, with a token of their own; cookies never come along",
    fallback: "none",
    accepts: "none, or origins such as https://wall.example.org, separated by commas",
  },
  RATE_LIMIT: {
    about: "Requests a second from one address (not this machine), on average over ten; 0 for any number",
    fallback: "200",
    accepts: "an integer from 0 to 100000",
  },
  LOGIN: {
    about: "Whether people log in; off: whoever asks from this machine, or sends ADMIN_TOKEN, is an admin",
    fallback: "required",
    accepts: "required or off",
  },
  ADMIN_PASSWORD: {
    about: "Password of the user admin, whom the first start makes",
    fallback: "generated, and printed once",
    accepts: "12 to 256 printable ASCII characters without spaces",
    secret: true,
  },
  COOKIE_SECURE: {
    about: "Cookies of a login over HTTPS only (and from this machine); false for plain HTTP in a network you trust",
    fallback: "true",
    accepts: "true or false",
  },
  PUBLIC_URL: {
    about: "Where browsers find Reelkeeper: a host, or a path of one such as `https://example.org/reelkeeper`",
    fallback: "the address that a request names",
    accepts: "an http(s):// URL; a path holds letters, digits and - . _ ~ and begins with none of ours, such as /api",
  },
  OIDC_ISSUER: {
    about: "Login provider (OpenID Connect); needs PUBLIC_URL, OIDC_CLIENT_ID and OIDC_ROLES",
    fallback: "none: passwords alone",
    accepts: "an https:// URL (http:// on loopback only)",
  },
  OIDC_CLIENT_ID: {
    about: "What the provider knows us by",
    fallback: "none",
    accepts: "printable ASCII characters without spaces",
  },
  OIDC_CLIENT_SECRET: {
    about: "What proves that to it",
    fallback: "none: a public client",
    accepts: "printable ASCII characters without spaces",
    secret: true,
  },
  OIDC_ROLES: {
    about:
      "What the provider's groups open, the first that fits counts: `admins=admin; guards=operator:site-a/*,gate; *=viewer:*`",
    fallback: "none",
    accepts: "GROUP=admin, GROUP=operator:PATHS or GROUP=viewer:PATHS, separated by semicolons",
  },
  OIDC_GROUPS_CLAIM: {
    about: "Claim of the ID token or the userinfo that lists the groups",
    fallback: "groups",
    accepts: "a name of letters, digits and _ . : / -",
  },
  OIDC_SCOPES: {
    about: "Asked of the provider",
    fallback: "openid profile email",
    accepts: "names separated by spaces, openid among them",
  },
  ADMIN_TOKEN: {
    about: "Bearer token for the whole API, beside users",
    fallback: "none: with LOGIN=off loopback only",
    accepts: "at least 16 printable ASCII characters without spaces",
    secret: true,
  },
  DATA_DIR: {
    about: "Everything Reelkeeper owns",
    fallback: "./data",
    accepts: "a path without $, quotes, % or line breaks",
  },
  SECRET_KEY_FILE: {
    about: "Keys that passwords in the database are sealed with, one per line, the newest first",
    fallback: "made in DATA_DIR/secrets",
    accepts: "a file of lines as `openssl rand -base64 32` prints them",
  },
  RECORD_DIR: {
    about: "Where MediaMTX writes segments, as Reelkeeper sees it",
    fallback: "DATA_DIR/recordings",
    accepts: "a path without $, quotes, % or line breaks",
  },
  DATABASE_URL: {
    about: "The catalog",
    fallback: "sqlite file in DATA_DIR",
    accepts: "sqlite:FILE or postgres://user:password@host/db",
    secret: true,
  },
  STORAGE_MODE: {
    about: "Where proven copies go",
    fallback: "r2 when R2_BUCKET_NAME is set, else local",
    accepts: "local or r2",
  },
  LOCAL_BUCKET_DIR: {
    about: "Folder of the local store",
    fallback: "DATA_DIR/bucket",
    accepts: "a path without line breaks",
  },
  R2_ENDPOINT: { about: "S3 endpoint", fallback: "none", accepts: "an https:// URL (http:// on loopback only)" },
  R2_BUCKET_NAME: {
    about: "Bucket",
    fallback: "none",
    accepts: "a bucket name: 3 to 63 lowercase letters, digits and . -",
  },
  R2_ACCESS_KEY_ID: {
    about: "Access key",
    fallback: "none",
    accepts: "printable ASCII characters without spaces",
    secret: true,
  },
  R2_SECRET_ACCESS_KEY: {
    about: "Secret key",
    fallback: "none",
    accepts: "printable ASCII characters without spaces",
    secret: true,
  },
  R2_REGION: { about: "Region for the signature", fallback: "auto", accepts: "lowercase letters, digits and -" },
  R2_PUBLIC_URL: {
    about: "Public address of the bucket, shown beside object keys",
    fallback: "none",
    accepts: "an http(s):// URL",
  },
  R2_PREFIX: {
    about: "First part of every object key",
    fallback: "recordings",
    accepts: "letters, digits and _ - / .",
  },
  ARCHIVE_MAX_CONCURRENCY: { about: "Uploads at once, at most", fallback: "16", accepts: "an integer from 1 to 64" },
  ARCHIVE_MAX_BYTES_PER_SEC: {
    about: "Upload rate cap, 0 for none",
    fallback: "0",
    accepts: "an integer of at least 0",
  },
  ARCHIVE_READ_BACK_PERCENT: {
    about: "Share of objects read back whole before they count as proven",
    fallback: "1",
    accepts: "a number from 0 to 100",
  },
  LOCAL_RETENTION: {
    about: "How long a proven local copy stays, unless the path says otherwise",
    fallback: "24h",
    accepts: "a duration such as 0s, 30m, 24h, 7d",
  },
  SCRUB_DAYS: {
    about: "In so many days every proven object is read back once and compared, 0 for never",
    fallback: "30",
    accepts: "a number from 0 to 3650",
  },
  BACKUP_INTERVAL: {
    about: "Time between backups of a SQLite database to the store, 0 for none",
    fallback: "24h",
    accepts: "a duration of at least 1s, or 0",
  },
  DISK_WARN_PERCENT: { about: "A disk this full is told", fallback: "80", accepts: "a number from 1 to 100" },
  DISK_HIGH_PERCENT: {
    about: "Above this the recordings disk gets rid of its oldest proven local copies before LOCAL_RETENTION",
    fallback: "90",
    accepts: "a number from DISK_WARN_PERCENT to 100",
  },
  DISK_FULL_PERCENT: {
    about: "A disk this full is an alarm",
    fallback: "95",
    accepts: "a number from DISK_HIGH_PERCENT to 100",
  },
  PLAYBACK_ARCHIVE: {
    about: "Who sends players archived footage: Reelkeeper, or the bucket itself by signed URLs",
    fallback: "proxy",
    accepts: "proxy, or with STORAGE_MODE=r2 direct",
  },
  MEDIAMTX_MODE: {
    about: "Start a MediaMTX, or use one that runs elsewhere",
    fallback: "embedded",
    accepts: "embedded or external",
  },
  MEDIAMTX_BIN: {
    about: "MediaMTX executable",
    fallback: "PATH, cache, download, Go build",
    accepts: "a path without line breaks",
  },
  MEDIAMTX_VERSION: {
    about: "Version to get when none is there",
    fallback: "1.21.0",
    accepts: "a version from 1.18.1, below 2.0.0",
  },
  MEDIAMTX_DOWNLOAD_URL: {
    about: "Where releases are downloaded from",
    fallback: "MediaMTX's GitHub releases",
    accepts: "an http(s):// URL",
  },
  MEDIAMTX_LISTEN: {
    about: "Who reaches the media ports of an embedded MediaMTX",
    fallback: "loopback",
    accepts: "loopback or all",
  },
  MEDIAMTX_API_URL: { about: "Control API", fallback: "http://127.0.0.1:9997", accepts: "an http(s):// URL" },
  MEDIAMTX_API_USER: {
    about: "User for the Control API",
    fallback: "reelkeeper",
    accepts: "letters, digits and _ . @ -",
  },
  MEDIAMTX_API_PASSWORD: {
    about: "Password for the Control API",
    fallback: "generated",
    accepts: "at least 8 printable ASCII characters without spaces",
    secret: true,
  },
  MEDIAMTX_AUTH: {
    about: "By what MediaMTX lets people publish and watch: its own users, or ours, asked (http) or by token (jwt)",
    fallback: "off",
    accepts: "off, http or jwt; the latter two with LOGIN=required and a PORT that is not 0",
  },
  MEDIAMTX_AUTH_URL: {
    about: "Where an external MediaMTX reaches Reelkeeper to ask",
    fallback: "this machine, when MediaMTX is embedded",
    accepts: "an http(s):// URL; needed with MEDIAMTX_MODE=external and MEDIAMTX_AUTH",
  },
  MEDIAMTX_BASE_CONFIG: {
    about: "The admin's own part of mediamtx.yml",
    fallback: "mediamtx/base.yml",
    accepts: "a path without line breaks",
  },
  MEDIAMTX_CONFIG_DIR: {
    about: "Where mediamtx.yml and the hook are written",
    fallback: "DATA_DIR/mediamtx",
    accepts: "a path without $, quotes, % or line breaks",
  },
  MEDIAMTX_RECORD_DIR: {
    about: "RECORD_DIR as MediaMTX sees it",
    fallback: "RECORD_DIR",
    accepts: "an absolute path without $, quotes, % or line breaks",
  },
  MEDIAMTX_HOOK_COMMAND: {
    about: "Command of the hooks, as MediaMTX runs it; `none` for no hooks",
    fallback: "the hook in MEDIAMTX_CONFIG_DIR",
    accepts: "a command without $ and line breaks",
  },
  MEDIAMTX_TEMPLATES: {
    about: "YAML file of commands that a path may name by `template`",
    fallback: "no templates",
    accepts: "a path without line breaks",
  },
  HOOK_SECRET: {
    about: "Shared secret of the hooks",
    fallback: "generated in DATA_DIR/secrets",
    accepts: "at least 16 printable ASCII characters without spaces",
    secret: true,
  },
  SCAN_INTERVAL: { about: "Time between scans of RECORD_DIR", fallback: "3m", accepts: "a duration of at least 1s" },
  QUIET_TIME: {
    about: "An unfinalised file counts as closed after this long without a write",
    fallback: "60s",
    accepts: "a duration of at least 1s",
  },
  IMPORT_RECORD_PATHS: {
    about: "Further recordPath templates below RECORD_DIR, separated by ;",
    fallback: "MediaMTX's default",
    accepts: "templates below RECORD_DIR that hold %path, and %s or all of %Y %m %d %H %M %S",
  },
  RECORD_TIMEZONE: {
    about: "Zone of file names that hold none",
    fallback: "the system's",
    accepts: "an IANA zone name",
  },
  FFPROBE_PATH: { about: "ffprobe", fallback: "PATH, else ffprobe-static", accepts: "a path without line breaks" },
  FFMPEG_PATH: {
    about: "ffmpeg, for pictures, clips from MPEG-TS and transcoding",
    fallback: "PATH",
    accepts: "a path without line breaks",
  },
  THUMBNAIL_CACHE: {
    about: "Bytes of pictures kept in DATA_DIR/thumbnails, the least used go first; 0 for none",
    fallback: "256M",
    accepts: "bytes, or a size such as 512K, 256M, 4G",
  },
  THUMBNAIL_INTERVAL: {
    about: "Time between the pictures of a path that are kept beside its recordings in the store, 0 for none",
    fallback: "5m",
    accepts: "a duration of at least 10s, or 0",
  },
  TRANSCODING: {
    about: "Whether players may ask for H.264 and AAC made of what browsers cannot play (H.265, G.711)",
    fallback: "off",
    accepts: "on or off",
  },
  TRANSCODING_MAX: {
    about: "ffmpegs that transcode at once; twice as many requests wait, others are told to come back",
    fallback: "2",
    accepts: "an integer from 1 to 64",
  },
  NODE_ID: {
    about: "Name of this machine in the rows",
    fallback: "generated in DATA_DIR",
    accepts: "letters, digits and - (1 to 64)",
  },
  CACHE_DIR: {
    about: "Where a downloaded MediaMTX is kept",
    fallback: "~/.cache/reelkeeper",
    accepts: "a path without line breaks",
  },
  LOG_LEVEL: { about: "Least level that is logged", fallback: "info", accepts: "debug, info, warn or error" },
  LOG_FORMAT: { about: "Form of log lines", fallback: "pretty on a terminal, else json", accepts: "json or pretty" },
} as const satisfies Record<string, Variable>;

export type VariableName = keyof typeof VARIABLES;

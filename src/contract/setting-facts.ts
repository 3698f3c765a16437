/**
 * What a person and a form need to know of each setting of a path: MediaMTX's own default, since which version it exists,
 * and whether the camera is disconnected when it changes (`pathConfCanBeUpdated` in `internal/core/path_manager.go`).
 */
export interface SettingFacts {
  readonly section: "source" | "publisher" | "recording" | "readers" | "alwaysAvailable" | "commands";
  readonly type: "text" | "boolean" | "integer" | "duration" | "size" | "choice" | "list";
  /** In words. */
  readonly accepts: string;
  readonly choices?: readonly string[];
  readonly help: string;
  /** What counts where neither the path nor `pathDefaults` says anything; null: nothing. */
  readonly mediamtxDefault: unknown;
  /** MediaMTX ends over a setting that it does not know. Absent: in every supported version. */
  readonly minVersion?: string;
  /** For no other eyes: sealed at rest, masked wherever it is shown. `in-url`: what a URL may hold besides its address. */
  readonly secret?: "whole" | "in-url";
  /** The source or publisher of this path is disconnected when it changes; never those of other paths. */
  readonly needsReconnect: boolean;
}

const hot = { needsReconnect: false } as const;
const cold = { needsReconnect: true } as const;
const recording = { section: "recording", ...hot } as const;
const source = { section: "source", ...cold } as const;
const yesNo = { type: "boolean", accepts: "true or false" } as const;
const aWait = { type: "duration", accepts: "100ms to 24h" } as const;

export const SETTING_FACTS = {
  source: {
    ...source,
    type: "text",
    accepts: "`publisher`, or an rtsp, rtmp, http (HLS), udp, srt or whep URL",
    help: "Where the stream comes from: a camera that publishes by itself, or a URL that MediaMTX pulls from.",
    mediamtxDefault: "publisher",
    secret: "in-url",
  },
  sourceFingerprint: {
    ...source,
    type: "text",
    accepts: "64 hex digits",
    help: "SHA-256 of the source's certificate, needed where it is self-signed.",
    mediamtxDefault: "",
  },
  sourceOnDemand: {
    ...{ ...source, ...yesNo },
    help: "Pull only while somebody watches. Nothing is recorded otherwise.",
    mediamtxDefault: false,
  },
  sourceOnDemandStartTimeout: {
    ...{ ...source, ...aWait },
    help: "With sourceOnDemand: how long a reader waits for the source.",
    mediamtxDefault: "10s",
  },
  sourceOnDemandCloseAfter: {
    ...{ ...source, ...aWait },
    help: "With sourceOnDemand: the source is let go this long after the last reader.",
    mediamtxDefault: "10s",
  },
  useAbsoluteTimestamp: {
    ...{ ...source, ...yesNo },
    help: "Name recordings by the camera's clock instead of the server's.",
    mediamtxDefault: false,
  },
  rtspTransport: {
    ...{ ...source, type: "choice", choices: ["automatic", "udp", "multicast", "tcp"] },
    accepts: "`automatic`, `udp`, `multicast` or `tcp`",
    help: "How packets of an RTSP source travel.",
    mediamtxDefault: "automatic",
  },
  rtspAnyPort: {
    ...{ ...source, ...yesNo },
    help: "Take RTP from any port of the camera, for those that do not say which.",
    mediamtxDefault: false,
  },
  rtspRangeType: {
    ...{ ...source, type: "choice", choices: ["clock", "npt", "smpte"] },
    accepts: "`clock`, `npt` or `smpte`",
    help: "Form of rtspRangeStart, for RTSP sources that play recordings.",
    mediamtxDefault: "",
  },
  rtspRangeStart: {
    ...{ ...source, type: "text" },
    accepts: "`20260812T120000Z` for clock, else a duration",
    help: "Where an RTSP source that plays recordings begins.",
    mediamtxDefault: "",
  },
  rtspScale: {
    ...{ ...source, type: "text" },
    accepts: "a number from -100 to 100, not 0",
    help: "Speed at which an RTSP source plays its recording.",
    mediamtxDefault: "",
  },
  rtspUDPSourcePortRange: {
    ...{ ...source, type: "list" },
    accepts: "two ports from 1024 to 65535, the lower first",
    help: "Ports from which UDP packets go to an RTSP source.",
    mediamtxDefault: [32_768, 60_999],
  },
  whepBearerToken: {
    ...{ ...source, type: "text" },
    accepts: "printable ASCII without spaces",
    help: "WHEP source: token that is sent as Authorization: Bearer.",
    mediamtxDefault: "",
    secret: "whole",
  },
  whepSTUNGatherTimeout: {
    ...{ ...source, ...aWait },
    help: "WHEP source: longest search for network addresses.",
    mediamtxDefault: "5s",
  },
  whepHandshakeTimeout: {
    ...{ ...source, ...aWait },
    help: "WHEP source: longest handshake.",
    mediamtxDefault: "10s",
  },
  whepTrackGatherTimeout: {
    ...{ ...source, ...aWait },
    help: "WHEP source: longest wait for tracks.",
    mediamtxDefault: "2s",
  },
  overridePublisher: {
    ...{ section: "publisher", ...cold, ...yesNo },
    help: "A second publisher replaces the first; false: it is refused.",
    mediamtxDefault: true,
  },
  srtPublishPassphrase: {
    ...{ section: "publisher", ...cold, type: "text" },
    accepts: "10 to 79 printable ASCII characters",
    help: "Passphrase that SRT publishers need, for a path that is published to.",
    mediamtxDefault: "",
    secret: "whole",
  },
  rtspDemuxMpegts: {
    ...{ section: "publisher", ...cold, ...yesNo },
    help: "Take MPEG-TS apart that a publisher sends inside RTSP.",
    mediamtxDefault: false,
  },
  maxReaders: {
    ...{ section: "readers", ...cold, type: "integer" },
    accepts: "0 to 1000000; 0: no limit",
    help: "How many may watch at once.",
    mediamtxDefault: 0,
  },
  srtReadPassphrase: {
    ...{ section: "readers", ...cold, type: "text" },
    accepts: "10 to 79 printable ASCII characters",
    help: "Passphrase that SRT readers need.",
    mediamtxDefault: "",
    secret: "whole",
  },
  record: { ...{ ...recording, ...yesNo }, help: "Record the path.", mediamtxDefault: false },
  recordFormat: {
    ...{ ...recording, type: "choice", choices: ["fmp4", "mpegts"] },
    accepts: "`fmp4` or `mpegts`",
    help: "Format of the files. Gaps can be proven with fmp4 only.",
    mediamtxDefault: "fmp4",
  },
  recordPartDuration: {
    ...{ ...recording, type: "duration" },
    accepts: "50ms to 1m",
    help: "How much is held in memory before it is written: what a crash can lose.",
    mediamtxDefault: "1s",
  },
  recordMaxPartSize: {
    ...{ ...recording, type: "size" },
    accepts: "such as `50M`",
    help: "A part that grows beyond this stops the recorder for 2 s.",
    mediamtxDefault: "50M",
  },
  recordSegmentDuration: {
    ...{ ...recording, type: "duration" },
    accepts: "1s to 24h",
    help: "Shortest length of a file; it ends at the next sync sample. Archived once it is closed.",
    mediamtxDefault: "1h",
  },
  alwaysAvailable: {
    ...{ section: "alwaysAvailable", ...cold, ...yesNo },
    help: "Show readers a placeholder while the camera is away. With record on, Reelkeeper keeps it out of the footage; MediaMTX before 1.21.0 cannot.",
    mediamtxDefault: false,
  },
  alwaysAvailableTracks: {
    ...{ section: "alwaysAvailable", ...cold, type: "list" },
    accepts: "up to 8 tracks such as `{codec: H264}`",
    help: "What the placeholder is made of; must fit what the camera sends.",
    mediamtxDefault: [],
  },
  alwaysAvailableRecorded: {
    ...{ section: "alwaysAvailable", ...cold, ...yesNo },
    help: "Record the placeholder as if it were footage. Reelkeeper sets false unless the path says otherwise.",
    mediamtxDefault: true,
    minVersion: "1.21.0",
  },
  template: {
    ...{ section: "commands", ...cold, type: "choice" },
    accepts: "an id of `GET /api/v1/config/templates`",
    help: "Commands that MediaMTX runs for this path, from the file that MEDIAMTX_TEMPLATES names.",
    mediamtxDefault: null,
  },
} as const satisfies Readonly<Record<string, SettingFacts>>;

export type SettingName = keyof typeof SETTING_FACTS;

export const SETTING_NAMES = Object.keys(SETTING_FACTS) as SettingName[];

export function settingFacts(name: SettingName): SettingFacts {
  return SETTING_FACTS[name];
}

const COMMANDS =
  "is a command, which no request may hold: name an entry of the deployer's file MEDIAMTX_TEMPLATES by template";
const IN_BASE = "is for whoever deploys: set it in the base configuration (MEDIAMTX_BASE_CONFIG)";

/** MediaMTX's settings of a path that are left out on purpose, and what to do instead. */
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/^runOn/, COMMANDS],
  [/^recordPath$/, "is set by Reelkeeper, which knows a segment by its name; files stay below RECORD_DIR"],
  [/^recordDeleteAfter$/, "is set by Reelkeeper, for MediaMTX must not delete unproven files: use localRetention"],
  [/^alwaysAvailableFile$/, "names a file of the server: use alwaysAvailableTracks"],
  [/^(?:publish|read)(?:User|Pass|IPs)$/, "is MediaMTX's old way, which it will drop"],
  [/^(?:rpiCamera|forward|sourceRedirect$|fallback$|rtpSDP$|moqTransport$|playback$)/, IN_BASE],
];

/** Why this key of a path is refused; undefined for what MediaMTX does not know either. */
export function whyRefusedSetting(key: string): string | undefined {
  return REFUSED.find(([pattern]) => pattern.test(key))?.[1];
}

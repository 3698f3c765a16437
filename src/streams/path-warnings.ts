/** What MediaMTX takes and people seldom mean. Nothing here refuses anything. */
import { isDuration, parseDurationMs } from "../core/duration.js";
import type { SettingName } from "../contract/setting-facts.js";
import type { EffectiveSettings } from "./effective-settings.js";

export interface PathWarning {
  readonly field: SettingName;
  readonly message: string;
}

type Check = (of: Facts) => string | undefined;

interface Facts {
  readonly settings: EffectiveSettings;
  readonly is: (name: SettingName) => boolean;
  readonly isOwn: (name: SettingName) => boolean;
  readonly ms: (name: SettingName) => number;
  /** `rtsp`, `https` …; `publisher`. */
  readonly scheme: string;
  readonly isTls: boolean;
}

const SHORT_SEGMENT_MS = 2_000;
const LONG_SEGMENT_MS = 3_600_000;
const LONG_PART_MS = 10_000;

const ofRtspSource: Check = ({ scheme }) =>
  /^rtsps?(?:\+|$)/.test(scheme) ? undefined : `counts for RTSP sources only, this one is ${scheme}`;

const CHECKS: readonly (readonly [SettingName, Check])[] = [
  [
    "sourceOnDemand",
    ({ is }) =>
      is("sourceOnDemand") && is("record")
        ? "with record on, nothing is recorded until somebody watches, and recording ends when they leave"
        : undefined,
  ],
  [
    "alwaysAvailableRecorded",
    ({ is }) =>
      is("alwaysAvailable") && is("alwaysAvailableRecorded") && is("record")
        ? "while the camera is away its placeholder is recorded, archived and shown as footage, and no gap is seen"
        : undefined,
  ],
  [
    "recordSegmentDuration",
    ({ is, ms }) => {
      if (!is("record")) return undefined;
      const segmentMs = ms("recordSegmentDuration");
      if (segmentMs < SHORT_SEGMENT_MS)
        return "makes very many small files: each costs requests to the store and a row";
      if (segmentMs <= LONG_SEGMENT_MS) return undefined;
      return "is long: footage is archived only once its file is closed, until then the disk has the only copy";
    },
  ],
  [
    "recordPartDuration",
    ({ is, ms }) =>
      is("record") && ms("recordPartDuration") > LONG_PART_MS
        ? "is held in memory for that long, and lost with a crash"
        : undefined,
  ],
  [
    "recordFormat",
    ({ is, settings }) =>
      is("record") && settings.recordFormat.value === "mpegts"
        ? "mpegts files hold no numbers, so gaps between them cannot be proven"
        : undefined,
  ],
  [
    "sourceFingerprint",
    ({ settings, isTls, scheme }) => {
      const isSet = settings.sourceFingerprint.value !== "";
      if (isTls && !isSet)
        return `a ${scheme} source with a self-signed certificate is refused without its fingerprint`;
      return !isTls && isSet ? `counts for encrypted sources only, this one is ${scheme}` : undefined;
    },
  ],
  [
    "useAbsoluteTimestamp",
    ({ is }) =>
      is("useAbsoluteTimestamp") && is("record")
        ? "recordings get the camera's time: one with a wrong clock puts its footage into another year"
        : undefined,
  ],
  ...(["rtspTransport", "rtspAnyPort", "rtspRangeType", "rtspScale", "rtspUDPSourcePortRange"] as const).map(
    (name): readonly [SettingName, Check] => [name, (of) => (of.isOwn(name) ? ofRtspSource(of) : undefined)],
  ),
  [
    "overridePublisher",
    ({ isOwn, scheme }) =>
      isOwn("overridePublisher") && scheme !== "publisher"
        ? `counts for publishers only, this is ${scheme}`
        : undefined,
  ],
];

export function warningsOf(settings: EffectiveSettings): PathWarning[] {
  const source = String(settings.source.value);
  const scheme = source.split(":", 1)[0] ?? "";
  const facts: Facts = {
    settings,
    is: (name) => settings[name].value === true,
    isOwn: (name) => settings[name].from === "own",
    ms: (name) => {
      const text = String(settings[name].value);
      return isDuration(text) ? parseDurationMs(text) : 0;
    },
    scheme,
    isTls: /^(?:rtsps|rtmps|https|wheps)(?:\+|$)/.test(scheme),
  };
  return CHECKS.flatMap(([field, check]) => {
    const message = check(facts);
    return message === undefined ? [] : [{ field, message }];
  });
}

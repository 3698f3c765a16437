/**
 * The MediaMTX settings of one path that an admin may edit, under MediaMTX's own names and in its own value forms
 * (`internal/conf/path.go`). An allow-list: hooks, files, redirects and whatever else executes or writes is not in it.
 * A value that MediaMTX refuses stops a running server at its next reload, so what passes here passes in every
 * supported version (1.18.1 and newer).
 *
 * Too new ones are refused when the configuration is rendered for a version (`mediamtx/config-document.ts`).
 *
 * NOTE: left out on purpose: `unix+…` sources (MediaMTX removes whatever file has the socket's name), `…+rtp` (need an
 * SDP), `moqt` (new in 1.20.1). What else is, and why: `setting-facts.ts`.
 */
import { z } from "zod";

import { parseDurationMs } from "../core/duration.js";
import { whyNotSourceHost } from "../core/source-host.js";
import type { SettingName } from "./setting-facts.js";

const MAX_SOURCE_LENGTH = 2_048;
const MAX_READERS = 1_000_000;
const MS_PER_DAY = 86_400_000;

/** These are MediaMTX's names for "every path that has no entry", so no path of the table can have them. */
const RESERVED_NAMES: ReadonlySet<string> = new Set(["all", "all_others"]);

export function isReservedPathName(name: string): boolean {
  return RESERVED_NAMES.has(name);
}

/** What Go's `url.Parse` surely takes: printable ASCII, every `%` begins an escape, user and password both or neither. */
const SOURCE =
  /^(?<scheme>rtsps?(?:\+(?:http|ws))?|rtmps?|https?|udp|udp\+mpegts|srt|wheps?):\/\/(?:[\w.~!$&'()*+,;=%-]+:[\w.~!$&'()*+,;=:%@-]+@)?(?<host>[0-9a-zA-Z._-]+|\[[0-9a-fA-F:.]+\])(?::(?<port>[0-9]{1,5}))?(?:[/?][!$&-;=?-Z_a-z~%[\]@|{}^]*)?$/;
const BAD_ESCAPE = /%(?![0-9a-fA-F]{2})/;
const DURATION = /^(?=[0-9])(?:[0-9]{1,4}d)?(?:[0-9]{1,7}(?:\.[0-9]{1,3})?[hms]|[0-9]{1,9}ms)*$/;
const SIZE = /^[0-9]{1,6}(?:\.[0-9]{1,2})?(?:[KMG](?:i?B)?|B)$/;

/** Why MediaMTX would refuse this source, or undefined. */
function whyNotSource(text: string): string | undefined {
  if (text === "publisher") return undefined;
  const match = SOURCE.exec(text);
  const { scheme = "", host = "", port } = match?.groups ?? {};
  if (match === null || BAD_ESCAPE.test(text)) {
    return "expected publisher or an rtsp, rtmp, http (HLS), udp, udp+mpegts, srt or whep URL, with user and password both or neither, special characters as %XX";
  }
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return "expected a port from 1 to 65535";
  if (text.startsWith("udp") && port === undefined) return "expected a port in a udp URL";
  return whyNotSourceHost(scheme, host);
}

const source = z
  .string()
  .max(MAX_SOURCE_LENGTH)
  .superRefine((text, context) => {
    const reason = whyNotSource(text);
    if (reason !== undefined) context.addIssue({ code: "custom", message: reason });
  })
  .meta({ description: "Where the stream comes from", examples: ["publisher", "rtsp://user:password@camera/stream"] });

function duration(range: { readonly minMs: number; readonly maxMs: number; readonly expected: string }) {
  return z
    .string()
    .max(32)
    .refine(
      (text) => {
        if (!DURATION.test(text)) return false;
        const ms = parseDurationMs(text);
        return ms >= range.minMs && ms <= range.maxMs;
      },
      { error: `expected ${range.expected}` },
    );
}

const wait = duration({ minMs: 100, maxMs: MS_PER_DAY, expected: "a duration from 100ms to 24h, for example 10s" });

/** Go's `20060102T150405Z`, or what its durations and ours have in common. */
const RANGE_CLOCK = /^\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3])[0-5]\d[0-5]\dZ$/;
const RANGE_DURATION = /^(?:\d{1,4}h)?(?:\d{1,6}m)?(?:\d{1,7}(?:\.\d{1,3})?s)?(?:\d{1,9}ms)?$/;

const port = z.int({ error: "expected a port from 1024 to 65535" }).min(1_024).max(65_535);
const portRange = z
  .array(port)
  .length(2, { error: "expected two ports" })
  .refine(([first = 0, last = 0]) => first < last, { error: "expected the lower port first" });

const hertz = (least: number) => z.int().min(least).max(384_000);
const channelCount = z.int().min(1).max(8);
/** MediaMTX refuses a rate where the codec says it itself, and the lack of one where it does not. */
const track = z.discriminatedUnion("codec", [
  z.strictObject({ codec: z.enum(["AV1", "VP9", "H265", "H264", "Opus"]) }),
  z.strictObject({ codec: z.literal("MPEG4Audio"), sampleRate: hertz(22_050), channelCount }),
  z.strictObject({ codec: z.literal("LPCM"), sampleRate: hertz(8_000), channelCount }),
  z.strictObject({ codec: z.literal("G711"), sampleRate: hertz(8_000), channelCount, muLaw: z.boolean().optional() }),
]);

/** What is shown instead comes in as well, and stands for the value that is known. "": none, whatever is inherited. */
const passphrase = z
  .string()
  .regex(/^(?:[ -~]{10,79}|\*{3})?$/, { error: "expected 10 to 79 printable ASCII characters, or nothing" });
const bearerToken = z
  .string()
  .regex(/^[!-~]{0,2048}$/, { error: "expected up to 2048 printable ASCII characters without spaces, or nothing" });

const templateId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, { error: "expected the id of a template: a-z, 0-9, _ and -" });

export const pathSettingsSchema = z
  .strictObject({
    source: source.optional(),
    sourceFingerprint: z
      .string()
      .regex(/^(?:[0-9a-fA-F]{64})?$/, { error: "expected the SHA-256 of the certificate, 64 hex digits, or nothing" })
      .optional(),
    sourceOnDemand: z.boolean().optional(),
    sourceOnDemandStartTimeout: wait.optional(),
    sourceOnDemandCloseAfter: wait.optional(),
    maxReaders: z.int().min(0).max(MAX_READERS).optional(),
    useAbsoluteTimestamp: z.boolean().optional(),
    record: z.boolean().optional(),
    recordFormat: z.enum(["fmp4", "mpegts"]).optional(),
    recordPartDuration: duration({
      minMs: 50,
      maxMs: 60_000,
      expected: "a duration from 50ms to 1m, for example 1s",
    }).optional(),
    recordMaxPartSize: z.string().regex(SIZE, { error: "expected a size, for example 50M" }).optional(),
    recordSegmentDuration: duration({
      minMs: 1_000,
      maxMs: MS_PER_DAY,
      expected: "a duration from 1s to 24h, for example 4s, 30m or 1h",
    }).optional(),
    rtspTransport: z.enum(["automatic", "udp", "multicast", "tcp"]).optional(),
    rtspAnyPort: z.boolean().optional(),
    rtspRangeType: z.enum(["clock", "npt", "smpte"]).optional(),
    rtspRangeStart: z
      .string()
      .max(32)
      .refine((text) => RANGE_CLOCK.test(text) || (text !== "" && RANGE_DURATION.test(text)), {
        error: "expected an instant such as 20260812T120000Z or a duration such as 1m30s",
      })
      .optional(),
    rtspScale: z
      .string()
      .regex(/^-?(?:100|\d{1,2}(?:\.\d{1,3})?)$/, { error: "expected a number from -100 to 100" })
      .refine((text) => Number(text) !== 0, { error: "expected a number other than 0" })
      .optional(),
    rtspUDPSourcePortRange: portRange.optional(),
    whepBearerToken: bearerToken.optional(),
    whepSTUNGatherTimeout: wait.optional(),
    whepHandshakeTimeout: wait.optional(),
    whepTrackGatherTimeout: wait.optional(),
    srtReadPassphrase: passphrase.optional(),
    srtPublishPassphrase: passphrase.optional(),
    overridePublisher: z.boolean().optional(),
    rtspDemuxMpegts: z.boolean().optional(),
    alwaysAvailable: z.boolean().optional(),
    alwaysAvailableTracks: z.array(track).min(1).max(8).optional(),
    alwaysAvailableRecorded: z.boolean().optional(),
    template: templateId.optional(),
  } satisfies Record<SettingName, z.ZodType>)
  .superRefine((settings, context) => {
    const refuse = (field: SettingName, message: string): void => {
      context.addIssue({ code: "custom", path: [field], message });
    };
    if (settings.sourceOnDemand === true && (settings.source ?? "publisher") === "publisher") {
      refuse("sourceOnDemand", "needs a source to pull from, not publisher");
    }
    if ((settings.srtPublishPassphrase ?? "") !== "" && (settings.source ?? "publisher") !== "publisher") {
      refuse("srtPublishPassphrase", "is for a path that is published to, this one pulls from a source");
    }
    const { rtspRangeType: form, rtspRangeStart: start } = settings;
    if ((form === undefined) !== (start === undefined)) {
      refuse(form === undefined ? "rtspRangeType" : "rtspRangeStart", "rtspRangeType and rtspRangeStart go together");
    } else if (start !== undefined && RANGE_CLOCK.test(start) !== (form === "clock")) {
      refuse(
        "rtspRangeStart",
        form === "clock" ? "expected an instant such as 20260812T120000Z" : "expected a duration",
      );
    }
    if (settings.alwaysAvailable !== true) return;
    if (settings.alwaysAvailableTracks === undefined) refuse("alwaysAvailableTracks", "alwaysAvailable needs it");
    for (const field of ["sourceOnDemand", "useAbsoluteTimestamp"] as const) {
      if (settings[field] === true) refuse(field, "cannot be together with alwaysAvailable");
    }
  });

export type PathSettings = Readonly<z.infer<typeof pathSettingsSchema>>;

/**
 * The MediaMTX settings of one path that an admin may edit, under MediaMTX's own names and in its own value forms
 * (`internal/conf/path.go`). An allow-list: hooks, files, redirects and whatever else executes or writes is not in it.
 * A value that MediaMTX refuses stops a running server at its next reload, so what passes here passes in every
 * supported version (1.18.1 and newer).
 *
 * NOTE: left out on purpose: `alwaysAvailable` (needs tracks or a file, and records its placeholder before 1.21.0),
 * `unix+…` sources (MediaMTX removes whatever file has the socket's name), `…+rtp` (need an SDP), `moqt` (new in 1.20.1).
 */
import { z } from "zod";

import { parseDurationMs } from "../core/duration.js";

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
  /^(?:rtsps?(?:\+(?:http|ws))?|rtmps?|https?|udp|udp\+mpegts|srt|wheps?):\/\/(?:[\w.~!$&'()*+,;=%-]+:[\w.~!$&'()*+,;=:%@-]+@)?(?:[0-9a-zA-Z._-]+|\[[0-9a-fA-F:.]+\])(?::(?<port>[0-9]{1,5}))?(?:[/?][!$&-;=?-Z_a-z~%[\]@|{}^]*)?$/;
const BAD_ESCAPE = /%(?![0-9a-fA-F]{2})/;
const DURATION = /^(?=[0-9])(?:[0-9]{1,4}d)?(?:[0-9]{1,7}(?:\.[0-9]{1,3})?[hms]|[0-9]{1,9}ms)*$/;
const SIZE = /^[0-9]{1,6}(?:\.[0-9]{1,2})?(?:[KMG](?:i?B)?|B)$/;

/** Why MediaMTX would refuse this source, or undefined. */
function whyNotSource(text: string): string | undefined {
  if (text === "publisher") return undefined;
  const match = SOURCE.exec(text);
  const port = match?.groups?.["port"];
  if (match === null || BAD_ESCAPE.test(text)) {
    return "expected publisher or an rtsp, rtmp, http (HLS), udp, udp+mpegts, srt or whep URL, with user and password both or neither, special characters as %XX";
  }
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65_535)) return "expected a port from 1 to 65535";
  if (text.startsWith("udp") && port === undefined) return "expected a port in a udp URL";
  return undefined;
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
    overridePublisher: z.boolean().optional(),
  })
  .superRefine((settings, context) => {
    if (settings.sourceOnDemand === true && (settings.source ?? "publisher") === "publisher") {
      const message = "needs a source to pull from, not publisher";
      context.addIssue({ code: "custom", path: ["sourceOnDemand"], message });
    }
  });

export type PathSettings = Readonly<z.infer<typeof pathSettingsSchema>>;

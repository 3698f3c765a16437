import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { isReservedPathName, pathSettingsSchema } from "../../../src/contract/path-settings.js";
import { withinLimits } from "../../support/measured.js";

const accepts = (settings: object): boolean => pathSettingsSchema.safeParse(settings).success;

describe("the settings of a path", () => {
  it("are all optional", () => {
    expect(pathSettingsSchema.parse({})).toEqual({});
  });

  it.each([
    "publisher",
    "rtsp://camera/stream",
    "rtsp://user:p%40ss@192.168.1.2:554/cam/realmonitor?channel=1&subtype=0",
    "rtsps://[fd12::1]:322/x",
    "rtsp+http://camera:80/x",
    "rtsps+ws://camera/x",
    "rtmp://server/app/key",
    "rtmps://server:443/app/key",
    "https://server/index.m3u8?token=abc",
    "udp+mpegts://238.0.0.1:1234",
    "udp://0.0.0.0:5000",
    "srt://server:8890?streamid=read:cam&passphrase=0123456789",
    "whep://server/whep",
    "wheps://server/whep",
  ])("take the source %s", (source) => {
    expect(accepts({ source })).toBe(true);
  });

  it.each([
    "",
    "redirect",
    "rpiCamera",
    "rtsp://",
    "rtsp:///path",
    "RTSP://camera/x",
    "ftp://server/x",
    "file:///etc/passwd",
    "exec:ffmpeg",
    "unix+mpegts:///data/reelkeeper.sqlite",
    "unix+rtp:///tmp/x",
    "udp+rtp://238.0.0.1:1234",
    "moqt://server/x",
    "udp://238.0.0.1",
    "rtsp://camera:0/x",
    "rtsp://camera:70000/x",
    "rtsp://user@camera/x",
    "rtsp://:pass@camera/x",
    "rtsp://user:@camera/x",
    "rtsp://user:p%zz@camera/x",
    "rtsp://user:pass@word@/x",
    "rtsp://cam era/x",
    "rtsp://camera/x y",
    'rtsp://camera/"x',
    "rtsp://camera/x\nrunOnInit: touch /tmp/x",
    "rtsp://camera/x#fragment",
    "rtsp://cämera/x",
    `rtsp://camera/${"x".repeat(2_048)}`,
  ])("refuse the source %j", (source) => {
    expect(accepts({ source })).toBe(false);
  });

  it.each(["1s", "4s", "1.5s", "1m30s", "90m", "24h", "1d", "1500ms"])("take %s as a segment duration", (text) => {
    expect(accepts({ recordSegmentDuration: text })).toBe(true);
  });

  it.each(["", "0", "0s", "999ms", "24h1s", "2d", "-4s", "4", "4 s", "4s1d", "1d2d", "0.5d", "1.2345s", "1e3s", "4S"])(
    "refuse %j as a segment duration",
    (text) => {
      expect(accepts({ recordSegmentDuration: text })).toBe(false);
    },
  );

  it.each([
    [{ recordMaxPartSize: "50M" }, true],
    [{ recordMaxPartSize: "1.5GiB" }, true],
    [{ recordMaxPartSize: "50" }, false],
    [{ recordMaxPartSize: "-1M" }, false],
    [{ recordPartDuration: "500ms" }, true],
    [{ recordPartDuration: "10ms" }, false],
    [{ maxReaders: 0 }, true],
    [{ maxReaders: -1 }, false],
    [{ maxReaders: 1.5 }, false],
    [{ maxReaders: "1" }, false],
    [{ sourceFingerprint: "" }, true],
    [{ sourceFingerprint: "ab".repeat(32) }, true],
    [{ sourceFingerprint: "ab" }, false],
    [{ record: "true" }, false],
    [{ recordFormat: "mp4" }, false],
    [{ rtspTransport: "http" }, false],
    [{ source: "rtsp://camera/x", sourceOnDemand: true, record: true }, true],
    [{ sourceOnDemand: true }, false],
    [{ source: "publisher", sourceOnDemand: true }, false],
    [{ source: "publisher", sourceOnDemand: false }, true],
  ])("judge %j as %s", (settings, expected) => {
    expect(accepts(settings)).toBe(expected);
  });

  it.each([
    "runOnInit",
    "runOnReady",
    "runOnRecordSegmentComplete",
    "recordPath",
    "recordDeleteAfter",
    "alwaysAvailableFile",
    "sourceRedirect",
    "rpiCameraTuningFile",
    "forward",
    "name",
    "__proto__x",
    "constructor",
  ])("refuse %s, which no admin may edit here", (setting) => {
    expect(accepts({ [setting]: "x" })).toBe(false);
  });

  it("are judged within 100 ms, whatever the source", () => {
    const hostile = fc.tuple(fc.constantFrom("a:@", "@", "%41", "a", ":a@", "["), fc.nat(2_048));
    fc.assert(
      fc.property(hostile, ([part, count]) => {
        const source = `rtsp://${part.repeat(count).slice(0, 2_000)}`;
        withinLimits(
          () => source,
          () => accepts({ source }),
        );
      }),
    );
  });

  it("belong to no path with a name that MediaMTX uses for all others", () => {
    expect(["all", "all_others", "all/cam", "cam"].map(isReservedPathName)).toEqual([true, true, false, false]);
  });
});

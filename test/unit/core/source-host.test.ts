import { describe, expect, it } from "vitest";

import { whyNotSourceHost } from "../../../src/core/source-host.js";

describe("where a path may not send MediaMTX", () => {
  it.each([
    ...["169.254.169.254", "169.254.1.2", "[fe80::1]", "[febf::1]", "[fd00:ec2::254]", "metadata.google.internal"],
    ...["2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]"],
    ...["METADATA.google.internal", "metadata.google.internal.", "metadata.goog", "100.100.100.200", "168.63.129.16"],
    ...["0xa9.0xfe.43518", "[64:ff9b::a9fe:a9fe]", "[64:ff9b::169.254.169.254]", "[2002:a9fe:a9fe::1]"],
    ...[
      "[::a9fe:a9fe]",
      "[::ffff:0:a9fe:a9fe]",
      "[0:0:0:0:0:ffff:a9fe:a9fe]",
      "[FE80::1]",
      "[64:ff9b::100.100.100.200]",
    ],
  ])("%s by any protocol: link-local and what gives cloud keys away", (host) => {
    for (const scheme of ["rtsp", "http", "srt"]) expect(whyNotSourceHost(scheme, host)).toMatch(/link-local/);
  });

  it.each([
    "127.0.0.1",
    "127.9.9.9",
    "localhost",
    "x.localhost",
    "localhost.",
    "[::1]",
    "[::]",
    "0.0.0.0",
    "0x7f.1",
    "2130706433",
    "017700000001",
    "[::ffff:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::1]",
    "[2002:7f00:1::]",
    "[::7f00:1]",
  ])("%s by HTTP and WHEP, but by RTSP", (host) => {
    for (const scheme of ["http", "https", "whep", "wheps"])
      expect(whyNotSourceHost(scheme, host)).toMatch(/own services/);
    for (const scheme of ["rtsp", "rtsps", "rtmp", "srt", "udp"])
      expect(whyNotSourceHost(scheme, host)).toBeUndefined();
  });

  it.each([
    "192.168.1.20",
    "10.0.0.7",
    "camera.local",
    "[2001:db8::1]",
    "[fd12::1]",
    "169.253.1.1",
    "localhost.example.org",
    "[64:ff9b::c0a8:114]",
    "[::ffff:192.168.1.20]",
    "[2001:db8:a9fe:a9fe::]",
    "[fd00:a9fe:a9fe::1]",
  ])("%s is where cameras are", (host) => {
    expect(whyNotSourceHost("http", host)).toBeUndefined();
  });
});

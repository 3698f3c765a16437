import { describe, expect, it } from "vitest";

import { whyNotSourceHost } from "../../../src/core/source-host.js";

describe("where a path may not send MediaMTX", () => {
  it.each([
    ...["169.254.169.254", "169.254.1.2", "[fe80::1]", "[febf::1]", "[fd00:ec2::254]", "metadata.google.internal"],
    ...["2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]"],
    "METADATA.google.internal",
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
  ])("%s is where cameras are", (host) => {
    expect(whyNotSourceHost("http", host)).toBeUndefined();
  });
});

import { describe, expect, it } from "vitest";

import { findChecksum, machineName, releaseArchive } from "../../../src/mediamtx/binary-release.js";
import { compareVersions, whyUnsupported } from "../../../src/mediamtx/version.js";

const machine = (platform: string, arch: string, armVersion?: string) => ({ platform, arch, armVersion });

describe("releaseArchive", () => {
  it.each([
    [machine("linux", "x64"), "mediamtx_v1.21.0_linux_amd64.tar.gz"],
    [machine("linux", "arm64"), "mediamtx_v1.21.0_linux_arm64.tar.gz"],
    [machine("linux", "arm", "7"), "mediamtx_v1.21.0_linux_armv7.tar.gz"],
    [machine("linux", "arm", "6"), "mediamtx_v1.21.0_linux_armv6.tar.gz"],
    [machine("darwin", "x64"), "mediamtx_v1.21.0_darwin_amd64.tar.gz"],
    [machine("darwin", "arm64"), "mediamtx_v1.21.0_darwin_arm64.tar.gz"],
    [machine("win32", "x64"), "mediamtx_v1.21.0_windows_amd64.zip"],
  ])("names the file as MediaMTX's release process does (%j)", (on, expected) => {
    expect(releaseArchive("1.21.0", on)).toBe(expected);
  });

  it("knows no file for a machine without a release", () => {
    expect(releaseArchive("1.21.0", machine("freebsd", "x64"))).toBeUndefined();
    expect(machineName(machine("freebsd", "riscv64"))).toBe("freebsd_riscv64");
  });
});

describe("findChecksum", () => {
  const [first, second] = ["a".repeat(64), "B".repeat(64)];
  const text = `${first} *mediamtx_v1.21.0_linux_amd64.tar.gz\n${second} *mediamtx_v1.21.0_linux_arm64.tar.gz\n`;

  it("reads the line of exactly this file, in the form of `sha256sum -b`", () => {
    expect(findChecksum(text, "mediamtx_v1.21.0_linux_arm64.tar.gz")).toBe("b".repeat(64));
  });

  it("reads the text form and CRLF line ends", () => {
    expect(findChecksum(`${first}  some file\r\n`, "some file")).toBe(first);
  });

  it("finds nothing for a part of a name, a short sum or other text", () => {
    expect(findChecksum(text, "linux_amd64.tar.gz")).toBeUndefined();
    expect(findChecksum(`abc *file`, "file")).toBeUndefined();
    expect(findChecksum("<html>not found</html>", "file")).toBeUndefined();
  });
});

describe("versions", () => {
  it("compares by number, not by text", () => {
    expect(compareVersions("1.21.0", "1.9.10")).toBeGreaterThan(0);
    expect(compareVersions("v1.18.1", "1.18.1")).toBe(0);
    expect(compareVersions("1.18.0", "1.18.1")).toBeLessThan(0);
  });

  it.each(["1.18.1", "1.19.3", "1.21.0-3-gabcdef"])("supports %s", (version) => {
    expect(whyUnsupported(version)).toBeUndefined();
  });

  it.each(["1.18.0", "1.14.0", "0.23.8", "2.0.0"])("does not support %s, and says what is expected", (version) => {
    expect(whyUnsupported(version)).toBe(`version ${version}, expected 1.x of at least 1.18.1`);
  });
});

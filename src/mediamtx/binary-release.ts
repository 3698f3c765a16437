/** The names of MediaMTX's release files, and the reader of the checksums published beside them. */

const PLATFORMS: Readonly<Record<string, string>> = { linux: "linux", darwin: "darwin", win32: "windows" };
const RELEASED = new Set([
  "linux_amd64",
  "linux_arm64",
  "linux_armv7",
  "linux_armv6",
  "darwin_amd64",
  "darwin_arm64",
  "windows_amd64",
]);

export const CHECKSUMS_FILE = "checksums.sha256";

/** What tells one build from another on this machine. */
export interface Machine {
  readonly platform: string;
  readonly arch: string;
  /** `process.config.variables.arm_version`, on 32-bit ARM only. */
  readonly armVersion: string | undefined;
}

export function thisMachine(): Machine {
  const { arm_version: armVersion } = process.config.variables as { readonly arm_version?: unknown };
  return {
    platform: process.platform,
    arch: process.arch,
    armVersion: typeof armVersion === "string" ? armVersion : undefined,
  };
}

/** Such as `linux_amd64`; whether there is a release for it is another matter. */
export function machineName(machine: Machine): string {
  const platform = PLATFORMS[machine.platform] ?? machine.platform;
  return `${platform}_${archName(machine)}`;
}

/** The archive of a release for this machine, or undefined when none is published. */
export function releaseArchive(version: string, machine: Machine): string | undefined {
  const name = machineName(machine);
  if (!RELEASED.has(name)) return undefined;
  return `mediamtx_v${version}_${name}.${machine.platform === "win32" ? "zip" : "tar.gz"}`;
}

export function executableName(machine: Machine): string {
  return machine.platform === "win32" ? "mediamtx.exe" : "mediamtx";
}

/** Reads the output of `sha256sum -b`: hex, blank, `*` for binary, name. Undefined when the name is not in it. */
export function findChecksum(checksums: string, fileName: string): string | undefined {
  for (const line of checksums.split(/\r?\n/)) {
    const match = /^([0-9a-fA-F]{64}) [ *](.+)$/.exec(line.trim());
    if (match?.[2] === fileName) return match[1]?.toLowerCase();
  }
  return undefined;
}

function archName(machine: Machine): string {
  if (machine.arch === "x64") return "amd64";
  if (machine.arch === "arm") return machine.armVersion === "6" ? "armv6" : "armv7";
  return machine.arch;
}

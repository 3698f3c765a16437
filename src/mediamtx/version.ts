/** MediaMTX's version numbers, and which of them Reelkeeper supports. */
import { AppError } from "../core/errors.js";
import { runCommand } from "./run-command.js";

/** The oldest server with safe hook expansion and strict path names. */
const OLDEST_VERSION = "1.18.1";
/** `--validate-conf` exists from here on. */
export const OLDEST_VALIDATING_VERSION = "1.20.1";

const VERSION_TIMEOUT_MS = 10_000;
const PATTERN = /^v?(\d+)\.(\d+)\.(\d+)/;

/** Negative when `left` is older, 0 when equal, positive when newer. Pre-release suffixes are not compared. */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [parts(left), parts(right)];
  return a.map((part, index) => part - (b[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

/** Why this version cannot be used, or undefined. A new major version may refuse our configuration, so it counts. */
export function whyUnsupported(version: string): string | undefined {
  if (parts(version)[0] !== 1 || compareVersions(version, OLDEST_VERSION) < 0) {
    return `version ${version}, expected 1.x of at least ${OLDEST_VERSION}`;
  }
  return undefined;
}

/** Asks the binary itself; throws `failed-precondition` when it is no MediaMTX that runs here. */
export async function readBinaryVersion(
  binary: string,
  context: { readonly env: Readonly<NodeJS.ProcessEnv>; readonly signal: AbortSignal },
): Promise<string> {
  const { exitCode, output } = await runCommand(binary, ["--version"], { ...context, timeoutMs: VERSION_TIMEOUT_MS });
  const match = PATTERN.exec(output.trim());
  if (exitCode === 0 && match !== null) return match[0].replace(/^v/, "");
  throw new AppError({
    kind: "failed-precondition",
    message: `run ${binary} --version: exit code ${String(exitCode)} and "${output.trim().slice(0, 120)}", expected a version such as v1.21.0`,
  });
}

function parts(version: string): readonly number[] {
  const match = PATTERN.exec(version);
  return match === null ? [0, 0, 0] : match.slice(1, 4).map(Number);
}

/** One line of MediaMTX's log, in its plain and its structured form. What has neither is output of a hook or a panic. */

export interface MediaMtxLogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly text: string;
  /** From a leading `[path cam1]`. */
  readonly path: string | undefined;
}

const LEVELS: Readonly<Record<string, MediaMtxLogLine["level"]>> = {
  DEB: "debug",
  INF: "info",
  WAR: "warn",
  ERR: "error",
};
const PLAIN = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d (DEB|INF|WAR|ERR) (.*)$/;
/** Before its logger stands, MediaMTX prints why it cannot start without time and level. */
const EARLY = /^ERR: (.*)$/;
const PATH = /^\[path ([^\]\s]+)\] (.*)$/;

export function parseLogLine(written: string): MediaMtxLogLine {
  // At level debug MediaMTX quotes requests, whose lines end in CR LF.
  const line = written.replace(/\r$/, "");
  const plain = PLAIN.exec(line);
  if (plain !== null) return withPath(LEVELS[plain[1] ?? ""] ?? "info", plain[2] ?? "");
  const early = EARLY.exec(line);
  if (early !== null) return { level: "error", text: early[1] ?? "", path: undefined };
  return parseStructured(line) ?? { level: "info", text: line, path: undefined };
}

/** Why MediaMTX ended, from its last lines: the last error, else the last line. */
export function lastReason(lines: readonly string[]): string | undefined {
  const parsed = lines.filter((line) => line.trim() !== "").map(parseLogLine);
  return (parsed.findLast((line) => line.level === "error") ?? parsed.at(-1))?.text;
}

/** The address that MediaMTX could not listen on, when that is the reason. */
export function takenAddress(reason: string): string | undefined {
  return /\blisten (?:tcp|udp)[46]? (\S+): bind: (?:address already in use|Only one usage)/.exec(reason)?.[1];
}

function parseStructured(line: string): MediaMtxLogLine | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const { level, message } = JSON.parse(line) as { readonly level?: unknown; readonly message?: unknown };
    if (typeof level !== "string" || typeof message !== "string") return undefined;
    return withPath(LEVELS[level] ?? "info", message);
  } catch {
    // NOTE: MediaMTX quotes as Go does, which is not always JSON; such a line is shown as it is.
    return undefined;
  }
}

function withPath(level: MediaMtxLogLine["level"], message: string): MediaMtxLogLine {
  const match = PATH.exec(message);
  return match === null ? { level, text: message, path: undefined } : { level, text: match[2] ?? "", path: match[1] };
}

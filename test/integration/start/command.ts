/** `reelkeeper …` in a process of its own, with stdout and stderr apart. */
import { spawn } from "node:child_process";
import path from "node:path";

import type { InstalledApp } from "../../support/app-setup.js";
import { PATIENCE } from "../../support/patience.js";

export interface Ended {
  readonly code: number | string;
  readonly stdout: string;
  /** Without the log, which is JSON there. */
  readonly stderr: string;
  readonly log: string;
}

const DEADLINE_MS = 60_000 * PATIENCE;

/** Resolves when it ended; SIGKILL after a minute. */
export function runCommand(
  installed: Pick<InstalledApp, "program" | "env">,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = "",
): Promise<Ended> {
  const child = spawn(process.execPath, [installed.program, ...args], {
    cwd: path.dirname(path.dirname(installed.program)),
    // Libraries announce which Node they will want next year.
    env: { ...process.env, NODE_NO_WARNINGS: "1", ...installed.env, ...env },
    stdio: ["pipe", "pipe", "pipe"],
    timeout: DEADLINE_MS,
    killSignal: "SIGKILL",
  });
  // A command that reads nothing may have ended by then.
  child.stdin.on("error", () => undefined).end(input);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      const lines = stderr.split("\n").filter((line) => line !== "");
      const [log, said] = [true, false].map((isLog) =>
        lines.filter((line) => line.startsWith("{") === isLog).join("\n"),
      );
      resolve({ code: code ?? signal ?? "unknown", stdout, stderr: said ?? "", log: log ?? "" });
    });
  });
}

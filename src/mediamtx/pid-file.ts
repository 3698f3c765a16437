/** Who runs: written right after MediaMTX was started, so that a Reelkeeper that comes after a crash finds it. */
import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";

import { z } from "zod";

import { errnoOf } from "../core/errors.js";

const schema = z.object({
  pid: z.number().int().positive(),
  startedAtUs: z.number().int(),
  /** Of binary and given environment: another fingerprint means that the running one is not what is wanted. */
  fingerprint: z.string(),
});

export type PidRecord = z.infer<typeof schema>;

/** Synchronous: nothing may come between the start of the child and this. */
export function writePidFile(file: string, record: PidRecord): void {
  writeFileSync(file, `${JSON.stringify(record)}\n`, { mode: 0o600 });
}

/** Undefined when there is none, or none that can be read: then nobody can be found by it. */
export function readPidFile(file: string): PidRecord | undefined {
  try {
    return schema.safeParse(JSON.parse(readFileSync(file, "utf8"))).data;
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function removePidFile(file: string): void {
  rmSync(file, { force: true });
}

export function fingerprintOf(binary: string, extraEnv: Readonly<Record<string, string>>): string {
  const entries = Object.entries(extraEnv).sort(([left], [right]) => (left < right ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([binary, entries]))
    .digest("hex");
}

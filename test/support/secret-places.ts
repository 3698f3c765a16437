/** Where a secret could get out: places beside what an app answers and logs. */
import { readdirSync, readFileSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { gunzipSync } from "node:zlib";

import { onTestFinished } from "vitest";

const LOOK_EVERY_MS = 5;
/** A process begins with the arguments of whoever forked it. */
const LOOKS_AT_ONE = 20;

/** Of every process on this machine that names `directory` or a hook; the result gives all that were seen so far. */
export function watchArguments(directory: string): () => string {
  const seen = new Set<string>();
  let looks = new Map<string, number>();
  const watch = setInterval(() => {
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    looks = new Map(pids.map((pid) => [pid, (looks.get(pid) ?? 0) + 1]));
    for (const [pid, count] of looks) {
      const line = count > LOOKS_AT_ONE ? "" : commandLine(pid);
      if (line.includes(directory) || line.includes("hook")) seen.add(line);
    }
  }, LOOK_EVERY_MS);
  onTestFinished(() => clearInterval(watch));
  return () => [...seen].join("\n");
}

/** Empty for one that has ended. */
function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ");
  } catch {
    return "";
  }
}

/** The newest backup in the bucket, as the database that it is. */
export async function backupIn(bucketDir: string): Promise<Buffer> {
  const names = await readdir(bucketDir, { recursive: true });
  const name = names
    .filter((one) => one.includes("~backup/") && one.endsWith(".gz"))
    .sort()
    .at(-1);
  if (name === undefined) throw new Error(`no backup among ${names.join()}`);
  return gunzipSync(await readFile(path.join(bucketDir, name)));
}

/** What an answer of ours says, with its headers; of what it was asked for the path alone. */
export async function textOf(response: Response): Promise<string> {
  const { pathname } = new URL(response.url);
  const head = `${pathname} ${String(response.status)}\n${[...response.headers].join("\n")}`;
  return `${head}\n${await response.text()}`;
}

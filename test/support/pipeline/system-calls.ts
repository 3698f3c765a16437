/** The scene under strace: which system calls it makes, and what happens when one of them kills it or fails. */
import { readFile } from "node:fs/promises";
import path from "node:path";

import { startChild } from "../child.js";
import type { SceneFiles } from "./scene-files.js";
import { CHILD } from "./swept-process.js";

/** strace counts per thread; with one thread for files the order of their calls is the program's. */
const ENV = { UV_THREADPOOL_SIZE: "1" };
const LINE = /^\d+ +(\w+)\((.*)$/;

/** Calls that change something outside of the process, by what they do. */
export const CALLS = {
  rename: "rename,renameat,renameat2",
  unlink: "unlink,unlinkat,rmdir",
  link: "link,linkat",
  fsync: "fsync,fdatasync",
  mkdir: "mkdir,mkdirat",
  "open to create": "open,openat",
  "write at an offset": "pwrite64",
  write: "write,writev,sendto,sendmsg",
} as const;

export type CallGroup = keyof typeof CALLS;

/** By group: the numbers under which `killAt` and `failAt` find a call that counts, in order, each once. */
export type CountedCalls = ReadonlyMap<CallGroup, readonly number[]>;

/** Plays the scene once to its end. */
export async function countCalls(program: string, { scene, directory }: SceneFiles): Promise<CountedCalls> {
  const log = path.join(directory, "calls.log");
  const all = Object.values(CALLS).join(",");
  const ended = await trace(program, scene, ["--seccomp-bpf", "-o", log, "-e", `trace=${all}`]);
  if (ended.result !== 0) throw new Error(`the scene under strace ended with ${String(ended.result)}: ${ended.output}`);
  const groupOf = new Map(
    Object.entries(CALLS).flatMap(([group, calls]) => calls.split(",").map((call) => [call, group as CallGroup])),
  );
  const made = new Map<string, number>();
  const counted = new Map<CallGroup, number[]>();
  for (const line of (await readFile(log, "utf8")).split("\n")) {
    const [, call = "", args = ""] = LINE.exec(line) ?? [];
    const group = groupOf.get(call);
    if (group === undefined) continue;
    const ofThread = `${line.split(" ")[0] ?? ""} ${group}`;
    const number = (made.get(ofThread) ?? 0) + 1;
    made.set(ofThread, number);
    if (changesSomething(group, args)) counted.set(group, [...(counted.get(group) ?? []), number]);
  }
  return new Map([...counted].map(([group, numbers]) => [group, [...new Set(numbers)]]));
}

/** A thread that wakes another writes eight bytes; to open for reading is no change. */
function changesSomething(group: CallGroup, args: string): boolean {
  if (group === "open to create") return args.includes("O_CREAT");
  return group !== "write" || !/^\d+, "\\1(\\0){7}", 8\b/.test(args);
}

/** Resolves to the exit code or the signal, and to what was said. */
export function strikeAt(
  program: string,
  { scene }: SceneFiles,
  at: { readonly group: CallGroup; readonly number: number; readonly effect: string },
): Promise<{ readonly result: number | string; readonly output: string }> {
  const calls = CALLS[at.group];
  // Not with --seccomp-bpf: strace 6.1 then injects nothing into threads.
  const inject = `inject=${calls}:${at.effect}:when=${String(at.number)}`;
  return trace(program, scene, ["-o", "/dev/null", "-e", `trace=${calls}`, "-e", inject]);
}

async function trace(program: string, scene: SceneFiles["scene"], options: readonly string[]) {
  const args = ["-f", "-qq", ...options, process.execPath, CHILD, JSON.stringify(scene)];
  const child = await startChild("strace", args, { env: { ...process.env, ...ENV, PROGRAM: program } });
  return { result: await child.exited, output: child.output() };
}

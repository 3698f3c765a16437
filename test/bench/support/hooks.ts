/** Hooks as MediaMTX sends them, for segments that appear a moment before. */
import { execFileSync } from "node:child_process";
import { link, mkdir } from "node:fs/promises";
import path from "node:path";

import type { App } from "../../support/app.js";
import { writeSegments } from "./segments.js";

export const HOOK_SECRET = "hook-secret-of-the-bench";

export interface Segment {
  readonly camera: string;
  /** Written already, where nobody looks. */
  readonly source: string;
  /** Where it appears, as MediaMTX names it. */
  readonly file: string;
}

export interface HookAnswer {
  readonly status: number;
  readonly afterMs: number;
}

/** Segments of 4 s that wait to appear. */
export async function prepareSegments(
  app: App,
  directory: string,
  { camera, count }: { readonly camera: string; readonly count: number },
): Promise<Segment[]> {
  const sources = path.join(directory, "sources");
  const names = await writeSegments(sources, { camera, count, seconds: 4, bytes: 4_000 });
  // Else the kernel writes it out while something is timed.
  execFileSync("sync");
  return names.map((name) => ({ camera, source: path.join(sources, name), file: path.join(app.recordDir, name) }));
}

/** All of them, one after the other at that pace, whatever the answers take. */
export async function sendSteadily(app: App, segments: readonly Segment[], perSec: number): Promise<HookAnswer[]> {
  const answers: HookAnswer[] = [];
  const sent: Promise<unknown>[] = [];
  const startedMs = performance.now();
  for (const [index, segment] of segments.entries()) {
    await until(startedMs + (index * 1_000) / perSec);
    sent.push(appearAndTell(app, segment).then((answer) => answers.push(answer)));
  }
  await Promise.all(sent);
  return answers;
}

export async function appearAndTell(app: App, segment: Segment): Promise<HookAnswer> {
  const { source, file } = segment;
  await mkdir(path.dirname(file), { recursive: true });
  await link(source, file);
  return hook(app, segment);
}

async function hook(app: App, { camera, file: segmentPath }: Segment): Promise<HookAnswer> {
  const startedMs = performance.now();
  const body = new URLSearchParams({ secret: HOOK_SECRET, path: camera, segmentPath, segmentDuration: "4" });
  const response = await fetch(`${app.url}/hooks/segment-complete`, { method: "POST", body });
  await response.arrayBuffer();
  return { status: response.status, afterMs: performance.now() - startedMs };
}

async function until(atMs: number): Promise<void> {
  const leftMs = atMs - performance.now();
  if (leftMs > 1) await new Promise((resolve) => setTimeout(resolve, leftMs));
}

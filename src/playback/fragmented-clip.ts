/** A clip as it is read, `moof` by `moof`: only the heads are made anew, media goes by untouched. */
import { HEAD_BYTES, readFragmentHead } from "../media/fragment-head.js";
import { type KeptSamples, makeFragmentHead } from "../media/fragment-writer.js";
import type { Fragment } from "../media/inspection.js";
import { type FragmentBoxes, readSampleRuns } from "../media/sample-runs.js";
import type { ClipPart, ClipPlan } from "./clip-plan.js";
import { ClipTimeline } from "./clip-timeline.js";
import { ForwardBytes } from "./forward-bytes.js";
import type { PlaybackDeps } from "./playback-deps.js";

/** All behind the init. Opens one recording at a time, and closes it when nobody asks on. */
export async function* fragmentedMedia(
  { openReader }: PlaybackDeps,
  plan: ClipPlan,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const timeline = new ClipTimeline(plan);
  const tracks = new Map(plan.splice.tracks.map((entry) => [entry.track.id, entry]));
  const sequence = { last: 0 };
  for (const part of plan.parts) {
    const ends = endsOf(part);
    if (ends === undefined) continue;
    timeline.enter(part);
    const reader = await openReader(part.segment.recording, signal);
    const bytes = new ForwardBytes(reader.blocks(ends.start, ends.end), ends.start);
    const read = async (fragment: Fragment) => timeline.keep(readSampleRuns(await headOf(bytes, fragment), tracks));
    try {
      for (const fragment of part.fragments) yield* rewritten(bytes, await read(fragment), sequence);
    } finally {
      await bytes.close();
      await reader.close();
    }
  }
}

/** The samples that are kept, as a fragment of their own. */
export async function* rewritten(
  bytes: ForwardBytes,
  kept: readonly KeptSamples[],
  sequence: { last: number },
): AsyncGenerator<Uint8Array> {
  if (kept.length === 0) return;
  sequence.last += 1;
  yield makeFragmentHead(sequence.last, kept);
  yield* bytes.passAll(kept);
}

function endsOf({ fragments }: ClipPart): { readonly start: number; readonly end: number } | undefined {
  const [first, last] = [fragments[0], fragments.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  return { start: first.offsetBytes, end: last.offsetBytes + last.sizeBytes };
}

async function headOf(bytes: ForwardBytes, fragment: Fragment): Promise<FragmentBoxes> {
  await bytes.skipTo(fragment.offsetBytes);
  let head = readFragmentHead(await bytes.peek(Math.min(HEAD_BYTES, fragment.sizeBytes)), fragment);
  while (typeof head === "number") head = readFragmentHead(await bytes.peek(head), fragment);
  return head;
}

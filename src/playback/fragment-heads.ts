/** The sample tables of many fragments, without the media between them. */
import type { ByteReader } from "../media/byte-reader.js";
import { HEAD_BYTES, readFragmentHead } from "../media/fragment-head.js";
import type { InitTrack } from "../media/init.js";
import type { Fragment } from "../media/inspection.js";
import { readSampleRuns, type SampleRun } from "../media/sample-runs.js";
import { mapInOrder } from "../platform/map-in-order.js";

/** Of one recording; a far store answers as many requests in the time of one. */
const READ_AT_ONCE = 8;

export type InitTracks = ReadonlyMap<number, InitTrack>;

/** Fragment by fragment, in order. */
export async function* readHeads(
  reader: ByteReader,
  fragments: readonly Fragment[],
  tracks: InitTracks,
): AsyncGenerator<SampleRun[]> {
  const groups = mapInOrder(groupsOf(fragments, reader.windowBytes), READ_AT_ONCE, (group) =>
    readGroup(reader, group, tracks),
  );
  for await (const group of groups) yield* group;
}

/** Neighbours whose heads lie within one window are read together. */
function* groupsOf(fragments: readonly Fragment[], windowBytes: number): Generator<readonly Fragment[]> {
  let group: Fragment[] = [];
  for (const fragment of fragments) {
    const start = group[0]?.offsetBytes ?? fragment.offsetBytes;
    if (fragment.offsetBytes + HEAD_BYTES - start > windowBytes && group.length > 0) {
      yield group;
      group = [];
    }
    group.push(fragment);
  }
  if (group.length > 0) yield group;
}

async function readGroup(reader: ByteReader, group: readonly Fragment[], tracks: InitTracks): Promise<SampleRun[][]> {
  const [first, last] = [group[0], group.at(-1)];
  if (first === undefined || last === undefined) return [];
  const endBytes = last.offsetBytes + Math.min(HEAD_BYTES, last.sizeBytes);
  const bytes = await reader.read(first.offsetBytes, endBytes - first.offsetBytes);
  const heads: SampleRun[][] = [];
  for (const fragment of group) {
    const at = fragment.offsetBytes - first.offsetBytes;
    let head = readFragmentHead(bytes.subarray(at, at + fragment.sizeBytes), fragment);
    while (typeof head === "number") head = readFragmentHead(await reader.read(fragment.offsetBytes, head), fragment);
    heads.push(readSampleRuns(head, tracks));
  }
  return heads;
}

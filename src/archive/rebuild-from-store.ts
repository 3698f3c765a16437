/**
 * Rows from the bucket alone: each object carries the facts of its row, and its headers, read by ranges, tell the
 * fragment index. Rows that know of their copy are left as they are, so this may run on a lost, an old or a whole
 * database, any number of times (F38, F39).
 */
import type { Catalog } from "../catalog/catalog.js";
import { findFragmentIndex } from "../catalog/fragment-indexes.js";
import {
  addFragmentIndex,
  adoptArchivedCopy,
  type ArchivedRecording,
  findSameSegment,
  insertArchivedRecording,
} from "../catalog/rebuilt-recordings.js";
import { findRecording } from "../catalog/recordings.js";
import { isHousekeepingKey } from "../core/object-key.js";
import type { Recording, RecordingId } from "../core/recording.js";
import { pictureInstants } from "../core/thumbnail.js";
import { encodeFragmentIndex } from "../media/fragment-index-codec.js";
import { faultPoint } from "../platform/fault-point.js";
import type { Logger } from "../platform/logger.js";
import { mapInOrder } from "../platform/map-in-order.js";
import { retryUnavailable } from "../platform/retry.js";
import type { ObjectStore } from "./object-store.js";
import { inspectObject } from "./read-object.js";
import { recordingFromObject, type RebuiltRecording } from "./recording-metadata.js";

export interface RebuildDeps {
  readonly catalog: Catalog;
  readonly logger: Logger;
  readonly store: ObjectStore;
  readonly prefix: string;
  /** Between periodic pictures; 0: none are looked for. */
  readonly thumbnailIntervalUs: number;
}

export interface RebuildResult {
  objects: number;
  inserted: number;
  /** Rows that existed and did not know of their copy in the store. */
  adopted: number;
  /** Rows that knew of it and lacked their fragment index. */
  completed: number;
  /** Objects below the prefix that carry no facts of ours. */
  foreign: number;
}

/** What became of one object; `known`: its row says all that it says. */
type Adoption = "inserted" | "adopted" | "completed" | "known" | "foreign";

/** Requests wait for the network most of the time. */
const OBJECTS_AT_ONCE = 16;

export async function rebuildFromStore(
  deps: RebuildDeps,
  onProgress: (result: Readonly<RebuildResult>) => void,
  signal: AbortSignal,
): Promise<RebuildResult> {
  const result: RebuildResult = { objects: 0, inserted: 0, adopted: 0, completed: 0, foreign: 0 };
  const objects = mapInOrder(keysOf(deps, signal), OBJECTS_AT_ONCE, (key) => readObject(deps, key, signal));
  for await (const object of objects) {
    result.objects += 1;
    const adoption = await recordObject(deps, object);
    if (adoption !== "known") result[adoption] += 1;
    if (result.objects % 100 === 0) onProgress(result);
  }
  return result;
}

/** The same for one object. */
export async function adoptObject(deps: RebuildDeps, key: string, signal: AbortSignal): Promise<Adoption> {
  return recordObject(deps, await readObject(deps, key, signal));
}

async function* keysOf({ store, prefix }: RebuildDeps, signal: AbortSignal): AsyncGenerator<string> {
  for await (const { key } of store.list(`${prefix}/`, signal)) if (!isHousekeepingKey(prefix, key)) yield key;
}

interface ReadObject {
  readonly key: string;
  /** Undefined: not one of ours. */
  readonly archived: (ArchivedRecording & Pick<RebuiltRecording, "facts">) | undefined;
}

async function readObject(deps: RebuildDeps, key: string, signal: AbortSignal): Promise<ReadObject> {
  const { catalog, store } = deps;
  const { clock } = catalog;
  const object = await retryUnavailable(clock, signal, () => store.head(key, signal));
  const rebuilt = object === undefined ? undefined : recordingFromObject(object, clock.nowUs());
  if (rebuilt === undefined) return { key, archived: undefined };
  const { facts, lacksTracks } = rebuilt;
  const thumbnailsDueOf = (tracks: Recording["tracks"]) => ({
    thumbnailsDue: pictureInstants({ ...facts, tracks }, deps.thumbnailIntervalUs).length > 0,
  });
  const known = await findKnown(catalog, facts);
  const isComplete = known?.objectKey === key && (await findFragmentIndex(catalog, known.id)) !== undefined;
  if (facts.format !== "fmp4" || isComplete) {
    return { key, archived: { facts, fragmentIndex: undefined, ...thumbnailsDueOf(facts.tracks) } };
  }
  const inspection = await inspectObject({ store, clock }, { key, bytes: facts.bytes }, signal);
  if (inspection === undefined) {
    deps.logger.warn("object is no fragmented MP4; its recording has no fragment index", { objectKey: key });
  }
  const tracks = lacksTracks ? (inspection?.tracks ?? []) : facts.tracks;
  const fragments = inspection?.fragments ?? null;
  const fragmentIndex = fragments === null ? undefined : encodeFragmentIndex(fragments);
  return { key, archived: { facts: { ...facts, tracks }, fragmentIndex, ...thumbnailsDueOf(tracks) } };
}

async function recordObject({ catalog, logger }: RebuildDeps, { key, archived }: ReadObject): Promise<Adoption> {
  if (archived === undefined) {
    logger.warn("object carries no facts of ours and is left alone", { objectKey: key });
    return "foreign";
  }
  await faultPoint("rebuild.before-row");
  const adoption = await record(catalog, key, archived);
  await faultPoint("rebuild.after-row");
  return adoption;
}

type Archived = NonNullable<ReadObject["archived"]>;

async function record(catalog: Catalog, key: string, archived: Archived): Promise<Adoption> {
  const known = await findKnown(catalog, archived.facts);
  if (known === undefined) {
    await insertArchivedRecording(catalog, archived);
    return "inserted";
  }
  if (await adoptArchivedCopy(catalog, known, archived)) return "adopted";
  const { fragmentIndex } = archived;
  if (fragmentIndex === undefined || known.objectKey !== key) return "known";
  await addFragmentIndex(catalog, known, fragmentIndex);
  return "completed";
}

/** By id; else by what it is: a scan may have given the segment another id. */
async function findKnown(
  catalog: Catalog,
  facts: Archived["facts"] & { readonly id: RecordingId },
): Promise<Recording | undefined> {
  return (await findRecording(catalog, facts.id)) ?? (await findSameSegment(catalog, facts));
}

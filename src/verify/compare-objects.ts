/** Rows against the store, in the order of keys. What looks wrong is looked at again before it is told. */
import { findByObjectKey, findVerifiedAfter, listByObjectKey, takeProofBack } from "../catalog/archived-recordings.js";
import { findRecording } from "../catalog/recordings.js";
import { describeError, isAppError } from "../core/errors.js";
import { type FalseProof, withoutProof } from "../core/false-proof.js";
import { isMassMissing } from "../core/mass-missing.js";
import type { Recording } from "../core/recording.js";
import { mapInOrder } from "../platform/map-in-order.js";
import { isSettled, judgeObject } from "./judge-object.js";
import { mergeJoin, type Pair } from "./merge-join.js";
import { about, type VerifyRun } from "./verify-deps.js";

const HEADS_AT_ONCE = 16;
const READS_AT_ONCE = 4;
/** A store that fails so often does not answer at all. */
const MOST_UNCHECKED = 20;
/** More at once are not believed, so no more need to be kept. */
const MOST_KEPT = 1_000;

type Finding =
  | { readonly kind: "nothing" }
  | { readonly kind: "other-version" }
  | { readonly kind: "false-proof"; readonly row: Recording; readonly found: FalseProof }
  | { readonly kind: "unknown"; readonly key: string; readonly isOurs: boolean; readonly owner: Recording | undefined };

const NOTHING: Finding = { kind: "nothing" };

interface Listed {
  readonly key: string;
  readonly bytes: number;
}

export async function compareObjects(run: VerifyRun): Promise<void> {
  const doubt = await run.doubtAbout("objects");
  if (doubt !== null) {
    run.tellUnchecked({ what: "objects", why: doubt });
    return;
  }
  const gone: Recording[] = [];
  try {
    const pairs = mergeJoin<Recording, Listed>(
      { items: listByObjectKey(run.catalog), keyOf: ({ objectKey }) => objectKey ?? "" },
      { items: run.listObjects(run.signal), keyOf: ({ key }) => key },
    );
    const atOnce = run.options.full ? READS_AT_ONCE : HEADS_AT_ONCE;
    for await (const finding of mapInOrder(pairs, atOnce, (pair) => look(run, pair))) {
      if (finding.kind !== "false-proof" || finding.found.kind !== "absent") await tellFinding(run, finding);
      else if (gone.length < MOST_KEPT) gone.push(finding.row);
    }
  } catch (error) {
    if (run.signal.aborted || !isAppError(error)) throw error;
    run.tellUnchecked({ what: "the rest of the objects", why: describeError(error) });
  }
  await tellGone(run, gone);
}

/** What cannot be told of one object is told as that, and the others go on. */
async function look(run: VerifyRun, pair: Pair<Recording, Listed>): Promise<Finding> {
  if (pair.left !== undefined) run.counts.archivedRows += 1;
  if (pair.right !== undefined) run.counts.objects += 1;
  try {
    const { left: row, right: listed } = pair;
    if (row === undefined) return await lookAtUnknown(run, pair.key);
    if (row.archive === "deleted" || row.archive === "expired") {
      const isLeft = listed !== undefined && row.step === null;
      return isLeft ? { kind: "unknown", key: pair.key, isOurs: false, owner: row } : NOTHING;
    }
    const found = await judgeObject(run, row, listed?.bytes);
    return found === undefined ? NOTHING : { kind: "false-proof", row, found };
  } catch (error) {
    if (run.signal.aborted || !isAppError(error) || run.counts.unchecked >= MOST_UNCHECKED) throw error;
    run.tellUnchecked({ what: `object ${pair.key}`, why: describeError(error) });
    return NOTHING;
  }
}

async function lookAtUnknown(run: VerifyRun, key: string): Promise<Finding> {
  // Put since the rows were read: its row names it before the first byte is sent.
  if ((await findByObjectKey(run.catalog, key)).length > 0) return NOTHING;
  const head = await run.headObject(key, run.signal);
  if (head === undefined) return NOTHING;
  const owner = head.recordingId === null ? undefined : await findRecording(run.catalog, head.recordingId);
  if (owner?.archive === "verified" && owner.objectKey !== key) return { kind: "other-version" };
  if (await hasCopyBeside(run, key)) return { kind: "other-version" };
  return { kind: "unknown", key, isOurs: head.recordingId !== null, owner };
}

/** F27: other bytes under a recording's first key, whose copy stands beside it under a key that ends with its hash. */
async function hasCopyBeside(run: VerifyRun, key: string): Promise<boolean> {
  const stem = key.replace(/\.(mp4|ts)$/, "");
  const other = (await findVerifiedAfter(run.catalog, `${stem}_`))?.objectKey ?? "";
  return other.startsWith(stem) && /^_[0-9a-f]{16}\.(mp4|ts)$/.test(other.slice(stem.length));
}

async function tellFinding(run: VerifyRun, finding: Finding): Promise<void> {
  switch (finding.kind) {
    case "nothing":
      return;
    case "other-version":
      run.counts.otherVersions += 1;
      return;
    case "unknown":
      return tellUnknown(run, finding);
    case "false-proof": {
      const { row, found } = finding;
      const isHere = row.local === "present";
      const repaired = run.options.repair ? await withdraw(run, row, found) : null;
      run.tell({
        ...about(row),
        kind: "object-differs",
        meaning: `the object is not the copy that it was proven to be: ${found.kind === "absent" ? "gone" : found.reason}`,
        advice: isHere
          ? "run with --repair: the local copy is archived again under another key; the object stays"
          : "no local copy is left; --repair marks the row as a conflict; look for another copy of the bucket",
        repaired,
      });
      return;
    }
    default:
      return finding satisfies never;
  }
}

async function tellUnknown(run: VerifyRun, finding: Finding & { kind: "unknown" }): Promise<void> {
  const { key, isOurs, owner } = finding;
  const adoption = run.options.repair && isOurs ? await run.adoptObject(key, run.signal) : null;
  run.tell({
    ...{ kind: "object-unknown", recordingId: owner?.id ?? null, path: owner?.path ?? null, filePath: null },
    objectKey: key,
    meaning:
      owner?.archive === "deleted" || owner?.archive === "expired"
        ? "the row says that this object was removed, and it is there"
        : isOurs
          ? "a recording of ours that no row knows of"
          : "no row knows of this object, and it carries no facts of ours",
    advice: isOurs
      ? "run with --repair: a row is made for it"
      : "it is left alone; remove it by hand if nobody needs it",
    repaired: adoption === null || adoption === "known" || adoption === "foreign" ? null : `row ${adoption}`,
  });
}

/** Many that are gone at once are doubted: then none of their rows is touched. */
async function tellGone(run: VerifyRun, gone: readonly Recording[]): Promise<void> {
  const isDoubted = isMassMissing(gone.length, run.counts.archivedRows);
  for (const row of gone) {
    const isHere = row.local === "present";
    const mayRepair = run.options.repair && (isHere || !isDoubted);
    run.tell({
      ...about(row),
      kind: "object-missing",
      meaning: isHere
        ? "the archived copy is gone; the local copy is there"
        : "the archived copy is gone, and no local copy is left",
      advice: isHere
        ? "run with --repair: it is archived again"
        : isDoubted
          ? "many are gone at once: is this the right bucket? Nothing is changed"
          : "restore the object from another copy of the bucket; --repair takes the false proof from the row",
      repaired: mayRepair ? await withdraw(run, row, { kind: "absent" }) : null,
    });
  }
}

async function withdraw(run: VerifyRun, row: Recording, found: FalseProof): Promise<string | null> {
  const now = await findRecording(run.catalog, row.id);
  if (now === undefined || !isSettled(now, row)) return null;
  const patch = withoutProof(now, run.prefix, found);
  if (!(await takeProofBack(run.catalog, now, patch))) return null;
  return patch.step === null ? "the proof was taken back" : "queued for the archive again";
}

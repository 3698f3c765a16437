/** I2: no local file went without a proof that was written before, for the very same bytes. */
import type { AuditFacts, CheckResult } from "./facts.js";
import type { RecordingRow, RemovalRow } from "./rows.js";

export function checkRemovals({ rows }: AuditFacts): CheckResult<"removals"> {
  const violations: string[] = [];
  for (const row of rows.recordings) {
    if (row.local !== "released" && row.local !== "trashed") continue;
    const removals = rows.removals.filter(({ recording_id, what }) => recording_id === row.id && what === "local");
    const reasons = removals.map((removal) => whyNotProof(row, removal));
    if (reasons.includes(undefined)) continue;
    violations.push(
      `I2 ${row.file_path}: is ${row.local}, ${reasons.join("; ") || "and no removal was written before"}`,
    );
  }
  return { violations, counted: { removals: rows.removals.length } };
}

function whyNotProof(row: RecordingRow, removal: RemovalRow): string | undefined {
  if (removal.name !== row.file_path) return `the removal is of ${removal.name}`;
  if (removal.file_identity === null || removal.file_identity !== row.file_identity) {
    return `the removal is of file ${removal.file_identity ?? "?"}, the row of ${row.file_identity ?? "?"}`;
  }
  if (removal.bytes !== row.bytes) return `the removal is of ${removal.bytes} bytes, the row of ${row.bytes}`;
  if (removal.sha256 === null || removal.sha256 !== row.sha256) return "the removal is of other bytes than the row";
  return whyNotAnswerOfStore(removal);
}

function whyNotAnswerOfStore({ proof, bytes, sha256 }: RemovalRow): string | undefined {
  if (proof === null) return "the removal has no proof";
  let answer: { bytes?: unknown; sha256?: unknown };
  try {
    answer = JSON.parse(proof) as typeof answer;
  } catch {
    return "the proof cannot be read";
  }
  if (answer.bytes === bytes && answer.sha256 === sha256) return undefined;
  return "the proof is not of these bytes";
}

/** I5: the numbers that MediaMTX wrote into its files, read from the bytes, against what the rows report as missing. */
import path from "node:path";

import type { AuditFacts, CheckResult } from "./facts.js";
import { readMtxi } from "./mtxi.js";
import type { RecordingRow } from "./rows.js";

interface Numbered {
  readonly row: RecordingRow;
  readonly streamId: string;
  readonly number: number;
}

export async function checkNumbers(facts: AuditFacts): Promise<CheckResult<"streams" | "missingNumbers">> {
  const violations: string[] = [];
  const streams = new Map<string, Numbered[]>();
  for (const row of facts.rows.recordings) {
    if (row.format !== "fmp4" || row.local === "quarantined") continue;
    const written = await numberIn(facts, row);
    const said = saidBy(row);
    // A file that nobody has looked into yet says nothing.
    const isPending = !facts.quiescent && (row.step === "settle" || row.step === "inspect");
    if (
      written !== undefined &&
      !isPending &&
      (said?.streamId !== written.streamId || said.number !== written.number)
    ) {
      violations.push(
        `I5 ${row.file_path}: is ${written.streamId}/${written.number}, the row says ${said?.streamId ?? "no stream"}/${said?.number ?? ""}`,
      );
    }
    const numbered = written ?? said;
    if (numbered === undefined) continue;
    const key = `${row.path} ${numbered.streamId}`;
    streams.set(key, [...(streams.get(key) ?? []), { row, ...numbered }]);
  }
  let missingNumbers = 0;
  for (const segments of streams.values()) {
    segments.sort((a, b) => a.number - b.number);
    for (const [index, { row, number }] of segments.entries()) {
      const before = segments[index - 1];
      const missing = before === undefined ? 0 : Math.max(0, number - before.number - 1);
      missingNumbers += missing;
      if (row.missing_before === missing) continue;
      violations.push(
        `I5 ${row.file_path}: ${missing} numbers are missing before it, the row reports ${row.missing_before}`,
      );
    }
  }
  return { violations, counted: { streams: streams.size, missingNumbers } };
}

/** From the local file, else from the object; undefined when neither is there or none has the box. */
async function numberIn(
  facts: AuditFacts,
  row: RecordingRow,
): Promise<{ streamId: string; number: number } | undefined> {
  const isLocal = row.local === "open" || row.local === "present";
  if (isLocal) return readMtxi(path.join(facts.recordDir, row.file_path));
  const object = row.archive === "verified" ? facts.objects.get(row.object_key ?? "") : undefined;
  return object === undefined ? undefined : readMtxi(object.file);
}

function saidBy(row: RecordingRow): { streamId: string; number: number } | undefined {
  if (row.stream_id === null || row.segment_number === null) return undefined;
  return { streamId: row.stream_id, number: row.segment_number };
}

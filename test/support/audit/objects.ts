/** I3 and I4: the objects are what their rows say, and what they were when they were stored. */
import type { ObjectsByKey } from "./bucket.js";
import type { AuditFacts, CheckResult } from "./facts.js";
import type { RecordingRow } from "./rows.js";

export function checkObjects(
  facts: AuditFacts,
): CheckResult<"verified" | "objects" | "orphanObjects" | "unvouchedObjects"> {
  const { objects } = facts;
  const verified = facts.rows.recordings.filter(({ archive }) => archive === "verified");
  const known = new Set(facts.rows.recordings.map(({ object_key }) => object_key));
  return {
    violations: [
      ...verified.flatMap((row) => whyNotHeld(row, objects)),
      ...rivalClaims(verified),
      ...[...objects].flatMap(([key, { sha256, vouchedSha256 }]) =>
        vouchedSha256 === null || vouchedSha256 === sha256
          ? []
          : [`I4 ${key}: was stored as ${vouchedSha256}, and holds ${sha256}`],
      ),
    ],
    counted: {
      verified: verified.length,
      objects: objects.size,
      orphanObjects: [...objects.keys()].filter((key) => !known.has(key)).length,
      unvouchedObjects: [...objects.values()].filter(({ vouchedSha256 }) => vouchedSha256 === null).length,
    },
  };
}

function whyNotHeld(row: RecordingRow, objects: ObjectsByKey): string[] {
  const object = row.object_key === null ? undefined : objects.get(row.object_key);
  const what = `I3 ${row.file_path}: is verified, and`;
  if (object === undefined) return [`${what} object ${row.object_key ?? "without a key"} is not there`];
  if (object.bytes !== row.bytes) return [`${what} ${row.object_key} has ${object.bytes} bytes, the row ${row.bytes}`];
  if (object.sha256 !== row.sha256) return [`${what} ${row.object_key} hashes to ${object.sha256}, not ${row.sha256}`];
  if (object.md5 !== row.md5) return [`${what} ${row.object_key} has the MD5 ${object.md5}, not ${row.md5}`];
  return [];
}

function rivalClaims(verified: readonly RecordingRow[]): string[] {
  const claims = new Map<string, RecordingRow>();
  const rivals: string[] = [];
  for (const row of verified) {
    const first = claims.get(row.object_key ?? "");
    if (first === undefined) claims.set(row.object_key ?? "", row);
    else if (first.sha256 !== row.sha256)
      rivals.push(`I4 ${row.object_key}: rows ${first.id} and ${row.id} claim other bytes`);
  }
  return rivals;
}

/**
 * Millions of proven recordings, written inside the database: 100 paths in steps of a minute, in the order in which they
 * would have come; eight gaps a day, and one day of seven on disk still. Only the rows exist: what is measured is how
 * they are listed.
 */
import type { Knex } from "knex";

import { dialectOf } from "../../../src/catalog/dialect.js";

export const SEED = {
  paths: 100,
  segmentSec: 60,
  /** 2026-01-01T00:00:00Z */
  startUs: Date.UTC(2026, 0, 1) * 1_000,
  nodeId: "bench-node",
} as const;

const ROWS_PER_STATEMENT = 100_000;
const TRACKS = JSON.stringify([
  { kind: "video", id: 1, codec: "avc1.640028", timescale: 90_000, widthPx: 1_920, heightPx: 1_080, frameRate: 25 },
  { kind: "audio", id: 2, codec: "mp4a.40.2", timescale: 48_000, sampleRateHz: 48_000, channels: 2 },
]);

export function seededPath(index: number): string {
  return `site-${String(Math.floor(index / 10)).padStart(2, "0")}/cam-${index % 10}`;
}

export async function seedRows(db: Knex, rows: number, onProgress: (done: number) => void): Promise<void> {
  for (let first = 0; first < rows; first += ROWS_PER_STATEMENT) {
    const count = Math.min(ROWS_PER_STATEMENT, rows - first);
    await db.raw(dialectOf(db) === "sqlite" ? sqliteInsert(first, count) : postgresInsert(first, count));
    onProgress(first + count);
  }
  await db.raw("analyze recordings");
}

const COLUMNS =
  "path, start_us, id, end_us, media_duration_us, node_id, format, file_path, file_identity, bytes, tracks, " +
  "stream_id, segment_number, partial, gap_before_us, missing_before, local, archive, object_key, md5, sha256, " +
  "upload_id, verified_at_us, step, priority, attempts, next_attempt_at_us, lease_owner, lease_until_us, error, origin, " +
  "created_at_us, updated_at_us";

interface Words {
  readonly path: string;
  readonly id: string;
  readonly stream: string;
  readonly hex: (bytes: number) => string;
  readonly isPartial: string;
}

function select(words: Words): string {
  const length = SEED.segmentSec * 1_000_000;
  const start = `(${SEED.startUs} + k * ${length} + p * 1000)`;
  return `${words.path}, ${start}, ${words.id}, ${start} + ${length}, ${length}, '${SEED.nodeId}', 'fmp4',
    ${words.path} || '/2026-01-01/' || (${start} / 1000000) || '-000000.mp4',
    '2049:' || (1000000 + i) || ':15728640:' || ${start} || '000', 15728640, '${TRACKS}',
    ${words.stream}, k, ${words.isPartial}, case when k % 180 = 0 then 5000000 else 0 end, 0,
    case when k % 10080 < 1440 then 'present' else 'released' end, 'verified',
    'recordings/' || ${words.path} || '/2026/01/01/' || (${start} / 1000000) || '_000000000000-' || k || '.mp4',
    ${words.hex(16)}, ${words.hex(32)}, null, ${start} + ${length} + 900000, null, 0, 0, ${start} + ${length}, null, null, null, 'hook',
    ${start} + ${length}, ${start} + ${length} + 900000`;
}

function sqliteInsert(first: number, count: number): string {
  const words: Words = {
    path: "printf('site-%02d/cam-%d', p / 10, p % 10)",
    id: "printf('%08x-%04x-7%03x-8%03x-%012x', i, p, p, p, i)",
    stream: "printf('%08x-0000-4000-8000-000000000000', p)",
    hex: (bytes) => `lower(hex(randomblob(${bytes})))`,
    isPartial: "0",
  };
  return `insert into recordings (${COLUMNS})
    with recursive n(i) as (select ${first} union all select i + 1 from n where i < ${first + count - 1})
    select ${select(words)} from (select i, i % ${SEED.paths} as p, i / ${SEED.paths} as k from n)`;
}

function postgresInsert(first: number, count: number): string {
  const words: Words = {
    path: "'site-' || lpad((p / 10)::text, 2, '0') || '/cam-' || (p % 10)",
    id: "lpad(to_hex(i), 8, '0') || '-' || lpad(to_hex(p), 4, '0') || '-7000-8000-' || lpad(to_hex(i), 12, '0')",
    stream: "lpad(to_hex(p), 8, '0') || '-0000-4000-8000-000000000000'",
    hex: (bytes) => (bytes === 16 ? "md5(i::text)" : "md5(i::text) || md5((i + 1)::text)"),
    isPartial: "false",
  };
  return `insert into recordings (${COLUMNS})
    select ${select(words)} from (select i, i % ${SEED.paths} as p, (i / ${SEED.paths})::bigint as k
      from generate_series(${first}::bigint, ${first + count - 1}::bigint) as i) as numbers`;
}

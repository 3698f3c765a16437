/** The tables as they stand in the file, read without the product. */
import sqlite3 from "sqlite3";

export interface RecordingRow {
  readonly id: string;
  readonly path: string;
  readonly start_us: number;
  readonly format: string;
  readonly file_path: string;
  readonly file_identity: string | null;
  readonly bytes: number;
  readonly stream_id: string | null;
  readonly segment_number: number | null;
  readonly missing_before: number;
  readonly local: string;
  readonly archive: string;
  readonly object_key: string | null;
  readonly md5: string | null;
  readonly sha256: string | null;
  readonly step: string | null;
}

export interface RemovalRow {
  readonly recording_id: string;
  readonly what: string;
  readonly name: string;
  readonly file_identity: string | null;
  readonly bytes: number;
  readonly sha256: string | null;
  readonly proof: string | null;
}

export interface Rows {
  readonly recordings: readonly RecordingRow[];
  readonly removals: readonly RemovalRow[];
  /** Below the record directory. */
  readonly rejectedFiles: ReadonlySet<string>;
}

export async function readRows(databaseFile: string): Promise<Rows> {
  const database = await open(databaseFile);
  try {
    await run(database, "begin");
    const recordings = await all<RecordingRow>(database, "select * from recordings order by path, start_us, id");
    const removals = await all<RemovalRow>(database, "select * from removals order by at_us");
    const rejected = await all<{ file_path: string }>(database, "select file_path from rejected_files");
    return { recordings, removals, rejectedFiles: new Set(rejected.map(({ file_path }) => file_path)) };
  } finally {
    await new Promise((resolve) => database.close(resolve));
  }
}

function open(file: string): Promise<sqlite3.Database> {
  return new Promise((resolve, reject) => {
    const database = new sqlite3.Database(file, sqlite3.OPEN_READONLY, (error) =>
      error === null ? resolve(database) : reject(error),
    );
    database.configure("busyTimeout", 5_000);
  });
}

function run(database: sqlite3.Database, sql: string): Promise<void> {
  return new Promise((resolve, reject) => {
    database.run(sql, (error) => (error === null ? resolve() : reject(error)));
  });
}

function all<Row>(database: sqlite3.Database, sql: string): Promise<Row[]> {
  return new Promise((resolve, reject) => {
    database.all<Row>(sql, (error, rows) => (error === null ? resolve(rows) : reject(error)));
  });
}

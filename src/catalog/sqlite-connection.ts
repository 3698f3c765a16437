/** SQLite's own connection, for what is not a query of the catalog: locks, copies, checks. Errors are the driver's. */
import sqlite3 from "sqlite3";

export type SqliteConnection = sqlite3.Database;

/** Waits for another process that holds the lock; nobody waits for an answer here. */
const BUSY_TIMEOUT_MS = 20_000;

export function openConnection(file: string, mode: "create" | "read"): Promise<SqliteConnection> {
  const flags = mode === "read" ? sqlite3.OPEN_READONLY : sqlite3.OPEN_READWRITE | sqlite3.OPEN_CREATE;
  return new Promise((resolve, reject) => {
    const connection = new sqlite3.Database(file, flags, (error) => {
      if (error === null) resolve(connection);
      else reject(error);
    });
    if (mode === "read") connection.configure("busyTimeout", BUSY_TIMEOUT_MS);
  });
}

export function execute(connection: SqliteConnection, sql: string): Promise<void> {
  return new Promise((resolve, reject) => {
    connection.exec(sql, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}

export function queryAll(
  connection: SqliteConnection,
  sql: string,
  bindings: readonly string[] = [],
): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    connection.all(sql, [...bindings], (error: Error | null, rows: unknown[]) => {
      if (error === null) resolve(rows);
      else reject(error);
    });
  });
}

export function closeConnection(connection: SqliteConnection): Promise<void> {
  return new Promise((resolve) => {
    connection.close(() => resolve());
  });
}

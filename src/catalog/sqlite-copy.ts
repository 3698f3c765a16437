/**
 * A database file as a whole: copied as of one instant, and looked at whether it is sound. Both have a connection of
 * their own, so that whoever writes the catalog goes on meanwhile; the copy costs a longer write-ahead log, no lock.
 */
import { AppError } from "../core/errors.js";
import { translating } from "./database.js";
import { closeConnection, openConnection, queryAll, type SqliteConnection } from "./sqlite-connection.js";

/** `target` must be absent or empty. Throws `data-loss` when the database is damaged, `resource-exhausted` on a full disk. */
export async function copySqlite(file: string, target: string, signal: AbortSignal): Promise<void> {
  await withConnection(`copy the database ${file}`, { file, signal }, async (connection) => {
    await queryAll(connection, "vacuum into ?", [target]);
  });
}

/** Throws `data-loss` when SQLite finds anything wrong with the file. */
export async function checkSqlite(file: string, signal: AbortSignal): Promise<void> {
  const operation = `check the database ${file}`;
  await withConnection(operation, { file, signal }, async (connection) => {
    const rows = await queryAll(connection, "pragma quick_check(1)");
    const found = Object.values(rows[0] ?? {}).join();
    if (found !== "ok") throw new AppError({ kind: "data-loss", message: `${operation}: ${found}` });
  });
}

interface What {
  readonly file: string;
  /** Interrupts the statement that runs. */
  readonly signal: AbortSignal;
}

async function withConnection(
  operation: string,
  { file, signal }: What,
  work: (connection: SqliteConnection) => Promise<void>,
): Promise<void> {
  try {
    await translating(operation, async () => {
      const connection = await openConnection(file, "read");
      const interrupt = (): void => connection.interrupt();
      signal.addEventListener("abort", interrupt, { once: true });
      try {
        signal.throwIfAborted();
        await work(connection);
      } finally {
        signal.removeEventListener("abort", interrupt);
        await closeConnection(connection);
      }
    });
  } catch (error) {
    if (signal.aborted) throw new AppError({ kind: "cancelled", message: `${operation}: cancelled`, cause: error });
    throw error;
  }
}

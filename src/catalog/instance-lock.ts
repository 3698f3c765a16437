/**
 * One Reelkeeper per folder (F53). SQLite's own exclusive lock on a file there: the kernel drops it the moment its
 * process dies, however it dies, so there is no stale lock to guess about.
 */
import sqlite3 from "sqlite3";

import { AppError, errnoOf } from "../core/errors.js";

export interface InstanceLock {
  release(): Promise<void>;
}

/** Throws `failed-precondition` when another process holds it. The directory must exist. */
export async function acquireInstanceLock(file: string): Promise<InstanceLock> {
  const database = await open(file);
  try {
    await exec(database, "pragma locking_mode=exclusive; begin exclusive;");
  } catch (error) {
    await close(database);
    if (errnoOf(error) !== "SQLITE_BUSY") {
      throw new AppError({ kind: "unavailable", message: `lock ${file}`, cause: error });
    }
    throw new AppError({
      kind: "failed-precondition",
      message: `another Reelkeeper is running here: ${file} is locked`,
      hint: "stop the other one, or give this one its own DATA_DIR and RECORD_DIR",
    });
  }
  return { release: () => close(database) };
}

function open(file: string): Promise<sqlite3.Database> {
  return new Promise((resolve, reject) => {
    const database = new sqlite3.Database(file, (error) => {
      if (error === null) resolve(database);
      else reject(new AppError({ kind: "unavailable", message: `open ${file}`, cause: error }));
    });
  });
}

function exec(database: sqlite3.Database, sql: string): Promise<void> {
  return new Promise((resolve, reject) => {
    database.exec(sql, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}

function close(database: sqlite3.Database): Promise<void> {
  return new Promise((resolve) => {
    database.close(() => resolve());
  });
}

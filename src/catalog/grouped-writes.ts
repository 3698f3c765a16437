/**
 * Small write transactions of many callers, made into few: what comes while one runs goes into the next one, together.
 * A commit costs an fsync, and SQLite has one connection; a caller who is alone waits for nobody.
 */
import type { Knex } from "knex";

import { AppError } from "../core/errors.js";
import type { PathName } from "../core/path-name.js";
import type { Catalog } from "./catalog.js";
import type { Database } from "./database.js";
import { SharedRows } from "./shared-rows.js";
import { inWriteTransaction } from "./write-transaction.js";

/** May run twice: when the transaction that it shares fails, it is run again alone. */
type Work = (trx: Knex.Transaction, shared: SharedRows) => Promise<void>;

interface Waiting {
  /** Whose timeline changes. */
  readonly paths: readonly PathName[];
  readonly work: Work;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Nobody else gets at SQLite's one connection during a transaction. */
const MOST_AT_ONCE = 12;

/**
 * Resolves after the commit. `work` may refuse with an AppError before its first write, and only there: then the others
 * of its transaction are committed all the same, and this one has done nothing.
 */
export function inGroupedWrite(catalog: Catalog, paths: readonly PathName[], work: Work): Promise<void> {
  return new Promise((resolve, reject) => {
    groupOf(catalog).add({ paths, work, resolve, reject });
  });
}

const groups = new WeakMap<Database, Group>();

function groupOf(catalog: Catalog): Group {
  const known = groups.get(catalog.db);
  if (known !== undefined) return known;
  const created = new Group(catalog);
  groups.set(catalog.db, created);
  return created;
}

class Group {
  readonly #catalog: Catalog;
  #waiting: Waiting[] = [];
  #isAtWork = false;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  add(waiting: Waiting): void {
    this.#waiting.push(waiting);
    if (!this.#isAtWork) void this.#work();
  }

  async #work(): Promise<void> {
    this.#isAtWork = true;
    while (this.#waiting.length > 0) await this.#commit(this.#waiting.splice(0, MOST_AT_ONCE));
    this.#isAtWork = false;
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    const refused = new Map<Waiting, AppError>();
    try {
      await inWriteTransaction(
        this.#catalog,
        group.flatMap(({ paths }) => paths),
        async (trx) => {
          const shared = new SharedRows();
          for (const waiting of group) {
            const refusal = await refusalOf(() => waiting.work(trx, shared));
            if (refusal !== undefined) refused.set(waiting, refusal);
          }
          await shared.write(trx);
        },
      );
    } catch (error) {
      if (group.length === 1) group[0]?.reject(error);
      else for (const waiting of group) await this.#commit([waiting]);
      return;
    }
    for (const waiting of group) {
      const refusal = refused.get(waiting);
      if (refusal === undefined) waiting.resolve();
      else waiting.reject(refusal);
    }
  }
}

async function refusalOf(work: () => Promise<void>): Promise<AppError | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

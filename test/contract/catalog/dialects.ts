/** The databases that the catalog's contract holds on, each giving empty databases to tests. */
import path from "node:path";

import { onTestFinished } from "vitest";

import { type Catalog, closeCatalog, openCatalog } from "../../../src/catalog/catalog.js";
import type { DatabaseTarget } from "../../../src/catalog/database.js";
import type { Sealing } from "../../../src/catalog/sealing.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { type PostgresServer, startPostgres } from "../../support/postgres.js";
import { SEALING } from "../../support/sealing.js";
import { tempDir } from "../../support/temp-dir.js";

export interface TestedDialect {
  readonly name: string;
  /** For `beforeAll` and `afterAll`. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** A new, empty database that goes when the test ends. */
  freshTarget(): Promise<DatabaseTarget>;
}

const sqlite: TestedDialect = {
  name: "SQLite",
  start: () => Promise.resolve(),
  stop: () => Promise.resolve(),
  // Who waits for another connection waits for a second and a half; a busy disk may take that long for some commits.
  freshTarget: async () => ({ kind: "sqlite", file: path.join(await tempDir({ inMemory: true }), "catalog.sqlite") }),
};

function postgres(): TestedDialect {
  let server: PostgresServer | undefined;
  return {
    name: "PostgreSQL",
    start: async () => {
      server = await startPostgres();
    },
    stop: async () => {
      await server?.stop();
    },
    freshTarget: async () => {
      if (server === undefined) throw new Error("PostgreSQL was not started");
      const running = server;
      const url = await running.createDatabase();
      onTestFinished(() => running.dropDatabase(url));
      return { kind: "postgres", url };
    },
  };
}

export const DIALECTS: readonly TestedDialect[] = [sqlite, postgres()];

export interface TestCatalog extends Catalog {
  readonly clock: FakeClock;
}

export interface OpenOptions {
  readonly clock?: FakeClock;
  readonly nodeId?: string;
  readonly sealing?: Sealing;
}

/** As another process would open it: own connections. Closed when the test ends. */
export async function openOn(target: DatabaseTarget, options: OpenOptions = {}): Promise<TestCatalog> {
  const clock = options.clock ?? createFakeClock();
  const catalog = await openCatalog({
    ...{ target, clock, nodeId: options.nodeId ?? "node-1", sealing: options.sealing ?? SEALING },
  });
  onTestFinished(() => closeCatalog(catalog));
  return { ...catalog, clock };
}

export async function openFresh(dialect: TestedDialect): Promise<TestCatalog> {
  return openOn(await dialect.freshTarget());
}

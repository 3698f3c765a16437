/** The catalog's contract: one suite, on SQLite and on a real PostgreSQL. */
import { afterAll, beforeAll, describe } from "vitest";

import { DIALECTS } from "./catalog/dialects.js";
import { describeFoundFiles } from "./catalog/found-files.js";
import { describeMigrations } from "./catalog/migrations.js";

describe.each(DIALECTS.map((dialect) => [dialect.name, dialect] as const))("the catalog on %s", (_name, dialect) => {
  beforeAll(() => dialect.start());
  afterAll(() => dialect.stop());
  describeMigrations(dialect);
  describeFoundFiles(dialect);
});

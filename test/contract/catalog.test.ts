/** The catalog's contract: one suite, on SQLite and on a real PostgreSQL. */
import { afterAll, beforeAll, describe } from "vitest";

import { DIALECTS } from "./catalog/dialects.js";
import { describeFoundFiles } from "./catalog/found-files.js";
import { describeGaps } from "./catalog/gaps.js";
import { describeLists } from "./catalog/lists.js";
import { describeMigrations } from "./catalog/migrations.js";
import { describePlayable } from "./catalog/playable.js";
import { describeQueue } from "./catalog/queue.js";
import { describeSealing } from "./catalog/sealing.js";
import { describeSmallTables } from "./catalog/small-tables.js";

describe.each(DIALECTS.map((dialect) => [dialect.name, dialect] as const))("the catalog on %s", (_name, dialect) => {
  beforeAll(() => dialect.start());
  afterAll(() => dialect.stop());
  describeMigrations(dialect);
  describeFoundFiles(dialect);
  describeGaps(dialect);
  describeQueue(dialect);
  describeLists(dialect);
  describePlayable(dialect);
  describeSmallTables(dialect);
  describeSealing(dialect);
});

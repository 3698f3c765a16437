/** What a transaction writes beside its recordings: gathered while it runs, and written at its end for all of them. */
import type { Knex } from "knex";

import { type IndexedRecording, storeFragmentIndexes } from "./fragment-indexes.js";
import { refreshGaps } from "./gaps.js";
import type { Place } from "./stretches.js";
import { queueThumbnails, type QueuedRecording } from "./thumbnail-queue.js";

export class SharedRows {
  readonly fragmentIndexes: IndexedRecording[] = [];
  /** Recordings that wait for their periodic pictures from now on. */
  readonly thumbnailsDue: QueuedRecording[] = [];
  /** Where recordings stood before, and where they stand now: gaps change there. */
  readonly moved: Place[] = [];

  async write(trx: Knex): Promise<void> {
    await storeFragmentIndexes(trx, this.fragmentIndexes);
    await queueThumbnails(trx, this.thumbnailsDue);
    await refreshGaps(trx, this.moved);
  }
}

/** The audit trail of everything that was removed: written before the effect, never changed after. */
import type { Knex } from "knex";
import { v7 as uuidv7 } from "uuid";

import type { RecordingId } from "../core/recording.js";
import type { Clock } from "../platform/clock.js";

export interface Removal {
  readonly recordingId: RecordingId;
  readonly what: "local" | "object";
  /** File path below the record directory, or object key. */
  readonly name: string;
  readonly fileIdentity: string | null;
  readonly bytes: number;
  readonly sha256: string | null;
  /** `retention` or who asked for it. */
  readonly reason: string;
  /** What the store answered that made the removal right, as JSON; null when a person asked for it. */
  readonly proof: string | null;
}

export async function insertRemoval(trx: Knex, clock: Clock, removal: Removal): Promise<void> {
  await trx("removals").insert({
    id: uuidv7(),
    at_us: clock.nowUs(),
    recording_id: removal.recordingId,
    what: removal.what,
    name: removal.name,
    file_identity: removal.fileIdentity,
    bytes: removal.bytes,
    sha256: removal.sha256,
    reason: removal.reason,
    proof: removal.proof,
  });
}

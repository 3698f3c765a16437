/** When all work is done, for more rows than the API lists at once. */
import type { App } from "../../support/app.js";
import { readRows, type RecordingRow } from "../../support/audit/rows.js";
import { waitFor } from "../../support/wait-for.js";

const WITHIN_MS = 300_000;

/** Resolves when every row is where it should be, such as `released verified`, and nothing but a release is due. */
export async function allAtRest(app: App, placeOf: (row: RecordingRow) => string): Promise<void> {
  await waitFor(
    "all work to be done",
    async () => {
      const { recordings } = await readRows(app.databaseFile);
      const busy = recordings.filter((row) => `${row.local} ${row.archive}` !== placeOf(row) || isDue(row));
      if (busy.length === 0) return true;
      throw new Error(`${busy.length} of ${recordings.length} rows are at work, such as ${JSON.stringify(busy[0])}`);
    },
    { timeoutMs: WITHIN_MS, intervalMs: 2_000 },
  );
}

function isDue({ step }: RecordingRow): boolean {
  return step !== null && step !== "release";
}

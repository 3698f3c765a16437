/** Wires the guard of all removals to disk, database and store; shared by the server and the commands. */
import { createStoreMarker } from "../archive/store-marker.js";
import type { ObjectStore } from "../archive/object-store.js";
import type { Catalog } from "../catalog/catalog.js";
import { describeError } from "../core/errors.js";
import { DeletionGuard } from "../retention/deletion-guard.js";
import { createVolumeMarks } from "../retention/volume-marks.js";
import type { Setup } from "./setup.js";

export interface GuardParts {
  readonly catalog: Catalog;
  readonly store: ObjectStore;
  readonly onReleased?: () => void;
}

export function createGuard(setup: Setup, { catalog, store, onReleased }: GuardParts): DeletionGuard {
  const { config, logger, recordDir } = setup;
  const marker = createStoreMarker(store, config.storage.prefix, config.dataDir);
  return new DeletionGuard({
    catalog,
    logger,
    recordDir,
    marks: createVolumeMarks(recordDir, config.dataDir),
    store: {
      description: store.description,
      readMarker: (signal) => marker.read(signal),
      placeMarker: (id, signal) => marker.place(id, signal),
    },
    onReleased: () => onReleased?.(),
  });
}

/** Why nothing may be concluded from what is not there; null: nothing speaks against it. */
export async function doubtAbout(
  guard: Pick<DeletionGuard, "assertIsKnown">,
  what: "files" | "objects",
): Promise<string | null> {
  try {
    await guard.assertIsKnown(what === "files" ? "volume" : "store");
    return null;
  } catch (error) {
    return describeError(error);
  }
}

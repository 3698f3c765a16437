/** Wires the scrub to store, guard and metrics. */
import type { ObjectStore } from "../archive/object-store.js";
import type { Catalog } from "../catalog/catalog.js";
import type { DeletionGuard } from "../retention/deletion-guard.js";
import { Scrub, type ScrubDeps } from "../verify/scrub.js";
import { doubtAbout } from "./create-guard.js";
import { createObjectReader } from "./create-verify.js";
import type { Setup } from "./setup.js";

interface ScrubParts extends Pick<ScrubDeps, "wake" | "onRead"> {
  readonly catalog: Catalog;
  readonly store: ObjectStore;
  readonly guard: Pick<DeletionGuard, "assertIsKnown">;
}

/** Null where it is switched off. */
export function createScrub({ clock, config, logger }: Setup, parts: ScrubParts): Scrub | null {
  if (config.scrubDays === 0) return null;
  const { catalog, store, guard, wake, onRead } = parts;
  return new Scrub({
    ...{ catalog, logger, wake, onRead },
    ...createObjectReader({ clock }, { store }),
    prefix: config.storage.prefix,
    days: config.scrubDays,
    doubtAbout: (what) => doubtAbout(guard, what),
  });
}

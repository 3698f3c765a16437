/**
 * A named place where the tests let the process die, fail or wait. Here it does nothing, and nothing in this program can
 * make it do more: the tests run a copy of dist/ in which this one file is another one
 * (test/support/pipeline/armed-fault-point.mjs). A point inside a transaction says so in its name (`in-`): nothing else
 * can reach the database there.
 */
import type { Step } from "../core/recording.js";

export type FaultPoint =
  | `${Step}.${"before-step" | "before-commit" | "after-commit"}`
  | "worker.before-postpone"
  | `queue.in-${"claim" | "commit" | "progress"}`
  | `ingest.${"before-look" | "after-look" | "before-record" | "in-record" | "after-record" | "after-hasten"}`
  | `hook.${"before-absent-row" | "after-absent-row"}`
  | `scan.${"after-directory" | "before-missing" | "before-mark" | "after-mark" | "after-forget"}`
  | `inspect.${"before-read" | "after-read"}`
  | `archive.${"before-key" | "after-key" | "before-put" | "after-put" | "after-head" | "after-read-back"}`
  | `release.${"before-head" | "after-head" | "before-removal-row" | "after-removal-row"}`
  | `trash.${"before-rename" | "after-rename" | "before-unlink" | "after-unlink" | "before-restore" | "after-restore"}`
  | `delete.${"before-object-row" | "before-object" | "after-object" | "before-local-row" | "after-local-row"}`
  | `delete.${"before-unlink" | "after-unlink"}`
  | `folder.${"before-bytes" | "after-bytes" | "after-facts" | "after-link"}`
  | `folder.${"before-unlink" | "after-unlink" | "after-facts-removed"}`
  | `s3.${"before-put" | "after-put" | "before-delete" | "after-delete"}`
  | `multipart.${"before-begin" | "after-begin" | "after-id" | "before-part" | "after-part"}`
  | `multipart.${"before-complete" | "after-complete"}`
  | `rebuild.${"before-row" | "after-row"}`
  | `migrate.${"before" | "in-begun" | "in-done" | "after"}`
  | `edit.${"in-rows" | "in-version" | "after-commit" | "before-apply"}`
  | `adopt.${"after-rows" | "after-base"}`
  | `config.${"before-previous" | "before-write" | "after-write"}`
  | `seal.${"in-rows" | "before-erase" | "after-erase"}`
  | `rotate.${"before-keys" | "after-keys" | "in-rows" | "after-rows" | "after-retired" | "after-drop"}`
  | `files.${"before-rename" | "after-rename"}`;

export const faultPoint: (name: FaultPoint) => Promise<void> | undefined = () => undefined;

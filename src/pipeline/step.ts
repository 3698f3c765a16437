/** The contract between the worker and the features: one step of one recording. */
import type { Outcome } from "../catalog/recording-queue.js";
import type { Recording } from "../core/recording.js";

/**
 * Runs one step and says what it found out. May run twice and may die anywhere, so what it does must be repeatable.
 * Undefined: the row was brought up to date by other means, there is nothing to commit. Throws AppError: the row comes
 * back later.
 */
export type StepHandler = (recording: Recording, signal: AbortSignal) => Promise<Outcome | undefined>;

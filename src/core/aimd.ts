/**
 * How many uploads at once: additive increase, multiplicative decrease, as TCP does. A store that answers 429 or 5xx
 * is overloaded as a whole, so all uploads slow down together.
 */
export interface AimdState {
  /** At least 1; fractional between steps. */
  readonly limit: number;
  readonly decreasedAtMs: number;
}

export interface AimdBounds {
  readonly start: number;
  readonly max: number;
}

/** A burst of failures of requests that were in flight together counts once. */
const DECREASE_AT_MOST_EVERY_MS = 1_000;

export function initialAimd(bounds: AimdBounds): AimdState {
  return { limit: Math.min(bounds.start, bounds.max), decreasedAtMs: Number.NEGATIVE_INFINITY };
}

/** One more upload at once per round of successes. */
export function afterSuccess(state: AimdState, bounds: AimdBounds): AimdState {
  return { ...state, limit: Math.min(bounds.max, state.limit + 1 / Math.floor(state.limit)) };
}

export function afterOverload(state: AimdState, nowMs: number): AimdState {
  if (nowMs - state.decreasedAtMs < DECREASE_AT_MOST_EVERY_MS) return state;
  return { limit: Math.max(1, state.limit / 2), decreasedAtMs: nowMs };
}

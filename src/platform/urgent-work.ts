/**
 * What cannot wait. Whoever has time looks here, and steps back while some of it is kept waiting: viewers, who fill the
 * event loop. What fills the database instead, the worker and the pictures, looks at the group commit (`isPressed`).
 */
import type { Clock } from "./clock.js";

/** A hook alone takes some 4 ms on a fast disk. */
const KEPT_WAITING_AFTER_MS = 5;

interface Piece {
  readonly sinceMs: number;
}

export class UrgentWork {
  readonly #clock: Pick<Clock, "monotonicMs">;
  /** Oldest first. */
  readonly #pieces = new Set<Piece>();

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** Returns what says that it is done; said twice it changes nothing. */
  begin(): () => void {
    const piece = { sinceMs: this.#clock.monotonicMs() };
    this.#pieces.add(piece);
    return () => void this.#pieces.delete(piece);
  }

  get isKeptWaiting(): boolean {
    const [oldest] = this.#pieces;
    return oldest !== undefined && this.#clock.monotonicMs() - oldest.sinceMs > KEPT_WAITING_AFTER_MS;
  }
}

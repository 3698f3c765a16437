/** Two-stage stop: the first SIGINT or SIGTERM asks, the second one forces. */
export interface StopSignals {
  /** Aborted by the first signal. */
  readonly asked: AbortSignal;
  /** Aborted by the second signal. */
  readonly forced: AbortSignal;
}

export function listenForStop(): StopSignals {
  const asked = new AbortController();
  const forced = new AbortController();
  const onSignal = (): void => {
    if (asked.signal.aborted) forced.abort();
    else asked.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return { asked: asked.signal, forced: forced.signal };
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

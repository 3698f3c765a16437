/** `serve`: everything, until a signal comes. */
import { createApp } from "../app.js";
import { aborted, listenForStop } from "../platform/signals.js";
import { setUp } from "../wiring/setup.js";
import { FORCED } from "./forced.js";

/** Returns the exit code; throws when it cannot start. A second signal ends the wait for an orderly stop. */
export async function serve({ demo }: { readonly demo: boolean }): Promise<number> {
  const stop = listenForStop();
  const setup = await setUp();
  const app = createApp(setup, { demo });
  try {
    const { nextSteps } = await app.start(stop.asked);
    for (const line of nextSteps) process.stdout.write(`${line}\n`);
    await aborted(stop.asked);
  } catch (error) {
    if (!stop.asked.aborted) throw error;
  } finally {
    await Promise.race([app.stop(), aborted(stop.forced)]);
  }
  return stop.forced.aborted ? FORCED : 0;
}

/** `serve`: everything, until a signal comes. */
import { createApp } from "../app.js";
import { aborted, listenForStop } from "../platform/signals.js";
import { setUp } from "../wiring/setup.js";

export async function serve({ demo }: { readonly demo: boolean }): Promise<number> {
  const stop = listenForStop();
  const setup = await setUp();
  const app = createApp(setup, { demo });
  try {
    const started = await Promise.race([app.start(stop.asked), aborted(stop.asked)]);
    if (started !== undefined) for (const line of started.nextSteps) process.stdout.write(`${line}\n`);
    await aborted(stop.asked);
  } finally {
    await Promise.race([app.stop(), aborted(stop.forced)]);
    stop.dispose();
  }
  return 0;
}

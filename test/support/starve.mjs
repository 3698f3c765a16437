/**
 * Preloaded into Reelkeeper by NODE_OPTIONS=--import: at SIGUSR2 it does what STARVE says. `block:MS` keeps the event
 * loop busy for so long; `memory` takes memory until V8 ends the process.
 */
const [what, amount] = (process.env.STARVE ?? "").split(":");

process.on("SIGUSR2", () => {
  if (what === "block") {
    const endMs = performance.now() + Number(amount);
    while (performance.now() < endMs);
    return;
  }
  const held = [];
  for (;;) held.push(new Array(100_000).fill(held.length));
});

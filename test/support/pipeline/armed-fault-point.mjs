/**
 * Stands in for dist/platform/fault-point.js in the copy of the program that is swept: lets the process die, fail, stop
 * or repeat itself at one point, once. The scene hears of every point that is reached.
 */

const REPEAT_WITHIN_MS = 300;

const reached = new Set();
let fault;
let scene;
/** Ends the wait of who came first to the point that is repeated. */
let meet;

/** From now on; undefined for no fault. */
export function arm(next) {
  fault = next;
  meet = undefined;
  reached.clear();
}

export function reachedPoints() {
  return [...reached];
}

/** `onPoint(name)` after each point; `voidLeases()` as a new start does; `holdDatabase()` until what it gives is called. */
export function listen(listener) {
  scene = listener;
}

export const faultPoint = (name) => {
  reached.add(name);
  if (fault?.point === name) return strike(name);
  return scene?.onPoint(name);
};

async function strike(name) {
  const { mode } = fault;
  if (mode !== "repeat") fault = undefined;
  if (mode === "kill") process.kill(process.pid, "SIGKILL");
  if (mode === "error") throw new Error(`fault at ${name}`);
  if (mode === "pause") await pause(name);
  if (mode === "repeat") await repeat(name);
  await scene?.onPoint(name);
}

/** Another can take over only from who holds nothing of the database: other steps may be at work in it just now. */
async function pause(name) {
  const release = name.includes(".in-") ? undefined : await scene?.holdDatabase();
  process.kill(process.pid, "SIGSTOP");
  await release?.();
}

/** Who comes first loses the lease and waits until the second is there too; then both go on. */
async function repeat(name) {
  if (meet !== undefined) {
    fault = undefined;
    meet();
    return;
  }
  const met = new Promise((resolve) => (meet = resolve));
  // Inside a transaction nothing else reaches the database.
  if (name.includes(".in-")) void scene?.voidLeases();
  else await scene?.voidLeases();
  await Promise.race([met, new Promise((resolve) => setTimeout(resolve, REPEAT_WITHIN_MS))]);
}

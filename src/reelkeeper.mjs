#!/usr/bin/env node
/** The command: checks Node, prepares a checkout, runs dist/main.js in this process so that signals reach it directly. */
import path from "node:path";
import { fileURLToPath } from "node:url";
import v8 from "node:v8";

const OLDEST_NODE = [20, 19];

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  process.stderr.write(
    `reelkeeper: Node ${process.versions.node} is too old, expected ${OLDEST_NODE.join(".")} or newer\n`,
  );
  process.exitCode = 1;
} else {
  // Space for young objects stays at its first size: an idle process is 26 MiB smaller, a busy one collects more often.
  v8.setFlagsFromString("--semi-space-growth-factor=1");
  // Old objects are looked through when there is two and a half times as much as was in use, not four times.
  v8.setFlagsFromString("--heap-growing-percent=150");
  endWithNpm();
  process.exitCode = await start(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
}

/**
 * npm passes SIGTERM on to its shell, which dies and leaves us behind. A new parent is how we learn of it; it counts as
 * the signal itself.
 */
function endWithNpm() {
  if (process.env.npm_lifecycle_event === undefined || process.platform === "win32") return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    process.kill(process.pid, "SIGTERM");
  }, 250);
  timer.unref();
}

async function start(projectDir) {
  const { prepare, say } = await import("./prepare.mjs");
  try {
    prepare(projectDir);
  } catch (error) {
    say(error.message);
    return 1;
  }
  const { main } = await import(new URL("../dist/main.js", import.meta.url).href);
  return main(process.argv.slice(2));
}

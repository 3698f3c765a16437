#!/usr/bin/env node
/** The command: checks Node, prepares a checkout, runs dist/main.js in this process so that signals reach it directly. */
import path from "node:path";
import { fileURLToPath } from "node:url";

const OLDEST_NODE = [20, 19];

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1])) {
  process.stderr.write(
    `reelkeeper: Node ${process.versions.node} is too old, expected ${OLDEST_NODE.join(".")} or newer\n`,
  );
  process.exitCode = 1;
} else {
  process.exitCode = await start(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
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

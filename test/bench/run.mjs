/**
 * `npm run bench`: measures on the machine that it runs on, each figure against a goal or a peer of the same run, prints
 * the table and keeps it as JSON. `npm run bench -- lists archive` measures some parts; `--quick` is small and proves
 * only that everything works.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { build, installPackages, say } from "../../src/prepare.mjs";
import { installPrograms } from "../support/test-machine.mjs";

const ROOT = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const OUTPUT = path.join(ROOT, "test-output");
const PARTS = path.join(OUTPUT, "bench");

const args = process.argv.slice(2);
const isQuick = args.includes("--quick");
const wanted = args.filter((arg) => !arg.startsWith("--"));

installPrograms();
installPackages(ROOT);
build(ROOT);
rmSync(PARTS, { recursive: true, force: true });
mkdirSync(PARTS, { recursive: true });
const { status } = spawnSync(
  process.execPath,
  [
    path.join(ROOT, "node_modules", "vitest", "vitest.mjs"),
    ...["run", "--config", path.join(ROOT, "test", "bench", "vitest.config.ts")],
    ...wanted.map((part) => `test/bench/${part}`),
  ],
  { cwd: ROOT, stdio: "inherit", env: { ...process.env, ...(isQuick && { BENCH_QUICK: "1" }) } },
);
const lines = readdirSync(PARTS)
  .sort()
  .flatMap((file) => JSON.parse(readFileSync(path.join(PARTS, file), "utf8")));
const machine = {
  date: new Date().toISOString().slice(0, 10),
  cpu: `${String(os.cpus().length)} × ${os.cpus()[0]?.model.trim() ?? "unknown"}`,
  memoryGiB: Math.round(os.totalmem() / 2 ** 30),
  node: process.version,
};
writeFileSync(path.join(OUTPUT, "bench.json"), `${JSON.stringify({ machine, isQuick, lines }, null, 2)}\n`);
const table = tableOf(lines);
writeFileSync(path.join(OUTPUT, "bench.md"), table);
console.log(`\n${machine.date}, ${machine.cpu}, ${String(machine.memoryGiB)} GiB, Node ${machine.node}\n\n${table}`);
say(`kept as ${path.join("test-output", "bench.json")}`);
process.exitCode = status ?? 1;

function tableOf(rows) {
  const head = ["what", "measured", "against", "ratio", "goal"];
  const body = rows.map(({ what, value, unit, against, ratio, goal, isReached }) => [
    what,
    `${rounded(value)} ${unit}`,
    against === undefined ? "" : `${against.name}: ${rounded(against.value)} ${unit}`,
    ratio === null ? "" : rounded(ratio),
    goal === undefined ? "" : `${wordsOf(goal)}: ${isReached ? "reached" : "**missed**"}`,
  ]);
  return [head, head.map(() => "---"), ...body].map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

function wordsOf(goal) {
  return "atMost" in goal ? `≤ ${String(goal.atMost)}` : `≥ ${String(goal.atLeast)}`;
}

function rounded(value) {
  return String(Number(value.toPrecision(3)));
}

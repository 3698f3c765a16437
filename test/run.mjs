/**
 * `npm test`: sets up what the tests need, runs them all, says once more what failed and ends with the line `N passed, N
 * failed`. In CI (or with --check) `npm run check` comes first; in CI the unit tests run under Node 24 too, and a skipped test
 * counts as failed. A test of real parts that failed and then passed (ONCE_MORE in support/patience.ts) is told as
 * unsteady; several of them in one run count as failed.
 * Other arguments go to Vitest.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { build, installPackages, say } from "../src/prepare.mjs";
import { installPrograms, node24 } from "./support/test-machine.mjs";

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const IN_CI = /^(1|true)$/i.test(process.env.CI ?? "");
const MOST_OF_A_MESSAGE = 3_000;
const MOST_UNSTEADY = 3;
const NOTHING = { passed: 0, failed: 0, tellings: [] };
const ONE_FAILED = { passed: 0, failed: 1, tellings: [] };

const args = process.argv.slice(2);
const counts = await runAll({
  check: IN_CI || args.includes("--check"),
  vitestArgs: args.filter((arg) => arg !== "--check"),
});
process.exitCode = counts.failed === 0 && counts.passed > 0 ? 0 : 1;
// Once more at the end: the runner tells of a failure in between, where a long log hides it.
for (const telling of counts.tellings) console.log(telling);
console.log(`${counts.passed} passed, ${counts.failed} failed`);

async function runAll({ check, vitestArgs }) {
  try {
    installPrograms();
    installPackages(ROOT);
    if (check && (await run("npm", ["run", "check"])) !== 0) return ONE_FAILED;
    build(ROOT);
  } catch (error) {
    say(error.message);
    return ONE_FAILED;
  }
  const main = await runVitest(process.execPath, "report.json", vitestArgs);
  const unit = IN_CI ? await runUnitTestsUnderNode24() : NOTHING;
  return {
    passed: main.passed + unit.passed,
    failed: main.failed + unit.failed,
    tellings: [...main.tellings, ...unit.tellings],
  };
}

async function runUnitTestsUnderNode24() {
  const node = node24();
  if (node === process.execPath) return NOTHING;
  if (node === undefined) {
    say("Node 24 could not be installed");
    return ONE_FAILED;
  }
  say("the unit tests again, under Node 24");
  return runVitest(node, "report-node-24.json", ["--project", "unit"]);
}

async function runVitest(node, reportName, vitestArgs) {
  const report = path.join(ROOT, "test-output", reportName);
  mkdirSync(path.dirname(report), { recursive: true });
  rmSync(report, { force: true });
  const exitCode = await run(node, [
    path.join(ROOT, "node_modules", "vitest", "vitest.mjs"),
    ...["run", "--config", path.join(ROOT, "test", "vitest.config.ts")],
    ...["--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
    ...vitestArgs,
  ]);
  const counted = existsSync(report) ? count(JSON.parse(readFileSync(report, "utf8"))) : NOTHING;
  // Errors outside of any test are in no count, and neither is a run that found no test.
  return exitCode !== 0 && counted.failed === 0 ? { ...counted, failed: 1 } : counted;
}

function count(report) {
  const unloaded = report.testResults.filter(
    (suite) => suite.status === "failed" && suite.assertionResults.every((test) => test.status !== "failed"),
  );
  const skipped = IN_CI ? report.numPendingTests + report.numTodoTests : 0;
  const unsteady = report.testResults.flatMap((suite) => describeTests(suite, isUnsteady, "UNSTEADY"));
  const tooUnsteady = unsteady.length > MOST_UNSTEADY ? unsteady.length : 0;
  return {
    passed: report.numPassedTests - tooUnsteady,
    failed: report.numFailedTests + unloaded.length + skipped + tooUnsteady,
    tellings: [
      ...unsteady,
      ...unloaded.map(({ name, message }) => `FAILED ${path.relative(ROOT, name)}\n${message}`),
      ...report.testResults.flatMap((suite) => describeTests(suite, ({ status }) => status === "failed", "FAILED")),
    ],
  };
}

/** Passed, and says how it failed before. */
function isUnsteady({ status, failureMessages }) {
  return status === "passed" && failureMessages.length > 0;
}

function describeTests({ name, assertionResults }, which, word) {
  return assertionResults
    .filter(which)
    .map(
      ({ fullName, failureMessages }) =>
        `${word} ${path.relative(ROOT, name)} > ${fullName}\n${failureMessages.join("\n").slice(0, MOST_OF_A_MESSAGE)}`,
    );
}

/** The exit code; a signal counts as failure. */
function run(command, commandArgs) {
  const shell = process.platform === "win32" && command === "npm";
  const child = spawn(command, commandArgs, { cwd: ROOT, stdio: "inherit", shell });
  return new Promise((resolve) => {
    child.once("error", () => resolve(1));
    child.once("exit", (code) => resolve(code ?? 1));
  });
}

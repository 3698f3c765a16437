/** `node test/run.mjs` in projects of its own: the closing line and the exit code say what happened. */
import { cp, mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";

import { beforeEach, expect, it, onTestFinished } from "vitest";

import { startChild } from "../../support/child.js";
import { tempDir } from "../../support/temp-dir.js";

const ROOT = new URL("../../..", import.meta.url).pathname;
const PASSING = `it("passes", () => {});\n`;
const CONFIG = `export default { test: { projects: [
  { test: { name: "unit", globals: true, include: ["test/unit/*.test.js"] } },
  { test: { name: "other", globals: true, include: ["test/other/*.test.js"] } },
] } };\n`;

let project: string;

beforeEach(async () => {
  project = await tempDir();
  for (const file of ["src/prepare.mjs", "test/run.mjs", "test/support/test-machine.mjs"]) {
    await cp(path.join(ROOT, file), path.join(project, file));
  }
  for (const folder of ["src/web", "dist/web"]) await mkdir(path.join(project, folder), { recursive: true });
  for (const file of ["dist/main.js", "dist/.built", "dist/web/index.html", "dist/.built-page"])
    await writeFile(path.join(project, file), "");
  await symlink(path.join(ROOT, "node_modules"), path.join(project, "node_modules"));
  await writeFile(path.join(project, "test/vitest.config.ts"), CONFIG);
  await addScript("exit 0");
  await addTest("unit/passing", PASSING);
});

async function addScript(check: string): Promise<void> {
  await writeFile(path.join(project, "package.json"), JSON.stringify({ type: "module", scripts: { check } }));
}

async function addTest(name: string, content: string): Promise<void> {
  const file = path.join(project, "test", `${name}.test.js`);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
}

async function runTests(args: string[] = [], env: NodeJS.ProcessEnv = {}) {
  const inherited = { ...process.env };
  delete inherited["CI"];
  const child = await startChild(process.execPath, ["test/run.mjs", ...args], {
    cwd: project,
    env: { ...inherited, ...env },
  });
  onTestFinished(() => void child.stop("SIGKILL"));
  const exitCode = await child.exited;
  return { exitCode, lastLine: child.output().trimEnd().split("\n").at(-1), output: child.output() };
}

it("counts the tests of all projects, and succeeds", async () => {
  await addTest("other/passing", PASSING);
  expect(await runTests()).toMatchObject({ exitCode: 0, lastLine: "2 passed, 0 failed" });
});

it("counts a failing test and a suite that does not load as failed", async () => {
  await addTest("unit/failing", `it("fails", () => { throw new Error("no"); });\n`);
  await addTest("other/unloadable", `import "./nothing-there.js";\n`);
  expect(await runTests()).toMatchObject({ exitCode: 1, lastLine: "1 passed, 2 failed" });
});

it("counts an error outside of any test as failed", async () => {
  await addTest(
    "other/loose",
    `it("passes", () => { setTimeout(() => { throw new Error("late"); }, 0); return new Promise((r) => setTimeout(r, 50)); });\n`,
  );
  expect(await runTests()).toMatchObject({ exitCode: 1, lastLine: "2 passed, 1 failed" });
});

it("fails when nothing ran", async () => {
  expect(await runTests(["no/such/test"])).toMatchObject({ exitCode: 1, lastLine: "0 passed, 1 failed" });
});

it("passes arguments on to Vitest", async () => {
  await addTest("other/passing", PASSING);
  expect(await runTests(["--project", "other"])).toMatchObject({ exitCode: 0, lastLine: "1 passed, 0 failed" });
});

it("runs the checks first with --check, and nothing after them when they fail", async () => {
  await addScript("exit 4");
  const { exitCode, lastLine, output } = await runTests(["--check"]);
  expect({ exitCode, lastLine }).toEqual({ exitCode: 1, lastLine: "0 passed, 1 failed" });
  expect(output).not.toContain("RUN");
});

it("takes a skipped test for failed in CI, and runs the unit tests under Node 24 too", async () => {
  await addTest("other/skipped", `it.skip("is skipped", () => {});\n`);
  await addTest(
    "unit/version",
    `it("runs", () => { console.log("on Node " + process.versions.node.split(".")[0]); });\n`,
  );
  expect(await runTests()).toMatchObject({ exitCode: 0, lastLine: "2 passed, 0 failed" });
  const { exitCode, lastLine, output } = await runTests([], { CI: "true" });
  const runsOn24 = Number(process.versions.node.split(".")[0]) >= 24;
  expect({ exitCode, lastLine }).toEqual({
    exitCode: 1,
    lastLine: runsOn24 ? "2 passed, 1 failed" : "4 passed, 1 failed",
  });
  expect(output).toContain("on Node 24");
});

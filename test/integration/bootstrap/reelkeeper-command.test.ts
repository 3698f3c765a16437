/** `node src/reelkeeper.mjs` in projects of its own, with an npm and a compiler that write down what they are asked. */
import { cp, mkdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import path from "node:path";

import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { type Child, startChild } from "../../support/child.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait-for.js";

const ROOT = new URL("../../..", import.meta.url).pathname;
const MAIN = "export const main = async (argv) => { console.log('main', JSON.stringify(argv)); return 3; };\n";

let project: string;

beforeEach(async () => {
  project = await tempDir();
  await mkdir(path.join(project, "src"));
  for (const file of ["reelkeeper.mjs", "prepare.mjs"]) {
    await cp(path.join(ROOT, "src", file), path.join(project, "src", file));
  }
  await writeFile(path.join(project, "package.json"), '{"type":"module"}\n');
});

async function addDist(main = MAIN): Promise<void> {
  await mkdir(path.join(project, "dist"), { recursive: true });
  await writeFile(path.join(project, "dist", "main.js"), main);
}

/** A checkout: TypeScript, a lock file, and a fake npm on PATH that installs a fake compiler. */
async function addCheckout(options: { readonly npmCi?: string } = {}): Promise<void> {
  await writeFile(path.join(project, "src", "main.ts"), "");
  await mkdir(path.join(project, "src", "web"));
  await writeFile(path.join(project, "src", "web", "main.tsx"), "");
  await writeFile(path.join(project, "tsconfig.json"), "{}");
  await writeFile(path.join(project, "package-lock.json"), "{}");
  await mkdir(path.join(project, "bin"));
  const tsc = [
    `const fs = require("node:fs");`,
    `fs.appendFileSync("calls.log", "tsc " + process.argv.slice(2).join(" ") + "\\n");`,
    `fs.mkdirSync("dist", { recursive: true });`,
    `fs.writeFileSync("dist/main.js", ${JSON.stringify(MAIN)});`,
  ].join("\n");
  await writeFile(path.join(project, "tsc.cjs"), tsc);
  const vite = [
    `const fs = require("node:fs");`,
    `fs.appendFileSync("calls.log", "vite " + process.argv[2] + "\\n");`,
    `fs.mkdirSync("dist/web", { recursive: true });`,
    `fs.writeFileSync("dist/web/index.html", "");`,
  ].join("\n");
  await writeFile(path.join(project, "vite.cjs"), vite);
  const npm = `#!/bin/sh
echo "npm $*" >> calls.log
if [ "$1" = ci ]; then ${options.npmCi ?? "true"}; fi
mkdir -p node_modules/typescript/bin
cp tsc.cjs node_modules/typescript/bin/tsc
echo '{"type":"commonjs"}' > node_modules/typescript/package.json
mkdir -p node_modules/vite/bin
cp vite.cjs node_modules/vite/bin/vite.js
echo '{"type":"commonjs"}' > node_modules/vite/package.json
touch node_modules/.package-lock.json
`;
  await writeFile(path.join(project, "bin", "npm"), npm, { mode: 0o755 });
}

async function run(...args: string[]): Promise<Child> {
  const env = { ...process.env, PATH: `${project}/bin:${process.env["PATH"] ?? ""}` };
  const child = await startChild(process.execPath, [...args, "src/reelkeeper.mjs", "serve", "--demo"], {
    cwd: project,
    env,
  });
  onTestFinished(() => void child.stop("SIGKILL"));
  return child;
}

/** What npm and the compiler were asked since the last call. */
async function calls(): Promise<string[]> {
  const log = path.join(project, "calls.log");
  const text = await readFile(log, "utf8").catch(() => "");
  await rm(log, { force: true });
  return text
    .trim()
    .split("\n")
    .filter((line) => line !== "");
}

async function touchLater(file: string): Promise<void> {
  const later = new Date(Date.now() + 60_000);
  await utimes(path.join(project, file), later, later);
}

describe("a shipped image, which holds dist/ and no TypeScript", () => {
  it("simply runs: the arguments are passed on, the answer is the exit code", async () => {
    await addDist();
    const child = await run();
    expect(await child.exited).toBe(3);
    expect(child.output()).toBe('main ["serve","--demo"]\n');
  });

  it("gets signals in the very process that runs main", async () => {
    const main = [
      "export const main = () => new Promise((done) => {",
      "  const keepAlive = setInterval(() => {}, 1000);",
      "  process.once('SIGTERM', () => { clearInterval(keepAlive); done(0); });",
      "  console.log('pid', process.pid);",
      "});",
    ].join("\n");
    await addDist(main);
    const child = await run();
    await waitFor("main to run", () => child.output().includes(`pid ${child.pid}\n`));
    expect(await child.stop("SIGTERM")).toBe(0);
  });
});

describe("a checkout", () => {
  it("is installed and built on the first start, and neither on the second", async () => {
    await addCheckout();
    const first = await run();
    expect(await first.exited).toBe(3);
    expect(await calls()).toEqual(["npm ci --no-audit --no-fund", "tsc -p tsconfig.json", "vite build"]);
    expect(first.output()).toContain("reelkeeper: installing packages");
    expect(first.output()).toContain("reelkeeper: building dist/ from src/");
    expect(first.output()).toContain("reelkeeper: building the page in dist/web/ from src/web/");
    const second = await run();
    expect(await second.exited).toBe(3);
    expect(await calls()).toEqual([]);
    expect(second.output()).toBe('main ["serve","--demo"]\n');
  });

  it("is installed without a lock file as well", async () => {
    await addCheckout();
    await rm(path.join(project, "package-lock.json"));
    await (
      await run()
    ).exited;
    expect((await calls())[0]).toBe("npm install --no-audit --no-fund");
  });

  it.each([
    ["a source is newer", "src/main.ts", ["tsc -p tsconfig.json"]],
    ["the compiler's settings are newer", "tsconfig.json", ["tsc -p tsconfig.json"]],
    ["a file of the page is newer", "src/web/main.tsx", ["vite build"]],
    ["the lock file is newer", "package-lock.json", ["npm ci --no-audit --no-fund", "vite build"]],
  ])("does again only what is out of date when %s", async (_what, file, expected) => {
    await addCheckout();
    await (
      await run()
    ).exited;
    await calls();
    await touchLater(file);
    await (
      await run()
    ).exited;
    expect(await calls()).toEqual(expected);
  });

  it("forgets what the compiler remembers when dist/ was removed", async () => {
    await addCheckout();
    await (
      await run()
    ).exited;
    const memory = path.join(project, "node_modules/.cache/tsconfig.tsbuildinfo");
    await mkdir(path.dirname(memory));
    await writeFile(memory, "{}");
    await rm(path.join(project, "dist"), { recursive: true });
    expect(await (await run()).exited).toBe(3);
    await expect(readFile(memory)).rejects.toThrow("ENOENT");
  });

  it("is installed by npm install when npm ci refuses the lock file", async () => {
    await addCheckout({ npmCi: "echo 'npm error code EUSAGE' >&2; exit 1" });
    const child = await run();
    expect(await child.exited).toBe(3);
    expect((await calls()).slice(0, 2)).toEqual(["npm ci --no-audit --no-fund", "npm install --no-audit --no-fund"]);
    expect(child.output()).not.toContain("EUSAGE");
  });

  it("ends with one clear line below npm's own when the installation fails", async () => {
    await addCheckout({ npmCi: "echo 'npm error network' >&2; exit 7" });
    const child = await run();
    expect(await child.exited).toBe(1);
    expect(await calls()).toHaveLength(1);
    expect(child.output().trim().split("\n").slice(-2)).toEqual([
      "npm error network",
      "reelkeeper: npm ci failed with exit code 7, see above",
    ]);
  });
});

it("refuses an old Node in one line that names both versions", async () => {
  const old = `Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.18.3" } })`;
  await addDist();
  const child = await run("--import", `data:text/javascript,${encodeURIComponent(old)}`);
  expect(await child.exited).toBe(1);
  expect(child.output()).toBe("reelkeeper: Node 20.18.3 is too old, expected 20.19 or newer\n");
});

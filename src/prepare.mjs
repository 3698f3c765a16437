/**
 * What a checkout needs before it can run: packages, and dist/ with its page built from src/. Plain JavaScript without packages, because it
 * runs before there are any. A shipped image holds dist/ and no TypeScript: there is nothing to prepare.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";

const QUIET = ["--no-audit", "--no-fund"];

/** Installs and builds what is missing or out of date in `projectDir`; throws an Error with one clear line. */
export function prepare(projectDir) {
  if (!existsSync(path.join(projectDir, "src", "main.ts"))) return;
  installPackages(projectDir);
  build(projectDir);
}

export function installPackages(projectDir) {
  const lock = path.join(projectDir, "package-lock.json");
  const installed = path.join(projectDir, "node_modules", ".package-lock.json");
  if (mtimeMs(installed) > 0 && mtimeMs(installed) >= mtimeMs(lock)) return;
  say("installing packages, this takes a minute or two");
  if (!existsSync(lock) || !installLocked(projectDir)) run("npm", ["install", ...QUIET], projectDir);
  // npm leaves the file alone when nothing had to change.
  const now = new Date();
  if (existsSync(installed)) utimesSync(installed, now, now);
}

/**
 * False when npm refuses a lock file that lacks packages of other platforms: a registry that has not (yet) all of them
 * gives such a file. `npm install` takes the same versions from it.
 */
function installLocked(projectDir) {
  const { status, stderr } = spawnSync("npm", ["ci", ...QUIET], {
    cwd: projectDir,
    stdio: ["ignore", 2, "pipe"],
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    shell: process.platform === "win32",
  });
  if (status === 0) return true;
  if (stderr?.includes("EUSAGE")) return false;
  process.stderr.write(stderr ?? "");
  throw new Error(`npm ci failed with exit code ${String(status)}, see above`);
}

export function build(projectDir) {
  buildServer(projectDir);
  buildPage(projectDir);
}

function buildServer(projectDir) {
  const dist = path.join(projectDir, "dist");
  const newestMs = Math.max(
    newestSourceMs(path.join(projectDir, "src"), (name) => name.endsWith(".ts"), path.join(projectDir, "src", "web")),
    mtimeMs(path.join(projectDir, "tsconfig.json")),
  );
  const complete = existsSync(path.join(dist, "main.js"));
  if (complete && mtimeMs(path.join(dist, ".built")) > newestMs) return;
  say("building dist/ from src/");
  // The compiler's memory of what it wrote is wrong once dist/ was removed.
  if (!complete) rmSync(path.join(projectDir, "node_modules", ".cache", "tsconfig.tsbuildinfo"), { force: true });
  stamped(path.join(dist, ".built"), () => runNode("typescript/bin/tsc", ["-p", "tsconfig.json"], projectDir));
}

/** Types are no part of it: `npm run check` looks at them. */
function buildPage(projectDir) {
  const web = path.join(projectDir, "src", "web");
  const dist = path.join(projectDir, "dist", "web");
  const newestMs = Math.max(
    newestSourceMs(web, () => true),
    mtimeMs(path.join(projectDir, "package-lock.json")),
  );
  const stamp = path.join(projectDir, "dist", ".built-page");
  if (existsSync(path.join(dist, "index.html")) && mtimeMs(stamp) > newestMs) return;
  say("building the page in dist/web/ from src/web/");
  const config = path.join(web, "vite.config.mjs");
  stamped(stamp, () => runNode("vite/bin/vite.js", ["build", "--config", config, "--logLevel", "warn"], projectDir));
}

/** What was changed during the work is newer than its stamp. */
function stamped(stamp, work) {
  const startedAt = new Date();
  work();
  mkdirSync(path.dirname(stamp), { recursive: true });
  writeFileSync(stamp, "");
  utimesSync(stamp, startedAt, startedAt);
}

/** stderr, so that stdout holds nothing but what the command answers. */
export function say(line) {
  process.stderr.write(`reelkeeper: ${line}\n`);
}

function runNode(program, args, cwd) {
  run(process.execPath, [path.join(cwd, "node_modules", program), ...args], cwd);
}

function run(command, args, cwd) {
  // npm is a script on Windows, which only a shell can start.
  const shell = process.platform === "win32" && command === "npm";
  const { status, signal, error } = spawnSync(command, args, { cwd, stdio: ["ignore", 2, 2], shell });
  const what = [path.basename(command), ...args.map((arg) => path.basename(arg))].join(" ");
  if (error !== undefined) throw new Error(`${what} cannot be started: ${error.message}`);
  if (status !== 0) throw new Error(`${what} failed with ${signal ?? `exit code ${String(status)}`}, see above`);
}

function newestSourceMs(directory, isSource, left) {
  let newestMs = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const file = path.join(directory, entry.name);
    if (file === left) continue;
    if (entry.isDirectory()) newestMs = Math.max(newestMs, newestSourceMs(file, isSource, left));
    else if (isSource(entry.name)) newestMs = Math.max(newestMs, mtimeMs(file));
  }
  return newestMs;
}

/** 0 when there is no such file. */
function mtimeMs(file) {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** The programs that the tests run for real. Plain JavaScript without packages: it runs before there are any. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

import { say } from "../../src/prepare.mjs";

const POSTGRES = "/usr/lib/postgresql/15/bin/initdb";

/** [program or file, Debian package] */
const PROGRAMS = [
  ["ffmpeg", "ffmpeg"],
  ["busybox", "busybox"],
  ["curl", "curl"],
  ["ps", "procps"],
  ["faketime", "faketime"],
  ["strace", "strace"],
  ["python3", "python3-venv"],
  ["chromium", "chromium"],
  [POSTGRES, "postgresql-15"],
];

/** Installs what Debian has; for the rest, and elsewhere, says what to install. */
export function installPrograms() {
  const packages = missingPackages();
  if (packages.length > 0 && isDebian() && process.getuid?.() === 0) {
    say(`installing Debian packages for the tests: ${packages.join(" ")}`);
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const apt = (...args) => spawnSync("apt-get", ["-qq", ...args], { stdio: ["ignore", 2, 2], env }).status === 0;
    if (apt("update") && apt("install", "-y", "--no-install-recommends", ...packages)) packages.length = 0;
  }
  if (packages.length > 0) say(`tests that need them will fail, please install: ${packages.join(" ")}`);
  if (find("go") === undefined) say("tests that need an S3 server will fail, please install: Go 1.25 or newer");
}

/** Node 24's executable, from npm's packages of it; this very one when it is that new. */
export function node24() {
  if (Number(process.versions.node.split(".")[0]) >= 24) return process.execPath;
  const name = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  const directory = path.join(process.env.CACHE_DIR ?? path.join(os.homedir(), ".cache", "reelkeeper"), "node-24");
  const executable = path.join(
    directory,
    "node_modules",
    name,
    "bin",
    process.platform === "win32" ? "node.exe" : "node",
  );
  if (existsSync(executable)) return executable;
  say("installing Node 24 for the tests");
  mkdirSync(directory, { recursive: true });
  const args = ["install", "--prefix", directory, "--no-audit", "--no-fund", "--no-save", `${name}@24`];
  const { status } = spawnSync("npm", args, { stdio: ["ignore", 2, 2], shell: process.platform === "win32" });
  return status === 0 && existsSync(executable) ? executable : undefined;
}

function missingPackages() {
  return PROGRAMS.filter(([program]) => find(program) === undefined).map(([, name]) => name);
}

function find(program) {
  const directories = path.isAbsolute(program) ? [""] : (process.env.PATH ?? "").split(path.delimiter);
  return directories.map((directory) => path.join(directory, program)).find(isExecutable);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isDebian() {
  return existsSync("/etc/debian_version") && readFileSync("/etc/os-release", "utf8").includes("ID=debian");
}

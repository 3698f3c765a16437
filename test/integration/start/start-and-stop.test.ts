/** How it starts and how it stops: everything or nothing, and nothing is left behind. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import path from "node:path";
import { promisify } from "node:util";

import { describe, expect, it, onTestFinished } from "vitest";

import { App, startApp } from "../../support/app.js";
import { installApp } from "../../support/app-setup.js";
import { readRows } from "../../support/audit/rows.js";
import { startCamera } from "../../support/camera.js";
import { type Child, startChild } from "../../support/child.js";
import { freePorts } from "../../support/free-port.js";
import { freeMediaMtxPorts, quietMediaMtxConfig } from "../../support/mediamtx-server.js";
import { tempDir } from "../../support/temp-dir.js";
import { mediamtxBinary } from "../../support/tools.js";
import { waitFor } from "../../support/wait-for.js";
import { configured } from "../app/scene.js";
import { PATIENCE } from "../../support/patience.js";
import { runCommand } from "./command.js";

const run = promisify(execFile);
const ROOT = path.resolve(import.meta.dirname, "../../..");
const INSTALL_TIMEOUT_MS = 600_000 * PATIENCE;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Command lines that name a directory. */
async function processesOf(directory: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")));
  return lines.filter((line) => line.includes(directory));
}

async function testApp(env: Readonly<Record<string, string>> = {}): Promise<App> {
  const app = await startApp({ directory: await tempDir(), env });
  onTestFinished(() => app.close());
  return app;
}

/** Undefined: not printed (yet). */
function printedPassword(output: string): string | undefined {
  return /^Log in as +admin, password (\S+) /m.exec(output)?.[1];
}

/** The access token. */
async function logIn(url: string, password: string | undefined): Promise<string> {
  const response = await fetch(`${url}/api/v1/login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "admin", password }),
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { accessToken: string }).accessToken;
}

/** A port that is taken until the test has ended. */
async function listenSomewhere(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** Twice as many as the start itself needs, which opens all modules of one import at once. */
const DESCRIPTORS = 256;

describe("a start", () => {
  it("prints four lines that say what to do next, on stdout, and nothing else there", async () => {
    const installed = await installApp({ directory: await tempDir() });
    const child = await startChild(
      "sh",
      ["-c", `exec "$0" "$1" serve 2>/dev/null`, process.execPath, installed.program],
      {
        env: { ...process.env, ...installed.env },
      },
    );
    onTestFinished(() => void child.stop("SIGKILL"));
    await waitFor("four lines", () => child.output().split("\n").length === 5, { timeoutMs: 30_000 });
    const { rtsp, rtmp } = installed.mediamtxPorts;
    expect(child.output().split("\n")).toEqual([
      expect.stringContaining(`rtsp://127.0.0.1:${rtsp}/`) as string,
      expect.stringContaining(`rtmp://127.0.0.1:${rtmp}/`) as string,
      expect.stringContaining(`http://127.0.0.1:${installed.port}/`) as string,
      expect.stringContaining(path.join(installed.dataDir, "recordings")) as string,
      "",
    ]);
    await child.stop("SIGTERM");
  });

  it("makes the admin when all else is there, prints the password once, and never again", async () => {
    const installed = await installApp({ directory: await tempDir(), env: { LOGIN: "required" } });
    const taken = await listenSomewhere();
    const refused = await runCommand(installed, ["serve"], { PORT: String(taken) });
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    const app = new App(undefined, installed);
    onTestFinished(() => app.close());
    await app.start();
    const password = await waitFor("the password", () => printedPassword(app.output()));
    await logIn(app.url, password);
    await app.restart();
    await waitFor("the last line of the second start", () => app.output().split("Files go to").length === 3);
    expect(app.output().split(password).length).toBe(2);
    expect(app.output().split("Log in as").length).toBe(2);
  });

  it("that is stopped before it is done leaves neither a process nor a lock", async () => {
    const directory = await tempDir();
    const slow = path.join(directory, "slow-mediamtx");
    // Knows its version, and then never answers.
    await writeFile(
      slow,
      `#!/bin/sh\ncase "$1" in --version) echo v1.21.0;; --validate-conf*) exit 0;; *) exec sleep 600;; esac\n`,
    );
    await chmod(slow, 0o755);
    const installed = await installApp({ directory, env: { MEDIAMTX_BIN: slow } });
    const start = (): Promise<Child> =>
      startChild(process.execPath, [installed.program, "serve"], { env: { ...process.env, ...installed.env } });
    const child = await start();
    onTestFinished(() => void child.stop("SIGKILL"));
    const pid = await waitFor("the slow MediaMTX to run", async () => {
      return (
        JSON.parse(await readFile(path.join(installed.dataDir, "mediamtx", "mediamtx.pid"), "utf8")) as { pid: number }
      ).pid;
    });
    onTestFinished(() => {
      if (isAlive(pid)) process.kill(pid, "SIGKILL");
    });
    const askedMs = performance.now();
    expect(await child.stop("SIGTERM", 40_000)).toBe(0);
    expect(performance.now() - askedMs).toBeLessThan(5_000 * PATIENCE);
    expect(isAlive(pid)).toBe(false);
    const { stdout } = await run(process.execPath, [installed.program, "scan"], {
      env: { ...process.env, ...installed.env },
    });
    expect(JSON.parse(stdout)).toMatchObject({ files: 0 });
  });

  it("survives more connections than it has file descriptors, and answers when they are gone (F52)", async () => {
    const installed = await installApp({ directory: await tempDir(), env: { MEDIAMTX_MODE: "external" } });
    const child = await startChild(
      "sh",
      ["-c", `ulimit -n ${DESCRIPTORS} && exec "$0" "$1" serve`, process.execPath, installed.program],
      {
        env: { ...process.env, ...installed.env },
      },
    );
    onTestFinished(() => void child.stop("SIGKILL"));
    const isReady = async (): Promise<boolean> => {
      const response = await fetch(`http://127.0.0.1:${installed.port}/ready`, {
        headers: { connection: "close" },
        signal: AbortSignal.timeout(2_000 * PATIENCE),
      });
      return response.ok;
    };
    await waitFor("Reelkeeper to start", () => child.output().includes("Files go to"), { timeoutMs: 30_000 });
    const sockets: Socket[] = [];
    for (let count = 0; count < 2 * DESCRIPTORS; count += 1) {
      const socket = connect(installed.port, "127.0.0.1").on("error", () => undefined);
      sockets.push(socket);
    }
    await waitFor(
      "the connections",
      () => sockets.filter(({ readyState }) => readyState === "open").length > DESCRIPTORS,
    );
    // Segments that come in the meantime wait.
    const file = path.join(installed.dataDir, "recordings", "cam1", "2026-11-20_17-04-43-022940.mp4");
    const fixture = path.join(ROOT, "test/fixtures/recordings/v1.20.1/h264-aac/2026-11-20_17-04-43-022940.mp4");
    await run("mkdir", ["-p", path.dirname(file)]);
    await run("cp", [fixture, file]);
    expect(child.process.exitCode).toBeNull();
    for (const socket of sockets) socket.destroy();
    await waitFor("Reelkeeper to answer again", isReady, { timeoutMs: 30_000 });
    await waitFor(
      "the segment to be archived",
      async () => {
        const response = await fetch(`http://127.0.0.1:${installed.port}/api/v1/recordings?state=verified`);
        return ((await response.json()) as { items: unknown[] }).items.length === 1;
      },
      { timeoutMs: 30_000 },
    );
    expect(await child.stop("SIGTERM")).toBe(0);
  });
});

describe("a stop", () => {
  it("ends MediaMTX first, hears its last hooks, and leaves no process", async () => {
    const app = await testApp();
    await app.post("/api/v1/paths", { name: "cam1", record: true, recordSegmentDuration: "1h" });
    await configured(app, "cam1");
    const camera = await startCamera({ url: app.rtspUrl("cam1"), gopSec: 1 });
    onTestFinished(() => camera.stop());
    await waitFor("a recording to begin", async () => (await app.recordings()).length > 0, { timeoutMs: 20_000 });
    const mediamtx = app.mediamtxPid()!;
    expect(await app.stop()).toBe(0);
    expect(isAlive(mediamtx)).toBe(false);
    expect(isAlive(app.pid)).toBe(false);
    const messages = app.log().map(({ message }) => message);
    expect(messages.at(-1)).toBe("stopped");
    // The hook of the closing was heard: the row knows that nobody writes the file any more.
    const { recordings } = await readRows(app.databaseFile);
    expect(recordings.at(-1)).toMatchObject({ local: "present" });
  });

  it("that lasts too long is ended by a second signal", async () => {
    const app = await testApp();
    const mediamtx = app.mediamtxPid()!;
    // Stands still: neither ends nor answers.
    process.kill(mediamtx, "SIGSTOP");
    app.signal("SIGTERM");
    await waitFor("the stop to begin", () => app.log().some(({ message }) => message === "stopping"));
    const secondMs = performance.now();
    expect(await app.kill("SIGTERM")).toBe(130);
    expect(performance.now() - secondMs).toBeLessThan(3_000 * PATIENCE);
  });
});

it(
  "npm start in a fresh clone installs, builds, records, and SIGTERM ends all of it, without a terminal",
  async () => {
    const clone = path.join(await tempDir(), "clone");
    await run("git", ["clone", "-q", ROOT, clone]);
    const [port = 0] = await freePorts(1);
    const mediamtxPorts = await freeMediaMtxPorts();
    const base = path.join(clone, "..", "base.yml");
    await writeFile(base, `${quietMediaMtxConfig("1.21.0", mediamtxPorts)}\npaths:\n  all_others:\n    record: true\n`);
    const npm = await startChild("setsid", ["npm", "start"], {
      cwd: clone,
      env: {
        ...process.env,
        CI: "",
        PORT: String(port),
        MEDIAMTX_BIN: await mediamtxBinary("1.21.0"),
        MEDIAMTX_BASE_CONFIG: base,
        MEDIAMTX_API_URL: `http://127.0.0.1:${mediamtxPorts.api}`,
      },
    });
    onTestFinished(() => {
      // npm, its shell and ours are one process group.
      if (isAlive(-npm.pid)) process.kill(-npm.pid, "SIGKILL");
    });
    await waitFor(
      "the five lines",
      () => {
        if (npm.process.exitCode !== null) throw new Error(npm.output());
        return ["Publish by RTSP", "Publish by RTMP", "See the list", "Log in as", "Files go to"].every((line) =>
          npm.output().includes(line),
        );
      },
      { timeoutMs: 540_000, intervalMs: 500 },
    );
    expect(npm.output()).toContain("installing packages");
    expect(npm.output()).toContain("building dist/");
    const camera = await startCamera({ url: `rtsp://127.0.0.1:${mediamtxPorts.rtsp}/cam1`, gopSec: 1 });
    onTestFinished(() => camera.stop());
    const url = `http://127.0.0.1:${port}`;
    const headers = { authorization: `Bearer ${await logIn(url, printedPassword(npm.output()))}` };
    await waitFor(
      "a recording in the list",
      async () => {
        const response = await fetch(`${url}/api/v1/recordings`, { headers });
        return ((await response.json()) as { items: unknown[] }).items.length > 0;
      },
      { timeoutMs: 30_000 },
    );
    const { pid } = JSON.parse(await readFile(path.join(clone, "data", "mediamtx", "mediamtx.pid"), "utf8")) as {
      pid: number;
    };
    onTestFinished(() => {
      if (isAlive(pid)) process.kill(pid, "SIGKILL");
    });
    await npm.stop("SIGTERM", 60_000);
    await waitFor("MediaMTX to be gone", () => !isAlive(pid), { timeoutMs: 30_000 });
    await expect(fetch(`${url}/health`)).rejects.toThrow();
    await waitFor("no process of it", async () => (await processesOf(clone)).length === 0);
    const { stdout: changes } = await run("git", ["-C", clone, "status", "--porcelain"]);
    expect(changes).toBe("");
  },
  INSTALL_TIMEOUT_MS,
);

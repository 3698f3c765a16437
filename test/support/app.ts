/**
 * The product as its users start it: `reelkeeper.mjs serve` in a process of its own, with a real MediaMTX, in a
 * directory and on ports of its own. It may be killed, stopped and started again as often as a test likes.
 */
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";

import type { RecordingView } from "../../src/contract/recordings.js";
import { APP_PREFIX, type AppOptions, type InstalledApp, installApp } from "./app-setup.js";
import type { BucketLocation } from "./audit/bucket.js";
import { audit, type AuditReport } from "./auditor.js";
import { type Child, startChild } from "./child.js";
import { createdFilesIn } from "./created-files.js";
import { waitFor } from "./wait-for.js";

/** One line of the log. */
export interface LogLine {
  readonly timestamp: string;
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

type Method = "GET" | "POST" | "PATCH" | "DELETE";

const START_TIMEOUT_MS = 30_000;
const DRAIN_TIMEOUT_MS = 60_000;
const DUMPED_LINES = 60;

/** Resolves when the app has started; throws with its output when it does not. The caller closes it. */
export async function startApp(options: AppOptions): Promise<App> {
  const app = new App(options.store, await installApp(options));
  try {
    await app.start();
  } catch (error) {
    await app.close();
    throw error;
  }
  return app;
}

export class App {
  readonly dataDir: string;
  readonly recordDir: string;
  readonly databaseFile: string;
  readonly bucket: BucketLocation;
  readonly url: string;
  /** For the commands beside it. */
  readonly installed: InstalledApp;
  #child: Child | undefined;
  /** Of the processes before. */
  #output = "";

  constructor(store: AppOptions["store"], installed: InstalledApp) {
    this.installed = installed;
    this.dataDir = installed.dataDir;
    this.recordDir = path.join(this.dataDir, "recordings");
    this.databaseFile =
      installed.env["DATABASE_URL"]?.replace("sqlite:", "") ?? path.join(this.dataDir, "reelkeeper.sqlite");
    this.bucket =
      store === undefined
        ? { kind: "folder", dir: path.join(this.dataDir, "bucket") }
        : { kind: "versitygw", dir: store.server.bucketDir };
    this.url = `http://127.0.0.1:${installed.port}`;
  }

  /** Starts the process and waits until it says that it has started and answers. `env` holds for this process only. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    const child = await this.launch(env);
    const state = await waitFor(
      "Reelkeeper to start",
      async () => {
        if (hasEnded(child)) return "ended" as const;
        if (!linesOf(child.output()).some(({ message }) => message === "started")) return undefined;
        return (await this.request("GET", "/ready")).status === 200 ? ("ready" as const) : undefined;
      },
      { timeoutMs: START_TIMEOUT_MS },
    ).catch((error: unknown) => {
      throw new Error(`Reelkeeper does not start: ${this.dump()}`, { cause: error });
    });
    if (state === "ended") throw new Error(`Reelkeeper ended: ${this.dump()}`);
  }

  /** Starts the process and waits for nothing. */
  async launch(env: Readonly<Record<string, string>> = {}): Promise<Child> {
    if (this.#child !== undefined && !hasEnded(this.#child)) throw new Error("Reelkeeper runs already");
    this.#output += this.#child?.output() ?? "";
    const { program } = this.installed;
    this.#child = await startChild(process.execPath, [program, "serve"], {
      cwd: path.dirname(path.dirname(program)),
      env: { ...process.env, ...this.installed.env, ...env },
    });
    return this.#child;
  }

  /** Without waiting: SIGSTOP, SIGCONT, a second SIGTERM. */
  signal(signal: NodeJS.Signals): void {
    this.#running().process.kill(signal);
  }

  /** Ends Reelkeeper alone; an embedded MediaMTX goes on. Resolves when the process is gone. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<number | string> {
    return this.#running().stop(signal);
  }

  /** As an operator stops it; the exit code, or the name of the signal that was needed after `graceMs`. */
  async stop(graceMs = 30_000): Promise<number | string> {
    return this.#running().stop("SIGTERM", graceMs);
  }

  async restart(env: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.stop();
    await this.start(env);
  }

  /** Ends everything, whatever state it is in. */
  async close(): Promise<void> {
    await this.#child?.stop("SIGKILL");
    const pid = this.mediamtxPid();
    if (pid === undefined) return;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Gone already.
    }
  }

  hasEnded(): boolean {
    return hasEnded(this.#running());
  }

  get mediamtxApiUrl(): string {
    return `http://127.0.0.1:${this.installed.mediamtxPorts.api}`;
  }

  get pid(): number {
    return this.#running().pid;
  }

  /** Of the embedded MediaMTX, as the product notes it; undefined when there is none. */
  mediamtxPid(): number | undefined {
    const file = path.join(this.dataDir, "mediamtx", "mediamtx.pid");
    try {
      return (JSON.parse(readFileSync(file, "utf8")) as { pid: number }).pid;
    } catch {
      return undefined;
    }
  }

  rtspUrl(pathName: string): string {
    return `rtsp://127.0.0.1:${this.installed.mediamtxPorts.rtsp}/${pathName}`;
  }

  async request(method: Method, target: string, body?: unknown): Promise<Answer> {
    const response = await fetch(this.url + target, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    const text = await response.text();
    return { status: response.status, body: text.startsWith("{") ? JSON.parse(text) : text };
  }

  /** The bodies of answers of 2xx; everything else throws. */
  get<T>(target: string): Promise<T> {
    return this.#call<T>("GET", target);
  }

  post<T>(target: string, body: unknown): Promise<T> {
    return this.#call<T>("POST", target, body);
  }

  patch<T>(target: string, body: unknown): Promise<T> {
    return this.#call<T>("PATCH", target, body);
  }

  delete<T>(target: string): Promise<T> {
    return this.#call<T>("DELETE", target);
  }

  /** Up to 2000, oldest first. */
  async recordings(query: Readonly<Record<string, string>> = {}): Promise<RecordingView[]> {
    const text = new URLSearchParams({ order: "oldest", limit: "2000", ...query }).toString();
    return (await this.get<{ items: RecordingView[] }>(`/api/v1/recordings?${text}`)).items;
  }

  /** Of all processes so far. */
  log(): LogLine[] {
    return linesOf(this.output());
  }

  /** What all processes so far wrote. */
  output(): string {
    return this.#output + (this.#child?.output() ?? "");
  }

  /** With the part that was put aside when it grew too long. */
  async mediamtxLog(): Promise<string> {
    const file = path.join(this.dataDir, "mediamtx", "mediamtx.log");
    const before = await readFile(`${file}.1`, "utf8").catch(() => "");
    return before + (await readFile(file, "utf8"));
  }

  /** Every file that MediaMTX created, absolute, in order. */
  async createdFiles(): Promise<string[]> {
    return createdFilesIn(await this.mediamtxLog());
  }

  /**
   * Waits until nothing is left to do: every file that MediaMTX created has a row, and none is open, in the backlog, in
   * the trash or due for release. The cameras must have stopped.
   */
  async drained(timeoutMs = DRAIN_TIMEOUT_MS): Promise<RecordingView[]> {
    // In this order: what a row leaves behind shows up in the next look, never in between.
    const look = async (): Promise<RecordingView[]> => {
      const files = await this.createdFiles();
      const recordings = await this.recordings();
      const { backlog } = await this.get<{ backlog: { segments: number } }>("/api/v1/archive");
      const known = new Set(recordings.map(({ filePath }) => path.join(this.recordDir, filePath)));
      const unknown = files.filter((file) => !known.has(file));
      const busy = recordings.filter(({ local, archive }) => isBusy(local) || archive === "uploading");
      if (unknown.length === 0 && busy.length === 0 && backlog.segments === 0) return recordings;
      throw new Error(
        `${unknown.length} files without a row, ${busy.length} rows at work, backlog ${backlog.segments}`,
      );
    };
    return waitFor("everything to be archived", look, { timeoutMs, intervalMs: 200 });
  }

  /** The independent checker's word; `quiescent`: all work is done. */
  async audit(quiescent = true): Promise<AuditReport> {
    const { recordDir, databaseFile, bucket } = this;
    const createdFiles = await this.createdFiles();
    return audit({ recordDir, databaseFile, bucket, prefix: APP_PREFIX, createdFiles, quiescent });
  }

  /** The ends of the logs, for a test that failed. */
  dump(): string {
    let mediamtxLog = "";
    try {
      mediamtxLog = readFileSync(path.join(this.dataDir, "mediamtx", "mediamtx.log"), "utf8");
    } catch {
      // It was never started.
    }
    // At level debug MediaMTX tells every request; what counts is about streams and files.
    const own = this.output()
      .split("\n")
      .filter((line) => !line.includes('"of":"mediamtx"'));
    const theirs = mediamtxLog.split("\n").filter((line) => / (INF|WAR|ERR) |\[recorder\]/.test(line));
    return ["--- Reelkeeper", ...own.slice(-DUMPED_LINES), "--- MediaMTX", ...theirs.slice(-DUMPED_LINES)].join("\n");
  }

  #running(): Child {
    if (this.#child === undefined) throw new Error("Reelkeeper was not started");
    return this.#child;
  }

  async #call<T>(method: Method, target: string, body?: unknown): Promise<T> {
    const answer = await this.request(method, target, body);
    if (answer.status >= 200 && answer.status < 300) return answer.body as T;
    throw new Error(`${method} ${target} answers ${answer.status}: ${JSON.stringify(answer.body)}`);
  }
}

function isBusy(local: RecordingView["local"]): boolean {
  return local === "open" || local === "trashed";
}

function hasEnded({ process }: Child): boolean {
  return process.exitCode !== null || process.signalCode !== null;
}

function linesOf(output: string): LogLine[] {
  return output.split("\n").flatMap((line) => {
    if (!line.startsWith("{")) return [];
    try {
      return [JSON.parse(line) as LogLine];
    } catch {
      // Cut by a kill.
      return [];
    }
  });
}

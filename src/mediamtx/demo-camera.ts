/** `--demo`: a test picture with a clock and a tone, published like a camera's, so that there is something to look at. */
import { type ChildProcess, spawn } from "node:child_process";

import type { Clock } from "../platform/clock.js";
import type { Logger } from "../platform/logger.js";
import { findOnPath } from "./find-on-path.js";

const DEMO_PATH_NAME = "demo";

const FRAMES_PER_SEC = 25;
const GOP_FRAMES = String(2 * FRAMES_PER_SEC);
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
const HEALTHY_MS = 60_000;
const STOP_GRACE_MS = 3_000;
const ERROR_CHARS = 2_000;

export interface DemoCameraOptions {
  readonly rtspPort: number;
  readonly env: Readonly<NodeJS.ProcessEnv>;
}

export class DemoCamera {
  readonly #deps: { readonly log: Logger; readonly clock: Clock };
  readonly #options: DemoCameraOptions;
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(deps: { readonly log: Logger; readonly clock: Clock }, options: DemoCameraOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** False, and one line in the log, when there is no ffmpeg. */
  async start(): Promise<boolean> {
    const ffmpeg = await findOnPath("ffmpeg", this.#options.env);
    if (ffmpeg === undefined) {
      this.#deps.log.warn("no demo camera: ffmpeg is not on PATH; install it, or publish a camera of your own");
      return false;
    }
    this.#loop = this.#publishForEver(ffmpeg);
    return true;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #publishForEver(ffmpeg: string): Promise<void> {
    const { log, clock } = this.#deps;
    const url = `rtsp://127.0.0.1:${String(this.#options.rtspPort)}/${DEMO_PATH_NAME}`;
    let pauseMs = FIRST_PAUSE_MS;
    for (;;) {
      log.info("the demo camera publishes", { url });
      const sinceMs = clock.monotonicMs();
      const reason = await this.#publish(ffmpeg, url);
      if (this.#isStopping()) return;
      if (clock.monotonicMs() - sinceMs >= HEALTHY_MS) pauseMs = FIRST_PAUSE_MS;
      log.warn("the demo camera ended and starts again after a pause", { reason, pauseMs });
      await clock.sleep(pauseMs, this.#stopping.signal);
      if (this.#isStopping()) return;
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }

  #isStopping(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Resolves with the reason of the end. */
  #publish(ffmpeg: string, url: string): Promise<string> {
    const child = spawn(ffmpeg, demoArguments(url), {
      env: { ...this.#options.env },
      stdio: ["ignore", "ignore", "pipe"],
      // ^C in a terminal reaches us alone, and we stop it.
      detached: true,
      windowsHide: true,
    });
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (said = (said + text).slice(-ERROR_CHARS)));
    const onStop = (): void => endChild(child);
    this.#stopping.signal.addEventListener("abort", onStop, { once: true });
    return new Promise<string>((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("close", (code, signal) =>
        resolve(said.trim() === "" ? (signal ?? `exit code ${String(code)}`) : said.trim()),
      );
    }).finally(() => this.#stopping.signal.removeEventListener("abort", onStop));
  }
}

function endChild(child: ChildProcess): void {
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_GRACE_MS);
  child.once("close", () => clearTimeout(timer));
}

function demoArguments(url: string): string[] {
  // testsrc carries a running count of seconds, and needs no font as a drawn clock would.
  const picture = `testsrc=size=640x360:rate=${String(FRAMES_PER_SEC)}`;
  const tone = "sine=frequency=440:beep_factor=4:sample_rate=48000";
  const video = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p"];
  const gop = ["-g", GOP_FRAMES, "-keyint_min", GOP_FRAMES, "-sc_threshold", "0", "-b:v", "500k"];
  return [
    ...["-hide_banner", "-nostdin", "-loglevel", "error"],
    ...["-re", "-f", "lavfi", "-i", picture, "-re", "-f", "lavfi", "-i", tone],
    ...[...video, ...gop, "-c:a", "aac", "-b:a", "64k"],
    ...["-f", "rtsp", "-rtsp_transport", "tcp", url],
  ];
}

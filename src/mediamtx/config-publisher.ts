/**
 * Keeps mediamtx.yml as the rows and the base say: writes it when that changed, then reads back through the Control
 * API what the server runs, and looks again now and then, because drift is an alarm. A crash at any point leaves the
 * old or the new file whole (F56); what is lost is only the request, and the next start renders anew.
 */
import { readFile, rm } from "node:fs/promises";
import path from "node:path";

import { AppError, describeError, errnoOf, toAppError } from "../core/errors.js";
import type { Clock } from "../platform/clock.js";
import { faultPoint } from "../platform/fault-point.js";
import { writeFileAtomically } from "../platform/files.js";
import type { Logger } from "../platform/logger.js";
import { type Drift, findDrift, type ServerConfig } from "./config-drift.js";

/** MediaMTX drops, not defers, a change within 1 s of its last reload (`internal/confwatcher`). */
const MIN_WRITE_INTERVAL_MS = 1_500;
/** Several edits that come together make one write. */
const SETTLE_MS = 100;
const READ_BACK_DEADLINE_MS = 10_000;
const READ_BACK_PAUSE_MS = 250;
const CHECK_INTERVAL_MS = 30_000;
export interface ConfigPublisherDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** Absolute; its directory is what MediaMTX watches. */
  readonly configFile: string;
  /** Of that file, which holds the cameras' passwords as MediaMTX needs them. */
  readonly fileMode: number;
  /** Text of the configuration by what the rows and the base say now. */
  readonly render: () => Promise<string>;
  /** Throws when MediaMTX would refuse the file (`mediamtx --validate-conf`). */
  readonly validate?: (file: string, signal: AbortSignal) => Promise<void>;
  /**
   * Of a file that somebody else changed: `alike` says the same and is left alone, `waits` stays until a person decides and
   * is an alarm, `wrong` (also where nobody judges) is put right at once.
   */
  readonly judgeFile?: (wanted: string, found: string) => "alike" | "waits" | "wrong";
  /** What the server runs; throws while it cannot be asked. */
  readonly readServer: (signal: AbortSignal) => Promise<ServerConfig>;
}

export interface ConfigPublisherState {
  /** When the server was last seen to run what is in the file; null: never yet. */
  readonly lastAppliedAtUs: number | null;
  /** A change was asked for and the server is not yet seen to run it. */
  readonly pending: boolean;
  readonly drift: readonly Drift[];
  /** Why the last attempt to write or to look failed. */
  readonly error: string | null;
}

export class ConfigPublisher {
  readonly #deps: ConfigPublisherDeps;
  readonly #stopping = new AbortController();
  #state: ConfigPublisherState = { lastAppliedAtUs: null, pending: false, drift: [], error: null };
  #isRequested = false;
  #wake: () => void = () => undefined;
  #lastWriteMs = Number.NEGATIVE_INFINITY;
  /** By us; what else is in the file is of somebody else. Null: nothing yet. */
  #written: string | null = null;
  #running: Promise<void> | undefined;

  constructor(deps: ConfigPublisherDeps) {
    this.#deps = deps;
  }

  state(): ConfigPublisherState {
    return this.#state;
  }

  /** Renders and writes at once, without asking the server: for before an embedded server starts. */
  async writeNow(): Promise<void> {
    await this.#write(false);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#wake();
    await this.#running;
  }

  /** Returns at once; state() tells how it went. */
  requestApply(): void {
    this.#isRequested = true;
    this.#state = { ...this.#state, pending: true };
    this.#wake();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        await this.#pass(signal);
      } catch (error) {
        this.#fail(error, signal);
      }
      if (!this.#isRequested) await this.#sleepUntilWoken(CHECK_INTERVAL_MS);
    }
  }

  /** Renders anew each time, so that an edited base is seen and a failed attempt is made again. */
  async #pass(signal: AbortSignal): Promise<void> {
    const { clock, log, configFile } = this.#deps;
    if (this.#isRequested) await clock.sleep(SETTLE_MS, signal);
    await this.#waitToWrite(signal);
    if (signal.aborted) return;
    const isAsked = this.#isRequested;
    this.#isRequested = false;
    const verdict = isAsked || this.#state.pending ? "ours" : await this.#judgeFile();
    if (verdict === "alike" || verdict === "waits") {
      this.#settle([...(verdict === "waits" ? [CHANGED_BY_OTHERS] : []), ...(await this.#drift(signal))]);
      return;
    }
    const isChanged = await this.#write(false);
    if (isChanged) log.info("mediamtx configuration written", { file: configFile });
    if (!isChanged && !this.#state.pending) {
      this.#settle(await this.#drift(signal));
      return;
    }
    this.#state = { ...this.#state, pending: true };
    let drift = await this.#readBack(signal);
    if (drift.length > 0) {
      // The server may have dropped the change because it came just after another reload.
      await this.#waitToWrite(signal);
      await this.#write(true);
      drift = await this.#readBack(signal);
    }
    this.#settle(drift);
  }

  async #judgeFile(): Promise<"ours" | "alike" | "waits" | "wrong"> {
    const { configFile, log, judgeFile, render } = this.#deps;
    const [known, text] = [await readIfThere(configFile), await render()];
    if (known === null || this.#written === null || known === this.#written || known === text) return "ours";
    const verdict = judgeFile?.(text, known) ?? "wrong";
    if (verdict === "wrong") {
      log.error("mediamtx configuration was changed by somebody else, and is put right", { file: configFile });
    }
    return verdict;
  }

  async #waitToWrite(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const waitMs = this.#lastWriteMs + MIN_WRITE_INTERVAL_MS - clock.monotonicMs();
    if (waitMs > 0) await clock.sleep(waitMs, signal);
  }

  /** True when the file was written. */
  async #write(evenIfUnchanged: boolean): Promise<boolean> {
    const { configFile, fileMode, render } = this.#deps;
    const text = await render();
    const known = await readIfThere(configFile);
    if (text === known) this.#written = text;
    if (text === known && !evenIfUnchanged) return false;
    if (text !== known) await this.#validate(text);
    await faultPoint("config.before-previous");
    if (known !== null && text !== known) {
      await writeFileAtomically(beside(configFile, "previous"), known, fileMode);
    }
    await faultPoint("config.before-write");
    await writeFileAtomically(configFile, text, fileMode);
    await faultPoint("config.after-write");
    this.#written = text;
    this.#lastWriteMs = this.#deps.clock.monotonicMs();
    return true;
  }

  async #validate(text: string): Promise<void> {
    const { configFile, fileMode, validate } = this.#deps;
    if (validate === undefined) return;
    const candidate = beside(configFile, "candidate");
    try {
      await writeFileAtomically(candidate, text, fileMode);
      await validate(candidate, this.#stopping.signal);
    } finally {
      await rm(candidate, { force: true });
    }
  }

  /** The drift that is left when there is none any more or when the deadline has passed. */
  async #readBack(signal: AbortSignal): Promise<readonly Drift[]> {
    const { clock } = this.#deps;
    const endMs = clock.monotonicMs() + READ_BACK_DEADLINE_MS;
    for (;;) {
      try {
        const drift = await this.#drift(signal);
        if (drift.length === 0 || clock.monotonicMs() >= endMs) return drift;
      } catch (error) {
        // A reload that touches the Control API closes it for a moment.
        if (clock.monotonicMs() >= endMs) throw error;
      }
      await clock.sleep(READ_BACK_PAUSE_MS, signal);
      if (signal.aborted) throw new AppError({ kind: "cancelled", message: "apply configuration: stopped" });
    }
  }

  async #drift(signal: AbortSignal): Promise<readonly Drift[]> {
    const { configFile } = this.#deps;
    const text = this.#written ?? (await readIfThere(configFile));
    if (text === null) throw new AppError({ kind: "failed-precondition", message: `${configFile}: no such file` });
    return findDrift(text, await this.#deps.readServer(signal));
  }

  #settle(drift: readonly Drift[]): void {
    const isNew = JSON.stringify(drift) !== JSON.stringify(this.#state.drift);
    if (drift.length > 0 && isNew) this.#deps.log.error("mediamtx does not run its configuration", { drift });
    if (drift.length === 0 && isNew) this.#deps.log.info("mediamtx runs its configuration again");
    const isApplied = drift.length === 0;
    this.#state = {
      lastAppliedAtUs: isApplied ? this.#deps.clock.nowUs() : this.#state.lastAppliedAtUs,
      pending: this.#isRequested || (this.#state.pending && !isApplied),
      drift,
      error: null,
    };
  }

  /** Said once per reason; the next request or the next look tries again. */
  #fail(error: unknown, signal: AbortSignal): void {
    if (signal.aborted) return;
    const reason = describeError(error);
    if (reason !== this.#state.error) {
      const willRecover = toAppError(error).kind === "unavailable";
      this.#deps.log[willRecover ? "warn" : "error"]("mediamtx configuration not applied", { err: reason });
    }
    this.#state = { ...this.#state, error: reason };
  }

  async #sleepUntilWoken(ms: number): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => woken.abort();
    if (this.#isRequested || this.#stopping.signal.aborted) return;
    await this.#deps.clock.sleep(ms, woken.signal);
    this.#wake = () => undefined;
  }
}

const CHANGED_BY_OTHERS: Drift = {
  where: "the file",
  setting: "",
  expected: "as it was written",
  actual: "changed by somebody else",
};

/** `mediamtx.yml` → `mediamtx.previous.yml`, in the same directory. */
function beside(configFile: string, word: string): string {
  const { dir, name, ext } = path.parse(configFile);
  return path.join(dir, `${name}.${word}${ext}`);
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return null;
    throw new AppError({ kind: "unavailable", message: `read ${file}`, cause: error });
  }
}

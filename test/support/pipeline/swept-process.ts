/** A process that plays scenes (child.mjs), from a copy of the program whose fault points are armed. */
import { type ChildProcess, fork } from "node:child_process";
import { copyFile, readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { copyProgram } from "../app-setup.js";
import { waitFor } from "../wait-for.js";
import type { Scene } from "./scene-files.js";

export interface Fault {
  readonly point: string;
  readonly mode: FaultMode;
}

/** pause: SIGSTOP. repeat: whoever comes first loses its lease, and waits for the second to come there too. */
export type FaultMode = "kill" | "error" | "pause" | "repeat";

export type Played =
  | { readonly kind: "played"; readonly reached: readonly string[] }
  | { readonly kind: "failed"; readonly reached: readonly string[]; readonly error: string }
  | { readonly kind: "died"; readonly signal: string };

type Message = { readonly kind: "ready" } | { readonly kind: "begun" } | Exclude<Played, { kind: "died" }>;

export const CHILD = fileURLToPath(new URL("./child.mjs", import.meta.url));
const ARMED = fileURLToPath(new URL("./armed-fault-point.mjs", import.meta.url));
const START_TIMEOUT_MS = 60_000;

/** Returns the directory of the copy. */
export async function copyArmedProgram(directory: string): Promise<string> {
  const program = path.dirname(path.dirname(await copyProgram(directory)));
  await copyFile(ARMED, path.join(program, "dist/platform/fault-point.js"));
  return program;
}

export class SweptProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<string>;
  #output = "";
  #messages: Message[] = [];

  /** The caller ends it. */
  static async start(program: string): Promise<SweptProcess> {
    const started = new SweptProcess(program);
    await started.#next("ready");
    return started;
  }

  private constructor(program: string) {
    this.#child = fork(CHILD, { env: { ...process.env, PROGRAM: program }, execArgv: [], silent: true });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => (this.#output += text));
    }
    this.#child.on("message", (message) => this.#messages.push(message as Message));
    this.#ended = new Promise((resolve) =>
      this.#child.once("close", (code, signal) => resolve(signal ?? String(code))),
    );
  }

  get lives(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Of all scenes so far. */
  get output(): string {
    return this.#output;
  }

  /** Plays a scene to its end, or to its own. */
  async play(scene: Scene, fault?: Fault): Promise<Played> {
    await this.begin(scene, fault);
    return this.outcome();
  }

  /** Resolves when the scene has begun, or died at once. */
  async begin(scene: Scene, fault?: Fault): Promise<void> {
    this.#messages = [];
    this.#child.send({ scene, fault });
    await this.#next("begun");
  }

  async outcome(): Promise<Played> {
    const message = await this.#next("played", "failed");
    if (typeof message === "string") return { kind: "died", signal: message };
    return message as Played;
  }

  /** Resolves when the process stands still. */
  async stopped(): Promise<void> {
    await waitFor("the process to stop", async () => (await this.#state()) === "T", { timeoutMs: START_TIMEOUT_MS });
  }

  goOn(): void {
    this.#child.kill("SIGCONT");
  }

  async end(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  /** The signal or code when the process ends before it says one of these. */
  #next(...kinds: readonly Message["kind"][]): Promise<Message | string> {
    return Promise.race([
      this.#ended,
      waitFor(
        `the process to be ${kinds.join(" or ")}`,
        () => {
          const at = this.#messages.findIndex(({ kind }) => kinds.includes(kind));
          return at < 0 ? undefined : this.#messages.splice(0, at + 1).at(-1);
        },
        { timeoutMs: START_TIMEOUT_MS, intervalMs: 5 },
      ),
    ]);
  }

  async #state(): Promise<string | undefined> {
    const stat = await readFile(`/proc/${String(this.#child.pid)}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2)[0];
  }
}

/** Plays scenes with faults, two at a time, each to its end. A process of its own is spent only on who dies. */
import { type Fault, type Played, SweptProcess } from "./swept-process.js";
import type { Scene } from "./scene-files.js";

const AT_ONCE = 2;

export class Stage {
  readonly #program: string;
  readonly #idle: SweptProcess[] = [];
  readonly #waiting: (() => void)[] = [];
  #free = AT_ONCE;

  /** `program`: the copy with armed fault points. */
  constructor(program: string) {
    this.#program = program;
  }

  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((process) => process.end()));
  }

  /** Waits until fewer than two others are at it. */
  async inTurn(work: () => Promise<void>): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  /** Without a fault; the points that were reached. Throws when the scene does not come to its end. */
  async play(scene: Scene): Promise<readonly string[]> {
    return this.#with(async (process) => {
      const played = await process.play(scene);
      if (played.kind === "played") return played.reached;
      throw new Error(`the scene without a fault ${describe(played)}\n${process.output}`);
    });
  }

  /** With the fault, and to the end by a start after it. Throws when the fault did not strike. */
  async playWith(fault: Fault, scene: Scene): Promise<void> {
    const isOver = await this.#strike(fault, scene);
    if (!isOver) await this.play(scene);
  }

  /** True when the scene came to its end in spite of the fault. */
  async #strike(fault: Fault, scene: Scene): Promise<boolean> {
    return this.#with(async (process) => {
      if (fault.mode === "pause") return this.#pause(process, fault, scene);
      const played = await process.play(scene, fault);
      if (played.kind === "died") {
        if (fault.mode === "kill" && played.signal === "SIGKILL") return false;
        throw new Error(`${fault.mode} at ${fault.point}: the process ${describe(played)}\n${process.output}`);
      }
      if (fault.mode === "kill" || !played.reached.includes(fault.point)) {
        throw new Error(`${fault.mode} at ${fault.point} was not reached: ${describe(played)}`);
      }
      return played.kind === "played";
    });
  }

  /** Who stands still wakes up when another has done all there is to do, and may do no harm then. */
  async #pause(process: SweptProcess, fault: Fault, scene: Scene): Promise<boolean> {
    await process.begin(scene, fault);
    await process.stopped();
    await this.#with(async (other) => {
      await other.begin(scene);
      // Inside a transaction it holds the database: then the two go on side by side.
      if (fault.point.includes(".in-")) process.goOn();
      const played = await other.outcome();
      process.goOn();
      if (played.kind === "played" || fault.point.includes(".in-")) return;
      throw new Error(`who took over from ${fault.point} ${describe(played)}\n${other.output}`);
    });
    await process.outcome();
    return false;
  }

  /** Whoever lives afterwards plays again. */
  async #with<T>(work: (process: SweptProcess) => Promise<T>): Promise<T> {
    const process = this.#idle.pop() ?? (await SweptProcess.start(this.#program));
    try {
      const result = await work(process);
      if (process.lives) this.#idle.push(process);
      return result;
    } catch (error) {
      await process.end();
      throw error;
    }
  }
}

function describe(played: Played): string {
  switch (played.kind) {
    case "played":
      return "came to its end";
    case "failed":
      return `failed: ${played.error}`;
    case "died":
      return `died of ${played.signal}`;
    default:
      return played satisfies never;
  }
}

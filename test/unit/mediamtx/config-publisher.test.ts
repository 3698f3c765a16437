import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { AppError } from "../../../src/core/errors.js";
import type { ServerConfig } from "../../../src/mediamtx/config-drift.js";
import { ConfigPublisher, type ConfigPublisherDeps } from "../../../src/mediamtx/config-publisher.js";
import type { Clock } from "../../../src/platform/clock.js";
import { silentLogger } from "../../../src/platform/logger.js";
import { waitFor } from "../../support/wait-for.js";

/** Time moves only by run(): to the end of each sleep in turn, letting everything else happen in between. */
class SteppedClock implements Clock {
  nowMs = 0;
  readonly #sleepers = new Set<{ readonly atMs: number; readonly wake: () => void }>();

  nowUs = (): number => this.nowMs * 1_000;
  monotonicMs = (): number => this.nowMs;
  sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const sleeper = {
        atMs: this.nowMs + ms,
        wake: () => {
          this.#sleepers.delete(sleeper);
          signal?.removeEventListener("abort", sleeper.wake);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      if (signal?.aborted === true) sleeper.wake();
      signal?.addEventListener("abort", sleeper.wake, { once: true });
    });

  /** Moves time until `isDone`, at most to `untilMs`. */
  async run(untilMs: number, isDone: () => boolean = () => false): Promise<void> {
    while (!isDone()) {
      // File operations take real time; a sleeper appears when they are through.
      await waitFor("a sleeper", () => this.#sleepers.size > 0 || isDone(), { intervalMs: 1 });
      const next = [...this.#sleepers].sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || isDone()) return;
      if (next.atMs > untilMs) {
        this.nowMs = Math.max(this.nowMs, untilMs);
        return;
      }
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.wake();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

const yaml = (level: string): string => `logLevel: ${level}\npathDefaults: {}\npaths: {}\n`;
const runs = (level: string): ServerConfig => ({ global: { logLevel: level }, pathDefaults: {}, paths: [] });

let directory: string;
let configFile: string;
let clock: SteppedClock;
let publisher: ConfigPublisher;
let wanted: string;
let server: () => Promise<ServerConfig>;
let renderings: number;

function create(changes: Partial<ConfigPublisherDeps> = {}): ConfigPublisher {
  publisher = new ConfigPublisher({
    clock,
    log: silentLogger,
    configFile,
    fileMode: 0o600,
    render: () => {
      renderings += 1;
      return Promise.resolve(yaml(wanted));
    },
    readServer: () => server(),
    ...changes,
  });
  return publisher;
}

beforeEach(async () => {
  directory = await mkdtemp(path.join(os.tmpdir(), "reelkeeper-publisher-"));
  configFile = path.join(directory, "mediamtx.yml");
  clock = new SteppedClock();
  wanted = "info";
  renderings = 0;
  server = async () => runs(/logLevel: (\w+)/.exec(await readFile(configFile, "utf8"))?.[1] ?? "");
});
afterEach(async () => {
  await publisher.stop();
  await rm(directory, { recursive: true, force: true });
});

const isApplied = (): boolean => !publisher.state().pending && publisher.state().lastAppliedAtUs !== null;

describe("the publisher of mediamtx.yml", () => {
  it("writes before the server starts, readable by its owner only", async () => {
    await create().writeNow();
    expect(await readFile(configFile, "utf8")).toBe(yaml("info"));
    expect((await stat(configFile)).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(["mediamtx.yml"]);
  });

  it("leaves an unchanged file alone", async () => {
    await create().writeNow();
    const before = await stat(configFile, { bigint: true });
    publisher.start();
    publisher.requestApply();
    await clock.run(20_000, isApplied);
    expect(publisher.state()).toMatchObject({ pending: false, drift: [], error: null });
    expect((await stat(configFile, { bigint: true })).ino).toBe(before.ino);
  });

  it("keeps the file before the last change", async () => {
    await create().writeNow();
    publisher.start();
    wanted = "debug";
    publisher.requestApply();
    expect(publisher.state().pending).toBe(true);
    await clock.run(20_000, () => isApplied() && renderings > 1);
    expect(await readFile(configFile, "utf8")).toBe(yaml("debug"));
    expect(await readFile(path.join(directory, "mediamtx.previous.yml"), "utf8")).toBe(yaml("info"));
  });

  it("makes one write of many requests, and never two within 1.5 s", async () => {
    const writes: number[] = [];
    create({ validate: () => Promise.resolve(void writes.push(clock.nowMs)) });
    publisher.start();
    for (const level of ["error", "warn", "debug"]) {
      for (let request = 0; request < 10; request += 1) publisher.requestApply();
      wanted = level;
      await clock.run(60_000, isApplied);
    }
    expect(writes).toHaveLength(3);
    expect((writes[1] ?? 0) - (writes[0] ?? 0)).toBeGreaterThanOrEqual(1_500);
    expect((writes[2] ?? 0) - (writes[1] ?? 0)).toBeGreaterThanOrEqual(1_500);
  });

  it("never replaces the file by one that MediaMTX refuses (F56)", async () => {
    await create({
      validate: async (file) => {
        if ((await readFile(file, "utf8")) !== yaml("info")) {
          throw new AppError({ kind: "failed-precondition", message: "invalid logLevel" });
        }
      },
    }).writeNow();
    publisher.start();
    wanted = "loud";
    publisher.requestApply();
    await clock.run(5_000, () => publisher.state().error !== null);
    expect(publisher.state()).toMatchObject({ pending: true, error: "invalid logLevel" });
    expect(await readFile(configFile, "utf8")).toBe(yaml("info"));
    expect(await readdir(directory)).toEqual(["mediamtx.yml"]);
    wanted = "info";
    await clock.run(60_000, isApplied);
    expect(publisher.state()).toMatchObject({ pending: false, error: null });
  });

  it("waits until the server runs what was written", async () => {
    let answers = 0;
    server = () => Promise.resolve(runs((answers += 1) < 5 ? "old" : "info"));
    create().start();
    publisher.requestApply();
    await clock.run(5_000, isApplied);
    expect(answers).toBe(5);
    expect(publisher.state().lastAppliedAtUs).toBe(clock.nowUs());
  });

  it.each([
    ["is left alone without an alarm when it says the same", "alike", []],
    ["is left alone with an alarm when a person has to decide", "waits", [{ where: "the file" }]],
    ["is put right at once when it is wrong", "wrong", []],
  ] as const)("a file that somebody else changed %s", async (_, verdict, drift) => {
    let judged = 0;
    server = () => Promise.resolve(runs("info"));
    create({
      judgeFile: () => {
        judged += 1;
        return verdict;
      },
    });
    await publisher.writeNow();
    publisher.start();
    publisher.requestApply();
    await clock.run(20_000, isApplied);
    const edited = `# by hand\n${yaml("info")}`;
    await writeFile(configFile, edited);
    await clock.run(clock.nowMs + 60_000, () => judged > 0);
    await clock.run(clock.nowMs + 60_000, () => judged > 1 || publisher.state().drift.length > 0);
    await clock.run(clock.nowMs + 20_000);
    expect(publisher.state()).toMatchObject({ pending: false, drift, error: null });
    expect(await readFile(configFile, "utf8")).toBe(verdict === "wrong" ? yaml("info") : edited);
  });

  it("writes once more when the server has dropped the change, then raises drift", async () => {
    const inodes = new Set<bigint>();
    server = async () => {
      inodes.add((await stat(configFile, { bigint: true })).ino);
      return runs("old");
    };
    create().start();
    publisher.requestApply();
    await clock.run(29_000, () => publisher.state().drift.length > 0);
    expect(publisher.state()).toMatchObject({
      pending: true,
      drift: [{ where: "global", setting: "logLevel", expected: "info", actual: "old" }],
    });
    expect(inodes.size).toBe(2);
  });

  it("sees later that the server has left its configuration, and that it is back", async () => {
    create().start();
    publisher.requestApply();
    await clock.run(20_000, isApplied);
    server = () => Promise.resolve(runs("changed"));
    await clock.run(clock.nowMs + 35_000, () => publisher.state().drift.length > 0);
    expect(publisher.state().drift).toMatchObject([{ setting: "logLevel", actual: "changed" }]);
    server = () => Promise.resolve(runs("info"));
    await clock.run(clock.nowMs + 35_000, () => publisher.state().drift.length === 0);
    expect(publisher.state().drift).toEqual([]);
  });

  it("applies a change that nobody announced, such as an edited base", async () => {
    create().start();
    publisher.requestApply();
    await clock.run(20_000, isApplied);
    wanted = "warn";
    await clock.run(clock.nowMs + 35_000, () => renderings > 1 && isApplied() && clock.nowMs > 30_000);
    expect(await readFile(configFile, "utf8")).toBe(yaml("warn"));
  });

  it("says why it cannot tell while the server does not answer, and recovers (F57)", async () => {
    server = () => Promise.reject(new AppError({ kind: "unavailable", message: "no answer" }));
    create().start();
    publisher.requestApply();
    await clock.run(15_000, () => publisher.state().error !== null);
    expect(publisher.state()).toMatchObject({ pending: true, lastAppliedAtUs: null, error: "no answer" });
    server = () => Promise.resolve(runs("info"));
    await clock.run(clock.nowMs + 60_000, isApplied);
    expect(publisher.state()).toMatchObject({ pending: false, error: null });
  });

  it("tries again when the rows could not be read", async () => {
    let isDown = true;
    create({
      render: () =>
        isDown
          ? Promise.reject(new AppError({ kind: "unavailable", message: "database locked" }))
          : Promise.resolve(yaml("info")),
    }).start();
    publisher.requestApply();
    await clock.run(5_000, () => publisher.state().error !== null);
    expect(publisher.state()).toMatchObject({ pending: true, error: "database locked" });
    isDown = false;
    await clock.run(clock.nowMs + 60_000, isApplied);
    expect(await readFile(configFile, "utf8")).toBe(yaml("info"));
  });

  it("finds its feet after a crash between its writes (F56)", async () => {
    await writeFile(path.join(directory, ".mediamtx.yml.1b4e.tmp"), "torn");
    await writeFile(path.join(directory, "mediamtx.candidate.yml"), "torn");
    await writeFile(configFile, yaml("old"));
    await create().writeNow();
    expect(await readFile(configFile, "utf8")).toBe(yaml("info"));
    expect(await readFile(path.join(directory, "mediamtx.previous.yml"), "utf8")).toBe(yaml("old"));
  });

  it("stops at once, even in the middle of a wait", async () => {
    server = () => Promise.resolve(runs("old"));
    create().start();
    publisher.requestApply();
    await clock.run(1_000);
    await publisher.stop();
    expect(publisher.state().pending).toBe(true);
  });
});

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

import { describe, expect, it, onTestFinished } from "vitest";

import { WorkerPool } from "../../../src/media/worker-pool.js";
import { type Clock, systemClock } from "../../../src/platform/clock.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait-for.js";

/** Answers with what it was asked, its thread and the count of its jobs; can be told to fail in any way. */
const WORKER = `
import { existsSync, writeFileSync } from "node:fs";
import { parentPort, threadId } from "node:worker_threads";
let jobs = 0;
parentPort.on("message", ({ does, file, name }) => {
  jobs += 1;
  if (does === "throw") throw new Error("boom");
  if (does === "exit") process.exit(7);
  if (does === "hang") { writeFileSync(file, ""); for (;;); }
  if (does === "wait") { writeFileSync(file + ".begun", ""); while (!existsSync(file)); }
  parentPort.postMessage({ name, jobs, threadId });
});
`;

interface Reply {
  readonly name: string;
  readonly jobs: number;
  readonly threadId: number;
}

const FOREVER_MS = 60_000;
const NEVER = new AbortController().signal;

async function startPool(options: { readonly size?: number; readonly clock?: Clock; readonly worker?: string } = {}) {
  const directory = await tempDir();
  mkdirSync(directory, { recursive: true });
  const file = path.join(directory, "worker.mjs");
  writeFileSync(file, options.worker ?? WORKER);
  const pool = new WorkerPool({
    workerUrl: pathToFileURL(file),
    size: options.size ?? 1,
    clock: options.clock ?? systemClock,
  });
  pool.start();
  onTestFinished(() => pool.stop());
  const ask = (request: object, signal = NEVER): Promise<Reply> =>
    pool.run(request, { deadlineMs: FOREVER_MS, signal }) as Promise<Reply>;
  return { pool, ask, at: (name: string) => path.join(directory, name) };
}

describe("worker pool", () => {
  it("works first come, first served, and keeps its thread", async () => {
    const { ask } = await startPool();
    const order: string[] = [];
    const replies = await Promise.all(
      ["a", "b", "c", "d"].map(async (name) => {
        const reply = await ask({ name });
        order.push(reply.name);
        return reply;
      }),
    );
    expect(order).toEqual(["a", "b", "c", "d"]);
    expect(replies.map(({ jobs }) => jobs)).toEqual([1, 2, 3, 4]);
    expect(new Set(replies.map(({ threadId }) => threadId)).size).toBe(1);
  });

  it("runs as many jobs at once as it has threads", async () => {
    const { ask, at } = await startPool({ size: 2 });
    const waiting = ask({ does: "wait", file: at("go"), name: "waiting" });
    expect(await ask({ name: "other" })).toMatchObject({ name: "other" });
    writeFileSync(at("go"), "");
    expect(await waiting).toMatchObject({ name: "waiting" });
  });

  it.each(["throw", "exit"])(
    "rejects only the job whose worker crashes by %s, and goes on with a new one",
    async (does) => {
      const { ask } = await startPool();
      const crashing = ask({ does });
      const next = ask({ name: "next" });
      await expect(crashing).rejects.toMatchObject({ kind: "unavailable" });
      expect(await next).toMatchObject({ name: "next", jobs: 1 });
    },
  );

  it("ends a worker that misses its deadline, and goes on with a new one", async () => {
    const late = new AbortController();
    const clock: Clock = {
      ...systemClock,
      sleep: (ms, signal) =>
        ms === 1_234 ? systemClock.sleep(FOREVER_MS, late.signal) : systemClock.sleep(ms, signal),
    };
    const { pool, ask, at } = await startPool({ clock });
    const hanging = pool.run({ does: "hang", file: at("begun") }, { deadlineMs: 1_234, signal: NEVER });
    const refused = expect(hanging).rejects.toMatchObject({
      kind: "unavailable",
      message: "inspect file: no answer after 1234 ms",
    });
    await waitFor("the job to begin", () => existsSync(at("begun")));
    late.abort();
    await refused;
    expect(await ask({ name: "next" })).toMatchObject({ jobs: 1 });
  });

  it("cancels a job that runs and one that waits", async () => {
    const { ask, at } = await startPool();
    const running = new AbortController();
    const queued = new AbortController();
    const hanging = expect(ask({ does: "hang", file: at("begun") }, running.signal)).rejects.toMatchObject({
      kind: "cancelled",
    });
    const waiting = expect(ask({ name: "waiting" }, queued.signal)).rejects.toMatchObject({ kind: "cancelled" });
    const last = ask({ name: "last" });
    queued.abort();
    await waiting;
    await waitFor("the job to begin", () => existsSync(at("begun")));
    running.abort();
    await hanging;
    expect(await last).toMatchObject({ name: "last" });
    await expect(ask({}, AbortSignal.abort())).rejects.toMatchObject({ kind: "cancelled" });
  });

  it("cancels everything at stop and takes nothing after", async () => {
    const { pool, ask, at } = await startPool();
    const jobs = [ask({ does: "hang", file: at("begun") }), ask({ name: "queued" })];
    const refused = Promise.all(jobs.map((job) => expect(job).rejects.toMatchObject({ kind: "cancelled" })));
    await waitFor("the job to begin", () => existsSync(at("begun")));
    await pool.stop();
    await refused;
    await expect(ask({ name: "late" })).rejects.toMatchObject({ kind: "cancelled" });
  });

  it("lets one signal end a long queue, without a warning", async () => {
    const { ask, at } = await startPool();
    const warnings: Error[] = [];
    const onWarning = (warning: Error): number => warnings.push(warning);
    process.on("warning", onWarning);
    onTestFinished(() => void process.off("warning", onWarning));
    const all = new AbortController();
    const jobs = Array.from({ length: 50 }, () => ask({ does: "hang", file: at("begun") }, all.signal));
    const refused = Promise.all(jobs.map((job) => expect(job).rejects.toMatchObject({ kind: "cancelled" })));
    await waitFor("the first job to begin", () => existsSync(at("begun")));
    all.abort();
    await refused;
    expect(warnings).toEqual([]);
  });

  it("rejects each job as unavailable when no worker can be loaded", async () => {
    const { ask } = await startPool({ worker: "import './absent.mjs';" });
    const jobs = Array.from({ length: 5 }, () => expect(ask({})).rejects.toMatchObject({ kind: "unavailable" }));
    await Promise.all(jobs);
  });
});

/** The worker over a real queue in memory, with steps of the test's own and a clock that the test moves. */
import path from "node:path";

import { beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { type Catalog, closeCatalog, openCatalog } from "../../../src/catalog/catalog.js";
import { requestDeletion } from "../../../src/catalog/recordings.js";
import { AppError, type ErrorKind } from "../../../src/core/errors.js";
import type { Recording, RecordingId, Step } from "../../../src/core/recording.js";
import type { StepHandler } from "../../../src/pipeline/step.js";
import { type Lane, Worker } from "../../../src/pipeline/worker.js";
import type { LogFields, Logger } from "../../../src/platform/logger.js";
import { insertRow, read } from "../../contract/catalog/builders.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";
import { SEALING } from "../../support/sealing.js";
import { tempDir } from "../../support/temp-dir.js";
import { waitFor } from "../../support/wait-for.js";

const LEASE_MS = 60_000;
const DONE = { patch: { step: null } } as const;

let clock: FakeClock;
let catalog: Catalog;
let log: { readonly level: string; readonly message: string; readonly fields: LogFields }[];

beforeEach(async () => {
  clock = createFakeClock();
  catalog = await openCatalog({
    target: { kind: "sqlite", file: path.join(await tempDir({ inMemory: true }), "catalog.sqlite") },
    clock,
    nodeId: "node-1",
    sealing: SEALING,
  });
  log = [];
});

function createLog(): Logger {
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}): void =>
      void log.push({ level, message, fields });
  const logger = { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error"), child: () => logger };
  return logger;
}

interface Bench {
  readonly worker: Worker;
  /** How each step ended. */
  readonly ended: string[];
}

function startWorker(handlers: Partial<Record<Step, StepHandler>>, lanes?: readonly Lane[]): Bench {
  const unexpected: StepHandler = (recording) => Promise.reject(new Error(`unexpected step ${String(recording.step)}`));
  const ended: string[] = [];
  const all = {
    ...{ settle: unexpected, inspect: unexpected, archive: unexpected },
    ...{ release: unexpected, unlink: unexpected, delete: unexpected },
    ...handlers,
  };
  const onStepDone = (step: Step, _seconds: number, outcome: string): void => void ended.push(`${step} ${outcome}`);
  const worker = new Worker({ catalog, logger: createLog(), handlers: all, onStepDone }, lanes ?? [lane("inspect")]);
  worker.start();
  onTestFinished(async () => {
    const stopped = worker.stop(0);
    await clock.advance(0);
    await stopped;
    await closeCatalog(catalog);
  });
  return { worker, ended };
}

function lane(step: Step, concurrency = 1): Lane {
  return { name: step, steps: [step], concurrency: () => concurrency, leaseMs: LEASE_MS };
}

function add(sec: number, changes: Parameters<typeof insertRow>[2] = {}): Promise<Recording> {
  return insertRow(catalog, sec, { step: "inspect", ...changes });
}

/** A step that stands still until it is let go, and the rows that wait in it. */
function createGate(): { readonly handler: StepHandler; readonly inside: RecordingId[]; open(): void } {
  const inside: RecordingId[] = [];
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return {
    inside,
    open,
    handler: async (recording, signal) => {
      inside.push(recording.id);
      await Promise.race([opened, aborted(signal)]);
      signal.throwIfAborted();
      return DONE;
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

async function leaseOf(id: RecordingId): Promise<unknown> {
  const rows = (await catalog.db("recordings").where({ id })) as { lease_owner: unknown }[];
  return rows[0]!.lease_owner;
}

describe("a row that is claimed again while its first step still runs", () => {
  it("stays with the second step when the first one finds that it lost the row (F54)", async () => {
    const first = createGate();
    const second = createGate();
    let claims = 0;
    const { worker, ended } = startWorker(
      { inspect: (...args) => ((claims += 1) === 1 ? first : second).handler(...args) },
      [lane("inspect", 2)],
    );
    const { id } = await add(0);
    worker.wake();
    await waitFor("the first step", () => first.inside.length === 1);
    // As a hook or a scan does that finds the file changed.
    await catalog.db("recordings").where({ id }).update({ lease_owner: null, file_identity: "1:2:3:4" });
    worker.wake();
    await waitFor("the second step", () => second.inside.length === 1);
    const lease = await leaseOf(id);
    first.open();
    await waitFor("the first step to end", () => ended.length === 1);
    await waitFor("its row to be looked after", () => log.some(({ message }) => message === "step given back"));
    expect(await leaseOf(id)).toBe(lease);
    second.open();
    await waitFor("the second step to end", () => ended.length === 2);
    expect(ended).toEqual(["inspect cancelled", "inspect done"]);
    expect(claims).toBe(2);
  });
});

describe("due rows", () => {
  it("are taken at once when the worker is woken, without any time passing", async () => {
    const seen: RecordingId[] = [];
    const { worker } = startWorker({
      inspect: (recording) => {
        seen.push(recording.id);
        return Promise.resolve(DONE);
      },
    });
    await waitFor("the lane to sleep", () => clock.sleepers() === 1);
    const { id } = await add(0);
    worker.wake();
    await waitFor("the step to run", () => seen.length === 1);
    expect(seen).toEqual([id]);
    expect(clock.monotonicMs()).toBe(0);
  });

  it("are found within five seconds when nobody wakes the worker", async () => {
    const { ended } = startWorker({ inspect: () => Promise.resolve(DONE) });
    await waitFor("the lane to sleep", () => clock.sleepers() === 1);
    await add(0);
    await clock.advance(4_900);
    expect(ended).toEqual([]);
    await clock.advance(100);
    await waitFor("the step to run", () => ended.length === 1);
  });

  it("run when their time comes, and not before", async () => {
    const { ended } = startWorker({ inspect: () => Promise.resolve(DONE) });
    await add(0, { nextAttemptAtUs: clock.nowUs() + 30_000_000 });
    for (let sec = 0; sec < 29; sec += 1) {
      await waitFor("the lane to sleep", () => clock.sleepers() === 1);
      await clock.advance(1_000);
    }
    expect(ended).toEqual([]);
    await waitFor("its time to come", async () => {
      // No time passes while the lane is at work.
      if (clock.sleepers() === 1) await clock.advance(100);
      return ended.length === 1;
    });
    expect(clock.monotonicMs()).toBeLessThan(31_000);
  });

  it("go by priority first: an event clip waits for no backlog", async () => {
    const backlog = [await add(0), await add(4), await add(8)];
    const clip = await add(100, { priority: 10 });
    const seen: RecordingId[] = [];
    startWorker({
      inspect: (recording) => {
        seen.push(recording.id);
        return Promise.resolve(DONE);
      },
    });
    await waitFor("all steps to run", () => seen.length === 4);
    expect(seen[0]).toBe(clip.id);
    expect(seen.slice(1).sort()).toEqual(backlog.map(({ id }) => id).sort());
  });

  it("go through their steps without a pause between them", async () => {
    await add(0);
    const { ended } = startWorker(
      {
        inspect: () => Promise.resolve({ patch: { step: "archive" } }),
        archive: () => Promise.resolve({ patch: { step: "release" } }),
        release: () => Promise.resolve(DONE),
      },
      [lane("inspect"), lane("archive"), lane("release")],
    );
    await waitFor("the last step", () => ended.length === 3);
    expect(ended).toEqual(["inspect done", "archive done", "release done"]);
    expect(clock.monotonicMs()).toBe(0);
  });
});

describe("lanes", () => {
  it("do not starve one another: one that is stuck keeps no other from its work", async () => {
    for (const sec of [0, 4, 8]) await add(sec);
    for (const sec of [100, 104, 108]) await add(sec, { step: "archive" });
    const gate = createGate();
    const { ended } = startWorker({ inspect: gate.handler, archive: () => Promise.resolve(DONE) }, [
      lane("inspect"),
      lane("archive"),
    ]);
    await waitFor("the other lane to be done", () => ended.length === 3);
    expect(ended).toEqual(["archive done", "archive done", "archive done"]);
    expect(gate.inside).toHaveLength(1);
    gate.open();
    await waitFor("the stuck lane to go on", () => ended.length === 6);
  });

  it("never run more steps at once than they may, and that may change: 0 pauses", async () => {
    for (let sec = 0; sec < 40; sec += 4) await add(sec);
    let allowed = 3;
    let running = 0;
    let most = 0;
    let finished = 0;
    const inspect: StepHandler = async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      finished += 1;
      if (finished === 5) allowed = 0;
      return DONE;
    };
    const { worker } = startWorker({ inspect }, [{ ...lane("inspect"), concurrency: () => allowed }]);
    // Asleep: what it had asked the queue for before is not still to come.
    await waitFor("the lane to pause", () => finished >= 5 && running === 0 && clock.sleepers() === 1);
    const pausedAt = finished;
    expect(most).toBe(3);
    await clock.advance(20_000);
    worker.wake();
    await clock.advance(20_000);
    expect(finished).toBe(pausedAt);
    allowed = 1;
    worker.wake();
    await waitFor("the rest to run", () => finished === 10);
  });
});

const KINDS: readonly ErrorKind[] = [
  ...(["invalid-argument", "unauthenticated", "permission-denied", "not-found", "already-exists"] as const),
  ...(["failed-precondition", "unavailable", "resource-exhausted", "data-loss", "internal"] as const),
];

describe("a step that fails", () => {
  it.each<[string, unknown]>([
    ...KINDS.map((kind): [string, unknown] => [kind, new AppError({ kind, message: `failed as ${kind}` })]),
    ["an Error that nobody translated", new TypeError("failed as no AppError")],
    ["a thrown text", "failed as text"],
    ["nothing at all", undefined],
  ])("with %s never loses its row: it stays with the error, and comes back later", async (kind, thrown) => {
    const { id } = await add(0);
    let failing = true;
    const { ended } = startWorker({
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- whatever a step may throw
      inspect: () => (failing ? Promise.reject(thrown) : Promise.resolve(DONE)),
    });
    await waitFor("the step to fail", async () => ended.length === 1 && (await leaseOf(id)) === null);
    expect(ended).toEqual([`inspect ${KINDS.find((known) => known === kind) ?? "internal"}`]);
    const row = await read(catalog, id);
    expect(row).toMatchObject({ step: "inspect", attempts: 1 });
    expect(row.nextAttemptAtUs).toBeGreaterThanOrEqual(clock.nowUs() + 1_000_000);
    if (thrown !== undefined) expect(row.error).toContain("failed as");
    failing = false;
    await waitFor("the next try", async () => {
      await clock.advance(1_000);
      return ended.length === 2;
    });
    await waitFor("the end", async () => (await read(catalog, id)).step === null);
    expect(await read(catalog, id)).toMatchObject({ attempts: 0, error: null });
  });

  it("waits longer and longer, from 1 s to 15 min, and is never given up", async () => {
    const { id } = await add(0);
    let tries = 0;
    startWorker({
      inspect: () => {
        tries += 1;
        return Promise.reject(new AppError({ kind: "unavailable", message: "no answer" }));
      },
    });
    const waitedMs: number[] = [];
    for (let attempt = 1; attempt <= 25; attempt += 1) {
      await waitFor("the step to fail", async () => (await leaseOf(id)) === null && tries === attempt);
      const row = await read(catalog, id);
      expect(row).toMatchObject({ step: "inspect", attempts: attempt });
      waitedMs.push((row.nextAttemptAtUs - row.updatedAtUs) / 1_000);
      await waitFor("the next try", async () => {
        await clock.advance(Math.max(1_000, Math.min(60_000, (row.nextAttemptAtUs - clock.nowUs()) / 1_000)));
        return tries > attempt;
      });
    }
    for (const [attempts, ms] of waitedMs.entries()) {
      expect(ms).toBeGreaterThanOrEqual(1_000);
      expect(ms).toBeLessThanOrEqual(Math.min(900_000, 2_000 * 2 ** attempts));
    }
    // Full jitter: some of sixteen waits of up to 15 min is above one minute, but for one chance in 10^18.
    expect(Math.max(...waitedMs.slice(9))).toBeGreaterThan(60_000);
    const told = log.filter(({ message }) => message.startsWith("step failed")).map(({ fields }) => fields["attempts"]);
    expect(told).toEqual([0, 1, 3, 7, 15]);
  });

  it("waits as long as the store asked", async () => {
    const { id } = await add(0);
    const { ended } = startWorker({
      inspect: () => Promise.reject(new AppError({ kind: "unavailable", message: "503", retryAfterMs: 120_000 })),
    });
    await waitFor("the step to fail", async () => ended.length === 1 && (await leaseOf(id)) === null);
    expect((await read(catalog, id)).nextAttemptAtUs).toBe(clock.nowUs() + 120_000_000);
  });

  it("because its row was taken away leaves the row as it is, without an attempt counted (F54, F59)", async () => {
    const { id } = await add(0);
    const gate = createGate();
    const { worker, ended } = startWorker({ inspect: gate.handler, delete: () => Promise.resolve(DONE) }, [
      lane("inspect"),
      lane("delete"),
    ]);
    await waitFor("the step to begin", () => gate.inside.length === 1);
    await requestDeletion(catalog, id);
    worker.wake();
    await clock.advance(5_000);
    expect(ended).toEqual([]);
    gate.open();
    await waitFor("the deletion to run at once", () => ended.length === 2);
    expect(ended).toEqual(["inspect cancelled", "delete done"]);
    expect(await read(catalog, id)).toMatchObject({ step: null, attempts: 0 });
  });
});

describe("a queue that cannot be written to (F37)", () => {
  it("is asked once a second, told ever more rarely, and works on when it can", async () => {
    await add(0);
    await catalog.db.raw("pragma query_only = on");
    const { ended } = startWorker({ inspect: () => Promise.resolve(DONE) });
    const complaints = (): number => log.filter(({ message }) => message === "queue cannot be read").length;
    await waitFor("the first complaint", () => complaints() > 0);
    const untilMs = clock.monotonicMs() + 60_000;
    while (clock.monotonicMs() < untilMs) {
      await waitFor("the lane to sleep", () => clock.sleepers() === 1);
      await clock.advance(250);
    }
    expect(complaints()).toBeLessThanOrEqual(7);
    await catalog.db.raw("pragma query_only = off");
    await waitFor("the row to be worked on", async () => {
      await clock.advance(1_000);
      return ended.length === 1;
    });
  });
});

describe("stop", () => {
  it("lets running steps finish within the grace and takes no new ones", async () => {
    const [first, second] = [await add(0), await add(4)];
    const gate = createGate();
    const { worker } = startWorker({ inspect: gate.handler });
    await waitFor("the step to begin", () => gate.inside.length === 1);
    const stopped = worker.stop(10_000);
    gate.open();
    await stopped;
    const rows = await Promise.all([first.id, second.id].map((id) => read(catalog, id)));
    expect(rows.map(({ step }) => step).sort()).toEqual(["inspect", null]);
    expect(gate.inside).toHaveLength(1);
    expect(clock.monotonicMs()).toBe(0);
  });

  it("leaves no timer behind that keeps the process from ending", async () => {
    const { worker } = startWorker({});
    await worker.stop(10_000);
    expect(clock.sleepers()).toBe(0);
  });

  it("aborts what outlasts the grace; its row goes back untouched and at once (F15)", async () => {
    const { id, nextAttemptAtUs } = await add(0);
    const gate = createGate();
    const { worker } = startWorker({ inspect: gate.handler });
    await waitFor("the step to begin", () => gate.inside.length === 1);
    let hasStopped = false;
    const stopped = worker.stop(10_000).then(() => (hasStopped = true));
    await waitFor("the grace to run", () => clock.sleepers() === 1);
    await clock.advance(9_999);
    expect(hasStopped).toBe(false);
    await clock.advance(1);
    await stopped;
    expect(await leaseOf(id)).toBeNull();
    expect(await read(catalog, id)).toMatchObject({ step: "inspect", attempts: 0, error: null, nextAttemptAtUs });
  });
});

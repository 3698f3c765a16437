import { expect, it } from "vitest";

import { Gate, GateFull } from "../../../src/platform/gate.js";

const NEVER = new AbortController().signal;

/** Work that ends when it is told to. */
function held() {
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const state = { began: false };
  const work = async (): Promise<void> => {
    state.began = true;
    await ended;
  };
  return { state, work, end };
}

it("lets so many in at once, and the next in the order in which they came", async () => {
  const gate = new Gate({ purpose: "test", atOnce: 2, mostWaiting: 10 });
  const all = Array.from({ length: 4 }, held);
  const running = all.map(({ work }) => gate.run(work, NEVER));
  const began = async (): Promise<boolean[]> => {
    await new Promise((resolve) => setImmediate(resolve));
    return all.map(({ state }) => state.began);
  };
  expect(await began()).toEqual([true, true, false, false]);
  all[1]?.end();
  expect(await began()).toEqual([true, true, true, false]);
  for (const { end } of all) end();
  await Promise.all(running);
  expect(await began()).toEqual([true, true, true, true]);
});

it("gives the place of work that failed to the next", async () => {
  const gate = new Gate({ purpose: "test", atOnce: 1, mostWaiting: 1 });
  const failing = gate.run(() => Promise.reject(new Error("no")), NEVER);
  const next = gate.run(() => Promise.resolve("yes"), NEVER);
  await expect(failing).rejects.toThrow("no");
  expect(await next).toBe("yes");
  expect(await gate.run(() => Promise.resolve("free again"), NEVER)).toBe("free again");
});

it("refuses more than may wait, and forgets who gave up waiting", async () => {
  const gate = new Gate({ purpose: "test", atOnce: 1, mostWaiting: 1 });
  const first = held();
  const running = gate.run(first.work, NEVER);
  const leave = new AbortController();
  const waiting = gate.run(() => Promise.resolve(), leave.signal);
  await expect(gate.run(() => Promise.resolve(), NEVER)).rejects.toMatchObject({ kind: "unavailable" });
  leave.abort();
  await expect(waiting).rejects.toMatchObject({ kind: "cancelled" });
  const later = gate.run(() => Promise.resolve("in"), NEVER);
  first.end();
  await running;
  expect(await later).toBe("in");
  await expect(gate.run(() => Promise.resolve(), AbortSignal.abort())).rejects.toMatchObject({ kind: "cancelled" });
});

it("refuses who has waited too long, and says so", async () => {
  const gate = new Gate({ purpose: "test", atOnce: 1, mostWaiting: 5, mostWaitMs: 20 });
  const first = held();
  const running = gate.run(first.work, NEVER);
  const refused = await gate.run(() => Promise.resolve(), NEVER).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(GateFull);
  expect(refused).toMatchObject({
    kind: "unavailable",
    message: expect.stringContaining("no turn within 20 ms") as string,
  });
  first.end();
  await running;
  expect(await gate.run(() => Promise.resolve("in"), NEVER)).toBe("in");
});

it("holds a place for a stream from its first bit until it ends or its reader leaves", async () => {
  const gate = new Gate({ purpose: "test", atOnce: 1, mostWaiting: 0 });
  const bits = () => gate.stream(() => numbers(), NEVER);
  const reader = bits();
  // Nobody reads it yet.
  expect(await gate.run(() => Promise.resolve("in"), NEVER)).toBe("in");
  expect(await reader.next()).toEqual({ done: false, value: 1 });
  await expect(bits().next()).rejects.toBeInstanceOf(GateFull);
  await reader.return(undefined);
  const all: number[] = [];
  for await (const bit of bits()) all.push(bit);
  expect(all).toEqual([1, 2]);
  expect(await gate.run(() => Promise.resolve("free again"), NEVER)).toBe("free again");
});

async function* numbers(): AsyncGenerator<number> {
  yield 1;
  await Promise.resolve();
  yield 2;
}

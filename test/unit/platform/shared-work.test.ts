import { expect, it } from "vitest";

import { SharedWork } from "../../../src/platform/shared-work.js";

const NEVER = new AbortController().signal;

function countedWork() {
  const signals: AbortSignal[] = [];
  const ends: ((value: string) => void)[] = [];
  const work = (signal: AbortSignal): Promise<string> => {
    signals.push(signal);
    return new Promise((resolve) => ends.push(resolve));
  };
  return { work, signals, ends };
}

it("is done once for all who ask meanwhile, and anew for who asks later", async () => {
  const { work, signals, ends } = countedWork();
  const shared = new SharedWork<string>();
  const both = [shared.join("a", work, NEVER), shared.join("a", work, NEVER)];
  const other = shared.join("b", work, NEVER);
  expect(signals).toHaveLength(2);
  ends[0]?.("one");
  ends[1]?.("two");
  expect([await Promise.all(both), await other]).toEqual([["one", "one"], "two"]);
  void shared.join("a", work, NEVER);
  expect(signals).toHaveLength(3);
});

it("goes on while one is left, and is stopped when the last has gone", async () => {
  const { work, signals } = countedWork();
  const shared = new SharedWork<string>();
  const [first, second] = [new AbortController(), new AbortController()];
  const asked = [shared.join("a", work, first.signal), shared.join("a", work, second.signal)];
  const outcomes = Promise.allSettled(asked);
  first.abort();
  await expect(asked[0]).rejects.toMatchObject({ kind: "cancelled" });
  expect(signals[0]?.aborted).toBe(false);
  second.abort();
  await outcomes;
  expect(signals[0]?.aborted).toBe(true);
  // The old work is still ending.
  void shared.join("a", work, NEVER);
  expect([signals.length, signals[1]?.aborted]).toEqual([2, false]);
});

it("tells its failure to all, and leaves none behind that nobody hears", async () => {
  const shared = new SharedWork<string>();
  const fail = (): Promise<string> => Promise.reject(new Error("no"));
  const asked = [shared.join("a", fail, NEVER), shared.join("a", fail, NEVER)];
  for (const each of asked) await expect(each).rejects.toThrow("no");
  await expect(shared.join("a", fail, AbortSignal.abort())).rejects.toMatchObject({ kind: "cancelled" });
});

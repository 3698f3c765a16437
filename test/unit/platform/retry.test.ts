import { describe, expect, it } from "vitest";

import { AppError } from "../../../src/core/errors.js";
import type { Clock } from "../../../src/platform/clock.js";
import { retryUnavailable } from "../../../src/platform/retry.js";

const signal = new AbortController().signal;

function notingClock(): { clock: Clock; pausesMs: number[] } {
  const pausesMs: number[] = [];
  const sleep = (ms: number): Promise<void> => Promise.resolve(void pausesMs.push(ms));
  return { clock: { nowUs: () => 0, monotonicMs: () => 0, sleep }, pausesMs };
}

function failing(kind: "unavailable" | "permission-denied", times: number) {
  let calls = 0;
  return {
    calls: () => calls,
    work: (): Promise<string> => {
      calls += 1;
      return calls > times ? Promise.resolve("done") : Promise.reject(new AppError({ kind, message: "no" }));
    },
  };
}

describe("retryUnavailable", () => {
  it("tries again while the far side is away, with longer and longer pauses", async () => {
    const { clock, pausesMs } = notingClock();
    const { work, calls } = failing("unavailable", 2);
    expect(await retryUnavailable(clock, signal, work)).toBe("done");
    expect([calls(), pausesMs]).toEqual([3, [250, 500]]);
  });

  it("gives up in the end, and says why", async () => {
    const { clock } = notingClock();
    const { work, calls } = failing("unavailable", 99);
    await expect(retryUnavailable(clock, signal, work)).rejects.toMatchObject({ kind: "unavailable" });
    expect(calls()).toBe(4);
  });

  it("never asks again what was refused, and nothing after the signal", async () => {
    const { clock } = notingClock();
    const refused = failing("permission-denied", 99);
    await expect(retryUnavailable(clock, signal, refused.work)).rejects.toMatchObject({ kind: "permission-denied" });
    expect(refused.calls()).toBe(1);
    const away = failing("unavailable", 99);
    await expect(retryUnavailable(clock, AbortSignal.abort(), away.work)).rejects.toMatchObject({
      kind: "unavailable",
    });
    expect(away.calls()).toBe(1);
  });
});

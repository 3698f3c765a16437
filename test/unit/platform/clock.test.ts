import { describe, expect, it, onTestFinished, vi } from "vitest";

import { systemClock } from "../../../src/platform/clock.js";

describe("the system clock", () => {
  it("tells whole microseconds of the wall clock", () => {
    const beforeMs = Date.now();
    const us = systemClock.nowUs();
    expect(Number.isSafeInteger(us)).toBe(true);
    expect(us / 1_000).toBeGreaterThanOrEqual(beforeMs);
    expect(us / 1_000).toBeLessThanOrEqual(Date.now());
  });

  it("never goes back in its monotonic time", () => {
    const readings = Array.from({ length: 1_000 }, () => systemClock.monotonicMs());
    expect(readings).toEqual([...readings].sort((a, b) => a - b));
  });

  it("sleeps as long as it was asked to", async () => {
    vi.useFakeTimers();
    onTestFinished(() => {
      vi.useRealTimers();
    });
    let awake = false;
    void systemClock.sleep(900_000).then(() => (awake = true));
    await vi.advanceTimersByTimeAsync(899_999);
    expect(awake).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(awake).toBe(true);
  });

  it("does not wake at once from a sleep that is longer than a timer can be", async () => {
    const abort = new AbortController();
    const sleep = systemClock.sleep(Number.MAX_SAFE_INTEGER, abort.signal);
    const first = await Promise.race([sleep.then(() => "sleep"), systemClock.sleep(20).then(() => "short")]);
    expect(first).toBe("short");
    abort.abort();
    await sleep;
  });

  it("wakes when the signal aborts, and leaves no listener and no timer", async () => {
    vi.useFakeTimers();
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const abort = new AbortController();
    const sleep = systemClock.sleep(60_000, abort.signal);
    abort.abort();
    await sleep;
    expect(vi.getTimerCount()).toBe(0);
    await systemClock.sleep(60_000, abort.signal);
    expect(vi.getTimerCount()).toBe(0);
  });
});

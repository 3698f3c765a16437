/** How many uploads at once, and what people are told of the rate. */
import { beforeEach, describe, expect, it } from "vitest";

import { createRateLimiter } from "../../../src/archive/rate-limiter.js";
import { UploadPace } from "../../../src/archive/upload-pace.js";
import { AppError, type ErrorKind } from "../../../src/core/errors.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";

const signal = new AbortController().signal;

let clock: FakeClock;
let pace: UploadPace;

beforeEach(() => {
  clock = createFakeClock();
  pace = new UploadPace(clock, 16, createRateLimiter(clock, 0));
});

function succeed(): Promise<void> {
  return pace.measure(() => Promise.resolve());
}

async function fail(kind: ErrorKind = "unavailable"): Promise<void> {
  const upload = pace.measure(() => Promise.reject(new AppError({ kind, message: `put: ${kind}` })));
  await expect(upload).rejects.toMatchObject({ kind });
}

describe("the number of uploads at once", () => {
  it("begins at four and grows by one with each round of successes, up to what is allowed", async () => {
    expect(pace.concurrency).toBe(4);
    for (let upload = 0; upload < 4; upload += 1) await succeed();
    expect(pace.concurrency).toBe(5);
    for (let upload = 0; upload < 500; upload += 1) await succeed();
    expect(pace.concurrency).toBe(16);
  });

  it("never exceeds a cap below four", () => {
    expect(new UploadPace(clock, 2, createRateLimiter(clock, 0)).concurrency).toBe(2);
  });

  it("halves when the store is overloaded, once for all that were in flight together (F21)", async () => {
    for (let upload = 0; upload < 500; upload += 1) await succeed();
    for (let upload = 0; upload < 16; upload += 1) await fail();
    expect(pace.concurrency).toBe(8);
    await clock.advance(1_000);
    await fail();
    expect(pace.concurrency).toBe(4);
  });

  it("never falls below one, and recovers from there", async () => {
    for (let round = 0; round < 20; round += 1) {
      await fail();
      await clock.advance(1_000);
    }
    expect(pace.concurrency).toBe(1);
    await succeed();
    expect(pace.concurrency).toBe(2);
  });

  it.each(["failed-precondition", "already-exists", "not-found", "permission-denied", "cancelled"] as const)(
    "is not lowered by %s, which says nothing about load",
    async (kind) => {
      await fail(kind);
      expect(pace.concurrency).toBe(4);
    },
  );
});

describe("the report", () => {
  it("tells the store's last complaint until an upload goes well", async () => {
    expect(pace.report().lastError).toBeNull();
    await fail("permission-denied");
    expect(pace.report().lastError).toContain("permission-denied");
    await fail("already-exists");
    expect(pace.report().lastError).toContain("permission-denied");
    await succeed();
    expect(pace.report().lastError).toBeNull();
  });

  it("tells the rate of the last minute, and 0 when nothing goes", async () => {
    const onBytes = pace.onBytes(signal);
    for (let second = 0; second < 300; second += 1) {
      await onBytes(1_000);
      await clock.advance(1_000);
    }
    expect(pace.report().bytesPerSec).toBeGreaterThan(800);
    expect(pace.report().bytesPerSec).toBeLessThan(1_200);
    for (let second = 0; second < 300; second += 1) {
      await onBytes(5_000);
      await clock.advance(1_000);
    }
    expect(pace.report().bytesPerSec).toBeGreaterThan(4_000);
    await clock.advance(600_000);
    expect(pace.report().bytesPerSec).toBe(0);
  });
});

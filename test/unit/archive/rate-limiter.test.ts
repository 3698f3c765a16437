import { expect, it } from "vitest";

import { createRateLimiter, type RateLimiter } from "../../../src/archive/rate-limiter.js";
import { createFakeClock, type FakeClock } from "../../support/fake-clock.js";

const never = new AbortController().signal;

/** An upload that sends chunk after chunk as fast as it may. */
function upload(limiter: RateLimiter, chunkBytes: number, signal = never): { sent: number; ended: Promise<unknown> } {
  const onBytes = limiter.onBytes(signal);
  const progress = { sent: 0, ended: Promise.resolve() as Promise<unknown> };
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await onBytes(chunkBytes);
      progress.sent += chunkBytes;
    }
  };
  progress.ended = run().catch((error: unknown) => error);
  return progress;
}

async function stopAll(clock: FakeClock, controller: AbortController): Promise<void> {
  controller.abort();
  await clock.advance(0);
}

it("never delays without a cap", () => {
  const onBytes = createRateLimiter(createFakeClock(), 0).onBytes(never);
  for (let index = 0; index < 1_000; index += 1) expect(onBytes(1e9)).toBeUndefined();
});

it.each([64, 1_000, 100_000])("keeps to the rate with chunks of %i bytes", async (chunkBytes) => {
  const clock = createFakeClock();
  const controller = new AbortController();
  const progress = upload(createRateLimiter(clock, 10_000), chunkBytes, controller.signal);
  await clock.advance(100_000);
  // 100 s at the rate, one second of burst, and the chunk that overdraws.
  expect(progress.sent).toBeGreaterThanOrEqual(1_000_000 - chunkBytes);
  expect(progress.sent).toBeLessThanOrEqual(1_010_000 + chunkBytes);
  await stopAll(clock, controller);
});

it("lets a burst of one second go at once, and no more after a long pause", async () => {
  const clock = createFakeClock();
  const onBytes = createRateLimiter(clock, 1_000).onBytes(never);
  expect(onBytes(1_000)).toBeUndefined();
  await clock.advance(3_600_000);
  expect(onBytes(1_000)).toBeUndefined();
  expect(onBytes(1)).toBeInstanceOf(Promise);
});

it("gives concurrent uploads the same share", async () => {
  const clock = createFakeClock();
  const controller = new AbortController();
  const limiter = createRateLimiter(clock, 50_000);
  const uploads = Array.from({ length: 5 }, () => upload(limiter, 1_000, controller.signal));
  await clock.advance(60_000);
  const sent = uploads.map((progress) => progress.sent);
  expect(sent.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(3_051_000);
  for (const bytes of sent) expect(Math.abs(bytes - 600_000)).toBeLessThan(60_000);
  await stopAll(clock, controller);
});

it("does not let a large chunk starve small ones", async () => {
  const clock = createFakeClock();
  const controller = new AbortController();
  const limiter = createRateLimiter(clock, 10_000);
  const large = upload(limiter, 40_000, controller.signal);
  const small = upload(limiter, 100, controller.signal);
  await clock.advance(60_000);
  expect(large.sent).toBeGreaterThan(400_000);
  expect(small.sent).toBeGreaterThan(1_000);
  await stopAll(clock, controller);
});

it("ends a wait as cancelled when its signal aborts, and others go on", async () => {
  const clock = createFakeClock();
  const limiter = createRateLimiter(clock, 1_000);
  const controller = new AbortController();
  const cancelled = upload(limiter, 5_000, controller.signal);
  await clock.advance(10);
  const others = new AbortController();
  const other = upload(limiter, 100, others.signal);
  await clock.advance(10);
  controller.abort();
  expect(await cancelled.ended).toMatchObject({ kind: "cancelled" });
  await clock.advance(10_000);
  expect(other.sent).toBeGreaterThan(1_000);
  await stopAll(clock, others);
});

it("ends the wait of whoever is stopped at once, not when those before it have gone", async () => {
  const clock = createFakeClock();
  const limiter = createRateLimiter(clock, 1_000);
  await limiter.onBytes(never)(60_000);
  const before = limiter.onBytes(never)(1_000);
  const controller = new AbortController();
  const stopped = Promise.resolve(limiter.onBytes(controller.signal)(1_000)).catch((error: unknown) => error);
  controller.abort();
  expect(await stopped).toMatchObject({ kind: "cancelled" });
  // Nor does it cost those after it anything.
  const after = limiter.onBytes(never)(1_000);
  await clock.advance(60_001);
  await before;
  await clock.advance(1_001);
  await after;
});

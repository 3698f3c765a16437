import { describe, expect, it } from "vitest";

import { Pulse } from "../../../src/wiring/pulse.js";
import { createFakeClock } from "../../support/fake-clock.js";

describe("the pulse", () => {
  it("knows nothing at start, and then how long ago hook and segment came", async () => {
    const clock = createFakeClock();
    const pulse = new Pulse(clock);
    expect([pulse.secondsSinceHook(), pulse.secondsSinceSegment(), pulse.hooksAreAlive()]).toEqual([null, null, false]);
    await clock.advance(20_000);
    pulse.hookCame();
    await clock.advance(2_000);
    pulse.segmentIndexed(clock.nowUs());
    await clock.advance(3_000);
    expect([pulse.secondsSinceHook(), pulse.secondsSinceSegment(), pulse.hooksAreAlive()]).toEqual([5, 3, true]);
  });

  it("takes no notice of a segment that ended before anybody could tell of it", async () => {
    const clock = createFakeClock();
    const endedUs = clock.nowUs() - 1;
    const pulse = new Pulse(clock);
    await clock.advance(20_000);
    pulse.segmentIndexed(endedUs);
    expect(pulse.secondsSinceSegment()).toBeNull();
  });

  it("gives hooks up after ten minutes of silence: the watch takes over", async () => {
    const clock = createFakeClock();
    const pulse = new Pulse(clock);
    pulse.hookCame();
    await clock.advance(599_000);
    expect(pulse.hooksAreAlive()).toBe(true);
    await clock.advance(1_000);
    expect(pulse.hooksAreAlive()).toBe(false);
    pulse.hookCame();
    expect(pulse.hooksAreAlive()).toBe(true);
  });
});

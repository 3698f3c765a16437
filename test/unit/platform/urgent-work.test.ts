import { describe, expect, it } from "vitest";

import { UrgentWork } from "../../../src/platform/urgent-work.js";
import { createFakeClock } from "../../support/fake-clock.js";

describe("urgent work", () => {
  it("is kept waiting from 5 ms on, until it is done", async () => {
    const clock = createFakeClock();
    const urgent = new UrgentWork(clock);
    const end = urgent.begin();
    await clock.advance(5);
    expect(urgent.isKeptWaiting).toBe(false);
    await clock.advance(1);
    expect(urgent.isKeptWaiting).toBe(true);
    end();
    expect(urgent.isKeptWaiting).toBe(false);
  });

  it("counts by its oldest piece, whichever ends first", async () => {
    const clock = createFakeClock();
    const urgent = new UrgentWork(clock);
    const endOldest = urgent.begin();
    await clock.advance(20);
    const endNewest = urgent.begin();
    endNewest();
    expect(urgent.isKeptWaiting).toBe(true);
    const end = urgent.begin();
    endOldest();
    endOldest();
    expect(urgent.isKeptWaiting).toBe(false);
    await clock.advance(16);
    expect(urgent.isKeptWaiting).toBe(true);
    end();
    expect(urgent.isKeptWaiting).toBe(false);
  });
});

import { describe, expect, it, onTestFinished, vi } from "vitest";

import { Turns } from "../../../src/platform/turns.js";

function round(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

describe("turns", () => {
  it("come one in each round of the event loop, in the order in which they were asked for", async () => {
    const turns = new Turns(() => false);
    const taken: number[] = [];
    for (const number of [1, 2, 3]) void turns.take().then(() => taken.push(number));
    const seen: number[] = [];
    for (let rounds = 0; rounds < 5; rounds += 1) {
      await round();
      seen.push(taken.length);
    }
    expect(taken).toEqual([1, 2, 3]);
    const steps = seen.map((count, index) => count - (seen[index - 1] ?? 0));
    expect(Math.max(...steps)).toBe(1);
  });

  it("step back while something cannot wait, and come all the same", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout"] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const turns = new Turns(() => true);
    const order: string[] = [];
    const taken = turns.take().then(() => order.push("turn"));
    // A turn by itself comes within two rounds.
    for (let rounds = 0; rounds < 3; rounds += 1) await round();
    order.push("three rounds");
    await vi.advanceTimersByTimeAsync(5);
    await taken;
    expect(order).toEqual(["three rounds", "turn"]);
  });
});

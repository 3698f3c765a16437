import { describe, expect, it } from "vitest";

import { type Urgency, WriteLine } from "../../../src/catalog/write-line.js";

const LONG_MS = 60_000;

/** Work that ends when it is told to, and what has begun so far. */
function watchedLine(mostWaitMs = LONG_MS) {
  const line = new WriteLine(mostWaitMs);
  const begun: string[] = [];
  const enter = (name: string, urgency: Urgency) => {
    let end = (): void => undefined;
    const gate = new Promise<void>((resolve) => (end = resolve));
    const done = line.run(urgency, async () => {
      begun.push(name);
      await gate;
      return name;
    });
    return { end, done };
  };
  return { line, begun, enter };
}

describe("the line of those who write", () => {
  it("lets a hook go before all others that wait, and not before the one that writes", async () => {
    const { begun, enter } = watchedLine();
    const entered = [enter("a", "other"), enter("b", "other"), enter("c", "other"), enter("hook", "hook")];
    expect(begun).toEqual(["a"]);
    for (const { end } of entered) end();
    expect(await Promise.all(entered.map(({ done }) => done))).toEqual(["a", "b", "c", "hook"]);
    expect(begun).toEqual(["a", "hook", "b", "c"]);
  });

  it("lets others go between two hooks that come one after the other", async () => {
    const { begun, enter } = watchedLine();
    const first = enter("hook 1", "hook");
    const other = enter("other", "other");
    // As the group commit does it: the next group comes when the one before was answered.
    const second = first.done.then(() => enter("hook 2", "hook"));
    first.end();
    await second;
    other.end();
    const last = await second;
    last.end();
    await Promise.all([other.done, last.done]);
    expect(begun).toEqual(["hook 1", "other", "hook 2"]);
  });

  it("has one inside at any time, whatever fails", async () => {
    const { line } = watchedLine();
    let inside = 0;
    let most = 0;
    const work = async (index: number): Promise<void> => {
      inside += 1;
      most = Math.max(most, inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside -= 1;
      if (index % 3 === 0) throw new Error("failed inside");
    };
    const all = Array.from({ length: 40 }, async (_, index) => {
      for (let pause = 0; pause < index % 5; pause += 1) await Promise.resolve();
      return line.run(index % 2 === 0 ? "hook" : "other", () => work(index));
    });
    const ends = await Promise.allSettled(all);
    expect(most).toBe(1);
    expect(ends.filter(({ status }) => status === "rejected")).toHaveLength(14);
    await line.run("other", () => Promise.resolve());
  });

  it("refuses who waited too long, and forgets them", async () => {
    const { begun, enter } = watchedLine(20);
    const first = enter("first", "other");
    const late = enter("late", "other");
    await expect(late.done).rejects.toMatchObject({
      kind: "unavailable",
      message: expect.stringContaining("20 ms") as string,
    });
    first.end();
    await first.done;
    const next = enter("next", "other");
    next.end();
    await next.done;
    expect(begun).toEqual(["first", "next"]);
  });
});

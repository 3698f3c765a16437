import { describe, expect, it } from "vitest";

import { mapInOrder } from "../../../src/platform/map-in-order.js";

async function* numbers(count: number): AsyncGenerator<number> {
  for (let at = 0; at < count; at += 1) yield await Promise.resolve(at);
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe("mapInOrder", () => {
  it("gives results in the order of the items, with at most so many at work", async () => {
    let atWork = 0;
    let most = 0;
    const results = await collect(
      mapInOrder(numbers(20), 4, async (item) => {
        atWork += 1;
        most = Math.max(most, atWork);
        await new Promise((resolve) => setImmediate(resolve));
        atWork -= 1;
        return item * 2;
      }),
    );
    expect(results).toEqual(Array.from({ length: 20 }, (_, at) => at * 2));
    expect(most).toBe(4);
  });

  it("ends with the first failure, and waits for what is at work", async () => {
    const ended: number[] = [];
    const results = mapInOrder(numbers(20), 4, async (item) => {
      await Promise.resolve();
      ended.push(item);
      if (item === 2) throw new Error("no 2");
      return item;
    });
    await expect(collect(results)).rejects.toThrow("no 2");
    expect(ended.length).toBeLessThan(10);
  });

  it("has no items, and gives none", async () => {
    expect(await collect(mapInOrder(numbers(0), 4, (item) => Promise.resolve(item)))).toEqual([]);
  });
});

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { mergeJoin } from "../../../src/verify/merge-join.js";

async function* each(items: readonly string[]): AsyncGenerator<string> {
  for (const item of items) yield await Promise.resolve(item);
}

async function joined(left: readonly string[], right: readonly string[]) {
  const pairs: [string | undefined, string | undefined][] = [];
  const keyOf = (key: string): string => key;
  for await (const pair of mergeJoin({ items: each(left), keyOf }, { items: each(right), keyOf })) {
    pairs.push([pair.left, pair.right]);
  }
  return pairs;
}

describe("mergeJoin", () => {
  it("pairs equal keys and gives the others alone, in order", async () => {
    expect(await joined(["a", "b", "d"], ["b", "c", "d", "e"])).toEqual([
      ["a", undefined],
      ["b", "b"],
      [undefined, "c"],
      ["d", "d"],
      [undefined, "e"],
    ]);
  });

  it("gives a second row of one object alone", async () => {
    expect(await joined(["a", "a"], ["a"])).toEqual([
      ["a", "a"],
      ["a", undefined],
    ]);
  });

  it("loses and invents nothing, whatever the lists", async () => {
    const keys = fc
      .uniqueArray(fc.string({ unit: fc.constantFrom("a", "-", "/", "_", "z") }))
      .map((list) => list.sort());
    await fc.assert(
      fc.asyncProperty(keys, keys, async (left, right) => {
        const pairs = await joined(left, right);
        expect(pairs.map(([key]) => key).filter((key) => key !== undefined)).toEqual(left);
        expect(pairs.map(([, key]) => key).filter((key) => key !== undefined)).toEqual(right);
        expect(pairs.filter(([l, r]) => l !== undefined && r !== undefined).map(([key]) => key)).toEqual(
          left.filter((key) => right.includes(key)),
        );
      }),
    );
  });
});

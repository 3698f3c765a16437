import { describe, expect, it } from "vitest";

import { ByteCappedCache } from "../../../src/platform/byte-capped-cache.js";
import { createFakeClock } from "../../support/fake-clock.js";

describe("a cache with a cap", () => {
  it("gives back what was put, until its time is over", async () => {
    const clock = createFakeClock();
    const cache = new ByteCappedCache<string>(clock, { mostBytes: 100, keepMs: 1_000 });
    cache.put("a", "A", 10);
    expect([cache.get("a"), cache.get("b")]).toEqual(["A", undefined]);
    await clock.advance(999);
    expect(cache.get("a")).toBe("A");
    await clock.advance(1);
    expect(cache.get("a")).toBeUndefined();
  });

  it("drops what was used longest ago, and never keeps what alone is too large", () => {
    const cache = new ByteCappedCache<number>(createFakeClock(), { mostBytes: 100, keepMs: 1_000 });
    cache.put("a", 1, 40);
    cache.put("b", 2, 40);
    cache.get("a");
    cache.put("c", 3, 40);
    expect(["a", "b", "c"].map((key) => cache.get(key))).toEqual([1, undefined, 3]);
    cache.put("a", 4, 20);
    cache.put("d", 5, 40);
    expect(["a", "c", "d"].map((key) => cache.get(key))).toEqual([4, 3, 5]);
    cache.put("e", 6, 101);
    expect(["a", "c", "d", "e"].map((key) => cache.get(key))).toEqual([4, 3, 5, undefined]);
  });
});

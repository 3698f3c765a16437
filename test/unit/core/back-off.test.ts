import fc from "fast-check";
import { expect, it } from "vitest";

import { fullJitterMs } from "../../../src/core/back-off.js";

it("waits between one second and 15 minutes, however often it failed", () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.nat(), random, (attempts, drawn) => {
      const ms = fullJitterMs(attempts, () => drawn);
      return Number.isInteger(ms) && ms >= 1_000 && ms <= 900_000;
    }),
  );
});

it("doubles its bound with each attempt until 15 minutes", () => {
  const bounds = [0, 1, 2, 8, 9, 40].map((attempts) => fullJitterMs(attempts, () => 1));
  expect(bounds).toEqual([2_000, 4_000, 8_000, 512_000, 900_000, 900_000]);
});

it("spreads over the whole range", () => {
  expect([0, 0.5, 1].map((drawn) => fullJitterMs(1, () => drawn))).toEqual([1_000, 2_500, 4_000]);
});

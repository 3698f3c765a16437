import { expect, it } from "vitest";

import { SpareBuffers } from "../../../src/platform/spare-buffers.js";

it("gives a buffer to one at a time, takes it back, and keeps no more than it may", () => {
  const buffers = new SpareBuffers(8, 2);
  const [first, second, third] = [buffers.take(), buffers.take(), buffers.take()];
  expect([first.length, new Set([first, second, third]).size]).toEqual([8, 3]);
  for (const buffer of [first, second, third]) buffers.giveBack(buffer);
  const again = [buffers.take(), buffers.take(), buffers.take()];
  expect(new Set(again).size).toBe(3);
  expect(again.filter((buffer) => [first, second].includes(buffer))).toHaveLength(2);
  expect(again).not.toContain(third);
});

import { expect, it } from "vitest";

import { parseByteSize } from "../../../src/core/byte-size.js";

it.each([
  ["0", 0],
  ["1500", 1_500],
  ["512K", 524_288],
  ["256M", 268_435_456],
  ["4G", 4_294_967_296],
  ["9007199254740991", 9_007_199_254_740_991],
])("reads %s", (text, bytes) => {
  expect(parseByteSize(text)).toBe(bytes);
});

it.each(["", "-1", "1.5M", "1 M", "1MB", "1k", "9007199254740992", "9007199254740991G", "M"])("refuses %j", (text) => {
  expect(parseByteSize(text)).toBeUndefined();
});

import { readFile } from "node:fs/promises";

import { expect, it } from "vitest";

import { faultPoint } from "../../../src/platform/fault-point.js";

it("does nothing at a fault point, and reads nothing that could change that", async () => {
  expect(faultPoint("archive.after-put")).toBeUndefined();
  const source = await readFile(new URL("../../../src/platform/fault-point.ts", import.meta.url), "utf8");
  expect(source).not.toMatch(/process\.|globalThis|import\(/);
});

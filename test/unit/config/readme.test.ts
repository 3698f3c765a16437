import { readFileSync, writeFileSync } from "node:fs";

import { expect, it } from "vitest";

import { withVariableTable } from "../../support/variable-table.js";

const README = new URL("../../../README.md", import.meta.url);

// UPDATE_README=1 npm run test:unit writes the table.
it("the README's table says of every variable what src/config/variables.ts says", async () => {
  const expected = await withVariableTable(readFileSync(README, "utf8"));
  if (process.env["UPDATE_README"] === "1") writeFileSync(README, expected);
  expect(readFileSync(README, "utf8")).toBe(expected);
});

import { readFileSync, writeFileSync } from "node:fs";

import { expect, it } from "vitest";

import { withTables } from "../../support/readme-tables.js";

const README = new URL("../../../README.md", import.meta.url);

// UPDATE_README=1 npm run test:unit writes the tables.
it("the README's tables say of every variable and of every setting of a path what the code says", () => {
  const expected = withTables(readFileSync(README, "utf8"));
  if (process.env["UPDATE_README"] === "1") writeFileSync(README, expected);
  expect(readFileSync(README, "utf8")).toBe(expected);
});

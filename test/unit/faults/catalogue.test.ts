import { expect, it } from "vitest";

import { FAULTS } from "../../faults/catalogue.js";
import { coveringFiles, faultTable } from "../../support/fault-table.js";

it("has a test, or a reason for none, for every fault of the catalogue", async () => {
  const covering = await coveringFiles();
  const bare = FAULTS.filter(({ id, notYet }) => !covering.has(id) && notYet === undefined).map(({ id }) => id);
  expect(bare).toEqual([]);
});

it("gives no reason for a fault that has a test", async () => {
  const covering = await coveringFiles();
  const outdated = FAULTS.filter(({ id, notYet }) => covering.has(id) && notYet !== undefined).map(({ id }) => id);
  expect(outdated).toEqual([]);
});

it("shows the table as the tests are now (npm run test:unit -- -u writes it)", async () => {
  await expect(await faultTable()).toMatchFileSnapshot("../../faults/README.md");
});

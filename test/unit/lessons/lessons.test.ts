/** The table of lessons is kept true by the names of the tests. */
import * as prettier from "prettier";
import { expect, it } from "vitest";

import { LESSONS } from "../../faults/lessons.js";
import { coveringFiles } from "../../support/fault-table.js";

const INTRODUCTION = `# Lessons

Holes that others had, and where a test holds that they are not here. Generated from \`lessons.ts\` and the names of the
tests; a unit test keeps it true.`;

function covering(): Promise<Map<string, string[]>> {
  return coveringFiles(new RegExp(LESSONS.map(({ id }) => `\\b${id}\\b`).join("|"), "g"));
}

it("has a test, or a reason for none, for every lesson", async () => {
  const files = await covering();
  const bare = LESSONS.filter(({ id, notYet }) => !files.has(id) && notYet === undefined).map(({ id }) => id);
  expect(bare).toEqual([]);
});

it("shows the table as the tests are now (npm run test:unit -- -u writes it)", async () => {
  const files = await covering();
  const rows = LESSONS.map(({ id, whose, hole, mustHold, notYet }) => {
    const tests = (files.get(id) ?? []).map((file) => `\`${file}\``).join(", ");
    return `| ${id} | ${whose} | ${hole} | ${mustHold} | ${tests === "" ? `not yet: ${notYet ?? ""}` : tests} |`;
  });
  const table = ["| id | of | hole | must hold | tested in |", "|---|---|---|---|---|", ...rows].join("\n");
  const text = await prettier.format(`${INTRODUCTION}\n\n${table}\n`, { parser: "markdown", printWidth: 120 });
  await expect(text).toMatchFileSnapshot("../../faults/LESSONS.md");
});

/** Which tests carry which fault id in their name, read from the test files themselves. */
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

import * as prettier from "prettier";

import { FAULTS } from "../faults/catalogue.js";

const INTRODUCTION = `# Faults

What goes wrong around a recording companion, and what must happen. Generated from \`catalogue.ts\` and the names of the
tests; a unit test keeps it true.

Two sweeps look for what nobody thought of: \`integration/faults/fault-points.test.ts\` kills, fails, pauses and repeats a
small pipeline at every named point of the sources, \`integration/faults/system-calls.test.ts\` kills it at, or fails, its
Nth system call. After each the pipeline runs to its end and the independent checker looks at what is left. A plain
\`npm test\` plays a part of both; \`FAULT_SWEEP=all npm test -- integration/faults\` plays all of it, for hours.
\`FAULT_SEED\` repeats a choice of system calls.`;

const TEST_DIR = new URL("..", import.meta.url).pathname;
/** Titles of tests, of groups, and of table rows that become titles: any text that is quoted on one line. */
const QUOTED = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`/g;

/** Id → files with a test of that name, relative to `test/`. By itself of faults. */
export async function coveringFiles(ids = /\bF\d{1,2}\b/g): Promise<Map<string, string[]>> {
  const covering = new Map<string, string[]>();
  const entries = await readdir(TEST_DIR, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => path.relative(TEST_DIR, path.join(entry.parentPath, entry.name)))
    .filter((file) => /^(unit|contract|integration)\//.test(file))
    .sort();
  for (const file of files) {
    const text = await readFile(path.join(TEST_DIR, file), "utf8");
    const titles = (text.match(QUOTED) ?? []).join("\n");
    for (const id of new Set(titles.match(ids))) covering.set(id, [...(covering.get(id) ?? []), file]);
  }
  return covering;
}

export async function faultTable(): Promise<string> {
  const covering = await coveringFiles();
  const rows = FAULTS.map(({ id, fault, mustHappen, notYet, partly }) => {
    const files = covering.get(id) ?? [];
    const shown = files.slice(0, 3).map((file) => `\`${file}\``);
    const more = files.length > 3 ? ` and ${files.length - 3} more` : "";
    const open = partly === undefined ? "" : `; not watched: ${partly}`;
    const tests = files.length > 0 ? shown.join(", ") + more + open : `not yet: ${notYet ?? ""}`;
    return `| ${id} | ${fault} | ${mustHappen} | ${tests} |`;
  });
  const table = ["| id | fault | must happen | tested in |", "|---|---|---|---|", ...rows].join("\n");
  return prettier.format(`${INTRODUCTION}\n\n${table}\n`, { parser: "markdown", printWidth: 120 });
}

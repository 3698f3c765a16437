/** Before the tests with real parts: dist/ is what src/ says, for those that start processes of ours. */
import path from "node:path";
import { fileURLToPath } from "node:url";

import { build } from "../../src/prepare.mjs";

/** A type error anywhere fails CI; elsewhere the compiler has written dist/ all the same, and the tests go on. */
export function setup() {
  try {
    build(path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../.."));
  } catch (error) {
    if (process.env.CI !== undefined) throw error;
    process.stderr.write(`${String(error)}\n`);
  }
}

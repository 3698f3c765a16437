/** The README's table of environment variables, made from src/config/variables.ts. */
import { format } from "prettier";

import { type Variable, VARIABLES } from "../../src/config/variables.js";

const MARKED = /<!-- variables -->\n[^]*<!-- \/variables -->/;

/** The README with the table between its markers as it should be. */
export async function withVariableTable(readme: string): Promise<string> {
  if (!MARKED.test(readme)) throw new Error("the README has no markers <!-- variables --> and <!-- /variables -->");
  const table = await format(tableOf(VARIABLES), { parser: "markdown", printWidth: 120 });
  return readme.replace(MARKED, () => `<!-- variables -->\n\n${table}\n<!-- /variables -->`);
}

function tableOf(variables: Readonly<Record<string, Variable>>): string {
  const rows = Object.entries(variables).map(([name, { about, fallback, accepts, secret }]) =>
    [`\`${name}\`${secret === true ? " (secret)" : ""}`, about, fallback, accepts].map(escaped).join(" | "),
  );
  return ["Variable | What it is | Default | Accepted", "--- | --- | --- | ---", ...rows]
    .map((row) => `| ${row} |`)
    .join("\n");
}

function escaped(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}

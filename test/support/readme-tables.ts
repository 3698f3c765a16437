/** The README's tables that are made from the code: environment variables, and settings of a path. */
import { type Variable, VARIABLES } from "../../src/config/variables.js";
import { SETTING_NAMES, settingFacts } from "../../src/contract/setting-facts.js";

/** The README with each table between its markers as it should be. */
export function withTables(readme: string): string {
  return withTable(withTable(readme, "variables", variableRows(VARIABLES)), "settings", settingRows());
}

type Rows = readonly (readonly string[])[];

/** A line for each, so that a change of one is a change of one line. */
function withTable(readme: string, name: string, rows: Rows): string {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const marked = new RegExp(`${begin}\n[^]*${end}`);
  if (!marked.test(readme)) throw new Error(`the README has no markers ${begin} and ${end}`);
  const table = rows.map((row) => `| ${row.map(escaped).join(" | ")} |`).join("\n");
  return readme.replace(marked, () => `${begin}\n<!-- prettier-ignore -->\n${table}\n\n${end}`);
}

function variableRows(variables: Readonly<Record<string, Variable>>): Rows {
  const rows = Object.entries(variables).map(([name, { about, fallback, accepts, secret }]) => [
    `\`${name}\`${secret === true ? " (secret)" : ""}`,
    ...[about, fallback, accepts],
  ]);
  return [["Variable", "What it is", "Default", "Accepted"], ["---", "---", "---", "---"], ...rows];
}

function settingRows(): Rows {
  const rows = SETTING_NAMES.map((name) => {
    const { type, mediamtxDefault, help, accepts, minVersion } = settingFacts(name);
    const since = minVersion === undefined ? "" : ` MediaMTX ${minVersion} or newer.`;
    return [`\`${name}\``, `${help}${since}`, type, defaultText(mediamtxDefault), accepts];
  });
  return [["Setting", "What it does", "Type", "Default", "Accepted"], ["---", "---", "---", "---", "---"], ...rows];
}

function defaultText(value: unknown): string {
  if (value === null || value === "" || (Array.isArray(value) && value.length === 0)) return "none";
  if (Array.isArray(value)) return value.join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

function escaped(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("<", "&lt;");
}

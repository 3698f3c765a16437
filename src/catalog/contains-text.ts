/**
 * Whether a column has a text in it, whatever the case of its letters, in both dialects. What is a wildcard there stands
 * for itself. No index helps: whoever asks bounds the rows that are looked at.
 */
import type { Knex } from "knex";

import { dialectOf } from "./dialect.js";

/** ILIKE knows the case that the column's collation knows, and LIKE of SQLite that of ASCII: else each case is spelt out. */
export function containsText(db: Knex, column: string, text: string): Knex.Raw {
  if (dialectOf(db) === "postgres") return db.raw("?? ~ ?", [column, anyCase(text, /[\\^$.|?*+(){}[\]]/, "\\")]);
  // Several times as fast as GLOB with classes.
  if (/^[ -~]*$/.test(text)) {
    return db.raw("?? like ? escape '|'", [column, `%${text.replaceAll(/[|%_]/g, "|$&")}%`]);
  }
  return db.raw("?? glob ?", [column, `*${anyCase(text, /[*?[]/, "[")}*`]);
}

/** A letter as a class of its cases; what has a meaning of its own is escaped, by a backslash or as a class too. */
function anyCase(text: string, special: RegExp, escape: "\\" | "["): string {
  return Array.from(text)
    .map((character) => {
      if (special.test(character)) return escape === "[" ? `[${character}]` : `\\${character}`;
      const cases = [character, character.toLowerCase(), character.toUpperCase()];
      const single = [...new Set(cases.filter((each) => Array.from(each).length === 1))];
      return single.length > 1 ? `[${single.join("")}]` : character;
    })
    .join("");
}

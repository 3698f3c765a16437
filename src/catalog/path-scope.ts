/** The policy's rule about paths (access/policy.ts) as a condition, so that lists are cut by the database. */
import type { Knex } from "knex";

import { EVERY_PATH, prefixOf } from "../core/path-pattern.js";
import type { PathScopes } from "../core/principal.js";

/** Adds to `query` that `column` (`path collate "C"` where the dialect has collations) is open to these scopes. */
export function inScopes(query: Knex.QueryBuilder, column: string, scopes: PathScopes): Knex.QueryBuilder {
  for (const patterns of scopes) {
    if (patterns.includes(EVERY_PATH)) continue;
    const prefixes = patterns.flatMap((pattern) => prefixOf(pattern) ?? []);
    const names = patterns.filter((pattern) => prefixOf(pattern) === undefined);
    query.andWhere((any) => {
      void any.whereIn(column, names);
      // "0" is the character after "/": a walk of the index, and no wildcard that a name could hold.
      for (const prefix of prefixes)
        void any.orWhere((one) => void one.where(column, ">=", `${prefix}/`).andWhere(column, "<", `${prefix}0`));
    });
  }
  return query;
}

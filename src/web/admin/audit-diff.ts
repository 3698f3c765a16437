/** What an entry of the audit log has changed, value by value. Pure. */

export interface Change {
  /** As in `config.applied`; empty: the whole, which is one value. */
  readonly field: string;
  /** Undefined: was not there. */
  readonly before: string | undefined;
  /** Undefined: is not there any more. */
  readonly after: string | undefined;
}

/** Only what differs. Lists count as one value. */
export function changesOf(before: unknown, after: unknown): Change[] {
  const [old, now] = [valuesOf(before), valuesOf(after)];
  const fields = [...new Set([...old.keys(), ...now.keys()])];
  return fields
    .map((field) => ({ field, before: old.get(field), after: now.get(field) }))
    .filter((change) => change.before !== change.after);
}

function valuesOf(value: unknown, field = ""): Map<string, string> {
  if (value === null || value === undefined)
    return field === "" ? new Map<string, string>() : new Map([[field, "null"]]);
  if (typeof value !== "object" || Array.isArray(value)) return new Map([[field, textOf(value)]]);
  const entries = Object.entries(value);
  return new Map(entries.flatMap(([name, inner]) => [...valuesOf(inner, field === "" ? name : `${field}.${name}`)]));
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

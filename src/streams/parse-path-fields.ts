/** What a file or a preview says of one path, under the schemas of the requests that change it. */
import { whyRefusedSetting } from "../contract/setting-facts.js";
import { AppError } from "../core/errors.js";

interface Schema<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false; error: { issues: readonly Issue[] } };
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
  readonly keys?: readonly string[];
}

/** `what`: for the message. Throws `invalid-argument` that names each wrong field. */
export function parsePathFields<T>(schema: Schema<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields = result.error.issues.flatMap(({ path, message, keys }) =>
    keys === undefined
      ? [{ field: path.map(String).join("."), message }]
      : keys.map((key) => ({ field: key.slice(0, 80), message: whyRefusedSetting(key) ?? "is no setting of a path" })),
  );
  const first = fields[0];
  const why = first === undefined ? "" : `: ${first.field} ${first.message}`;
  throw new AppError({ kind: "invalid-argument", message: `${what} is not accepted${why}`, fields });
}

/** RFC 9457 problem details: the one place where an error becomes an answer. */
import type { z } from "zod";

import { AppError, type ErrorKind, type FieldError, toAppError } from "../core/errors.js";
import { whyRefusedSetting } from "../contract/setting-facts.js";
import { redactText } from "../core/redact.js";

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly hint?: string;
  readonly errors?: readonly FieldError[];
}

const STATUS: Readonly<Record<ErrorKind, readonly [status: number, title: string]>> = {
  "invalid-argument": [400, "Bad request"],
  unauthenticated: [401, "Not authenticated"],
  "permission-denied": [403, "Not allowed"],
  "not-found": [404, "Not found"],
  "already-exists": [409, "Already exists"],
  "failed-precondition": [409, "Not possible now"],
  unavailable: [503, "Not available now"],
  "resource-exhausted": [507, "Out of space"],
  "rate-limited": [429, "Too many requests"],
  "data-loss": [500, "Data is damaged"],
  cancelled: [503, "Cancelled"],
  internal: [500, "Internal error"],
};

/** A failure of HTTP itself (405, 413, 415), which has a status of its own. */
export class HttpError extends AppError {
  readonly status: number;

  constructor(status: number, init: ConstructorParameters<typeof AppError>[0]) {
    super(init);
    this.status = status;
  }
}

export function problemOf(error: unknown): Problem {
  const { kind, message, hint, fields } = toAppError(error);
  const [status, title] = STATUS[kind];
  return {
    type: `urn:reelkeeper:problem:${kind}`,
    title,
    status: error instanceof HttpError ? error.status : status,
    // What went wrong inside is for the log.
    detail: kind === "internal" ? "see the log" : redactText(message),
    ...(hint === undefined ? {} : { hint: redactText(hint) }),
    ...(fields.length === 0
      ? {}
      : { errors: fields.map(({ field, message: why }) => ({ field, message: redactText(why) })) }),
  };
}

/** Names each wrong field, and says what would be right. */
export function invalidRequest(part: string, error: z.ZodError, given: unknown): AppError {
  const fields = error.issues.flatMap((issue): FieldError[] => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => {
        const why = whyRefusedSetting(key);
        return {
          field: [...issue.path.map(String), key].join(".").slice(0, 80),
          message: why ?? `is not known in the ${part}`,
        };
      });
    }
    const field = issue.path.map(String).join(".") || part;
    return [{ field, message: `${issue.message}${valueText(given, issue.path)}` }];
  });
  const first = fields[0];
  return new AppError({
    kind: "invalid-argument",
    message: `the ${part} is not accepted: ${first === undefined ? "unknown reason" : `${first.field}: ${first.message}`}`,
    fields,
  });
}

const MOST_SHOWN = 60;

function valueText(given: unknown, path: readonly PropertyKey[]): string {
  let value = given;
  for (const key of path) {
    // One text may stand for a list: `a,b`.
    if (typeof value === "string") break;
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return "";
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  const names = path.map(String);
  const isSecret = names.some((name) => /secret|token|pass|^(?:yaml|text)$/i.test(name));
  if (isSecret || value === undefined || typeof value === "object") return "";
  return `, got ${JSON.stringify(typeof value === "string" ? shown(value, names.includes("source")) : value)}`;
}

/** A malformed URL may hold a password anywhere behind its scheme, where no pattern would surely find it. */
function shown(text: string, isSource: boolean): string {
  const end = text.search(isSource ? /:/ : /:\/\//);
  const open = end < 0 ? text : `${text.slice(0, end)}:…`;
  return open.length <= MOST_SHOWN ? open : `${open.slice(0, MOST_SHOWN)}…`;
}

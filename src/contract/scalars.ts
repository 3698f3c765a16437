/** Scalars that several schemas share, with units and forms. */
import { z } from "zod";

import { isDuration, parseDurationMs } from "../core/duration.js";
import { isAppError } from "../core/errors.js";
import { parseRfc3339 } from "../core/instant.js";
import { isPathName, type PathName, whyNotPathName } from "../core/path-name.js";

export const pathName = z
  .string()
  .max(200)
  .superRefine((text, context) => {
    const reason = whyNotPathName(text);
    if (reason !== undefined) context.addIssue({ code: "custom", message: reason });
  })
  .transform((text): PathName => {
    if (isPathName(text)) return text;
    throw new TypeError("unreachable: refined above");
  })
  .meta({ description: "MediaMTX path name (its rule since 1.17.1)", examples: ["cam1", "site/gate"] });

/** In: RFC 3339 text; inside: microseconds since 1970 UTC. */
export const instantUs = z
  .string()
  .max(40)
  .transform((text, context): number => {
    try {
      return parseRfc3339(text);
    } catch (error) {
      if (!isAppError(error)) throw error;
      context.addIssue({
        code: "custom",
        message: "expected an RFC 3339 date-time with a zone, such as 2026-11-20T17:04:43Z",
      });
      return z.NEVER;
    }
  })
  .meta({
    description: "RFC 3339 date-time",
    standsFor: { type: "string", format: "date-time" },
    examples: ["2026-11-20T17:04:43.022940Z"],
  });

/** Added to any instant it stays below 2^53 microseconds, which is in the year 2255. */
const LONGEST_RETENTION_MS = 36_500 * 86_400_000;

export const retention = z
  .string()
  .max(32)
  .refine((text) => text !== "" && isDuration(text) && parseDurationMs(text) <= LONGEST_RETENTION_MS, {
    error: "expected a duration such as 0s, 30m, 24h or 7d, at most 36500d",
  })
  .meta({ description: "Duration in MediaMTX's form", examples: ["24h", "7d"] });

/** `a,b` and repeated parameters alike. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.preprocess(
    (value) =>
      value === undefined
        ? undefined
        : (Array.isArray(value) ? value : [value]).flatMap((text: unknown) =>
            typeof text === "string" ? text.split(",") : [text],
          ),
    z.array(item).min(1).max(100),
  );
}

export function integer(name: string, [min, max]: readonly [number, number]) {
  const expected = `expected an integer from ${String(min)} to ${String(max)}`;
  return z
    .string()
    .regex(/^\d{1,10}$/, { error: expected })
    .transform(Number)
    .pipe(z.number().min(min, { error: expected }).max(max, { error: expected }))
    .meta({ description: name, standsFor: { type: "integer", minimum: min, maximum: max } });
}

export const flag = z
  .enum(["true", "false"])
  .transform((text) => text === "true")
  .meta({ standsFor: { type: "boolean" } });

export const uuid = z.uuid({ error: "expected a UUID" });
/** Answers: RFC 3339 in UTC. */
export const instantOut = z.string().meta({ format: "date-time" });

/** Bodies of `POST /hooks/…`: JSON or application/x-www-form-urlencoded with the same fields, unknown ones ignored. */
import { z } from "zod";

import { MAX_PATH_NAME_LENGTH, isPathName, type PathName } from "../core/path-name.js";

/** PATH_MAX of Linux: no longer path can be opened. */
const MAX_FILE_PATH_LENGTH = 4_096;
const MAX_DURATION_SEC = 7 * 86_400;

const pathName = z
  .string()
  .max(MAX_PATH_NAME_LENGTH)
  .refine((text): text is PathName => isPathName(text), { error: "expected a MediaMTX path name" });

/** Seconds; a form sends text, and an empty text is what an unset variable becomes. */
const EXPECTED_SECONDS = `expected seconds from 0 to ${String(MAX_DURATION_SEC)}`;
const seconds = z
  .union(
    [
      z.number(),
      z.literal("").transform(() => undefined),
      z
        .string()
        .regex(/^\d{1,9}(\.\d{1,12})?$/)
        .transform(Number),
    ],
    { error: EXPECTED_SECONDS },
  )
  .pipe(z.number().min(0, { error: EXPECTED_SECONDS }).max(MAX_DURATION_SEC, { error: EXPECTED_SECONDS }).optional());

/** MediaMTX's own words; PostgreSQL stores no NUL. */
const word = (most: number) =>
  z
    .string()
    .max(most)
    .regex(/^[^\u0000-\u001F\u007F-\u009F\uD800-\uDFFF]*$/u, { error: "expected text without control characters" });

/** The secret may come as a field, because busybox `wget` would put a header on its command line. */
const secret = z.string().max(512).optional();

export const segmentHookSchema = z.object({
  secret,
  path: pathName,
  /** As MediaMTX names the file, in its own mount namespace. */
  segmentPath: z
    .string()
    .min(1)
    .max(MAX_FILE_PATH_LENGTH)
    .refine((text) => !text.includes("\0"), { error: "must not hold a NUL" }),
  segmentDuration: seconds.optional(),
});

export const sourceHookSchema = z.object({
  secret,
  path: pathName,
  sourceType: word(64).optional(),
  sourceId: word(128).optional(),
});

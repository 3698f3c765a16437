/** What a clip is asked for with. */
import { z } from "zod";

import { isTimeZone } from "../core/calendar.js";
import { instantUs, pathName } from "./scalars.js";

/** The tables of a plain MP4 are made before its first byte; a day of them is what we hold in memory. */
const LONGEST_CLIP_US = 86_400_000_000;

export const clipQuerySchema = z
  .strictObject({
    path: pathName,
    from: instantUs.meta({ description: "The clip begins at the sync sample at or before it" }),
    to: instantUs.meta({ description: "The clip ends with the frame before it; at most 24 h after from" }),
    format: z
      .enum(["mp4", "fmp4"])
      .default("mp4")
      .meta({ description: "mp4: moov in front, for every player; fmp4: fragments, sent as they are read" }),
    gaps: z.enum(["keep", "close"]).default("keep").meta({
      description: "keep: time jumps over what is missing; close: what follows a gap follows at once",
    }),
    zone: z
      .string()
      .max(64)
      .refine(isTimeZone, { error: "expected an IANA time zone such as Europe/Berlin" })
      .optional()
      .meta({
        description: "IANA time zone of the time in the file name; else the server's",
        examples: ["Europe/Berlin"],
      }),
  })
  .superRefine(({ from, to }, context) => {
    if (from >= to) context.addIssue({ code: "custom", path: ["to"], message: "expected an instant after from" });
    else if (to - from > LONGEST_CLIP_US) {
      context.addIssue({ code: "custom", path: ["to"], message: "expected at most 24 h after from" });
    }
  });

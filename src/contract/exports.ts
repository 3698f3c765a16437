/** Exports: clips that are made in the background and kept in the store for a while. */
import { z } from "zod";

import { isDuration, parseDurationMs } from "../core/duration.js";
import { EXPORT_STATES } from "../core/export.js";
import { instantOut, instantUs, pathName, uuid } from "./scalars.js";

const LONGEST_US = 86_400_000_000;
const SHORTEST_KEEP_MS = 60_000;
const LONGEST_KEEP_MS = 90 * 86_400_000;

const keep = z
  .string()
  .max(32)
  .refine((text) => text !== "" && isDuration(text) && isKeepable(parseDurationMs(text)), {
    error: "expected a duration from 1m to 90d",
  })
  .default("7d")
  .meta({ description: "How long the result stays in the store", examples: ["24h", "7d"] });

function isKeepable(ms: number): boolean {
  return ms >= SHORTEST_KEEP_MS && ms <= LONGEST_KEEP_MS;
}

export const newExportSchema = z
  .strictObject({
    path: pathName,
    from: instantUs.meta({ description: "It begins at the sync sample at or before it" }),
    to: instantUs.meta({ description: "It ends with the frame before it; at most 24 h after from" }),
    format: z
      .enum(["mp4", "fmp4"])
      .default("mp4")
      .meta({ description: "mp4: moov in front, for every player; fmp4: fragments" }),
    gaps: z.enum(["keep", "close"]).default("keep").meta({
      description: "keep: time jumps over what is missing; close: what follows a gap follows at once",
    }),
    keep,
  })
  .superRefine(({ from, to }, context) => {
    if (from >= to) context.addIssue({ code: "custom", path: ["to"], message: "expected an instant after from" });
    else if (to - from > LONGEST_US) {
      context.addIssue({ code: "custom", path: ["to"], message: "expected at most 24 h after from" });
    }
  });

export const exportSchema = z
  .object({
    id: uuid,
    path: z.string(),
    from: instantOut,
    to: instantOut,
    format: z.enum(["mp4", "fmp4"]),
    gaps: z.enum(["keep", "close"]),
    state: z.enum(EXPORT_STATES).meta({
      description:
        "queued: waits for its turn or its next attempt; running; done; failed: error says why; " +
        "cancelled, deleted: a person asked for it, before and after it was done; expired: its time was over",
    }),
    writtenBytes: z.number(),
    estimatedBytes: z.number().nullable(),
    progress: z.number().min(0).max(1).meta({ description: "About how much is written; 1 only when it is done" }),
    error: z.string().nullable().meta({ description: "Of the last attempt" }),
    bytes: z.number().nullable().meta({ description: "Of the result" }),
    sha256: z.string().nullable().meta({ description: "hex, of the result" }),
    startAt: instantOut.nullable().meta({ description: "Wall clock of its first frame" }),
    endAt: instantOut.nullable().meta({ description: "Wall clock of its end" }),
    createdAt: instantOut,
    expiresAt: instantOut.nullable(),
  })
  .meta({ id: "Export" });

export const exportListSchema = z.object({ items: z.array(exportSchema) }).meta({ id: "ExportList" });

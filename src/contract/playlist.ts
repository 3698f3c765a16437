/** What a playlist is asked for with. */
import { z } from "zod";

import { US_PER_SEC } from "../core/instant.js";
import { instantUs, pathName } from "./scalars.js";

const LONGEST_RANGE_US = 86_400 * US_PER_SEC;

/** 1 or true, as players' addresses are written by hand. */
const switchedOn = z
  .enum(["1", "0", "true", "false"])
  .transform((text) => text === "1" || text === "true")
  .meta({ standsFor: { type: "string", enum: ["1", "0", "true", "false"] } });

export const playlistQuerySchema = z
  .strictObject({
    path: pathName,
    from: instantUs.meta({ description: "Where it begins: at the last sync sample at or before" }),
    to: instantUs.meta({ description: "Where it ends; after `from` and at most 24 h later" }),
    live: switchedOn.default(false).meta({
      description: "An EVENT playlist that grows until `to`, which may be to come; choose `from` close to now",
    }),
    multivariant: switchedOn.default(false).meta({
      description: "Answer the playlist above it, with CODECS, RESOLUTION, FRAME-RATE and BANDWIDTH of the range",
    }),
    transcode: z.enum(["h264"]).optional().meta({
      description: "For browsers that lack the codecs: H.264 and AAC are made of each segment (TRANSCODING=on)",
    }),
  })
  .superRefine(checkDay);

/** `to` is after `from`, by at most 24 h. */
export function checkDay({ from, to }: { readonly from: number; readonly to: number }, context: z.RefinementCtx): void {
  const message =
    to <= from
      ? "expected an instant after from"
      : to - from > LONGEST_RANGE_US
        ? "expected at most 24 h after from"
        : undefined;
  if (message !== undefined) context.addIssue({ code: "custom", path: ["to"], message });
}

const LONGEST_PIECE_US = 600 * US_PER_SEC;

/** As a playlist says it. */
export const transcodedQuerySchema = z
  .strictObject({
    from: instantUs.meta({ description: "The piece begins at the last sync sample at or before it" }),
    to: instantUs.meta({ description: "After `from`, at most 10 min later" }),
  })
  .superRefine(({ from, to }, context) => {
    const message =
      to <= from
        ? "expected an instant after from"
        : to - from > LONGEST_PIECE_US
          ? "expected at most 10 min after from"
          : undefined;
    if (message !== undefined) context.addIssue({ code: "custom", path: ["to"], message });
  });

/** A player asks with what a playlist says, so both instants or none are there. */
export const mediaQuerySchema = z
  .strictObject({
    from: instantUs
      .optional()
      .meta({ description: "With `to`: only bytes that a playlist of this range names are sent" }),
    to: instantUs.optional(),
  })
  .superRefine(({ from, to }, context) => {
    if ((from === undefined) === (to === undefined) && (from === undefined || from < (to ?? 0))) return;
    context.addIssue({ code: "custom", path: ["to"], message: "expected an instant after from, or neither of both" });
  });

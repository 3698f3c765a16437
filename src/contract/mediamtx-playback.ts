/** MediaMTX's playback API as it is (`api/playback.openapi.yaml` there): its parameters, its answers, its errors. */
import { z } from "zod";

/** What stands first counts, and parameters that nobody knows are no error, as in MediaMTX. */
function firstOf(description: string) {
  return z
    .union([z.string(), z.array(z.string())])
    .optional()
    .transform((value) => (typeof value === "string" ? value : (value?.[0] ?? "")))
    .meta({ description, standsFor: { type: "string" } });
}

export const mediaMtxListQuerySchema = z.looseObject({
  path: firstOf("MediaMTX path name"),
  start: firstOf("RFC 3339; timespans that end after it"),
  end: firstOf("RFC 3339; timespans that begin before it"),
});

export const mediaMtxGetQuerySchema = z.looseObject({
  path: firstOf("MediaMTX path name"),
  start: firstOf("RFC 3339"),
  duration: firstOf("Seconds, at most 24 h; or a Go duration such as 1h30m"),
  format: firstOf("fmp4 (default) or mp4"),
});

export const mediaMtxListSchema = z
  .array(
    z.object({
      start: z.string().meta({ format: "date-time" }),
      duration: z.number().meta({ description: "seconds" }),
      url: z.string().meta({ description: "Of the whole timespan" }),
    }),
  )
  .meta({ id: "MediaMtxTimespans" });

export const mediaMtxErrorSchema = z
  .object({ status: z.literal("error"), error: z.string() })
  .meta({ id: "MediaMtxError" });

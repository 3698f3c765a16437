/** What forms and scripts may know about settings of paths before they write one. */
import { z } from "zod";

export const settingListSchema = z
  .object({
    mediamtxVersion: z.string(),
    items: z.array(
      z.object({
        name: z.string(),
        section: z.string(),
        type: z.enum(["text", "boolean", "integer", "duration", "size", "choice", "list"]),
        accepts: z.string().meta({ description: "In words" }),
        choices: z.array(z.string()).optional(),
        help: z.string(),
        mediamtxDefault: z.unknown().meta({ description: "Where neither the path nor the base configuration says" }),
        minVersion: z.string().nullable().meta({ description: "Of MediaMTX; null: every supported one" }),
        isSupported: z.boolean().meta({ description: "By the MediaMTX that runs" }),
        needsReconnect: z.boolean().meta({ description: "A change disconnects the source or publisher of this path" }),
      }),
    ),
  })
  .meta({ id: "PathSettingList" });

export const templateListSchema = z
  .object({ items: z.array(z.object({ id: z.string(), description: z.string() })) })
  .meta({ id: "TemplateList" });

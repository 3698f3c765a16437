/** What forms and scripts may know about settings of paths before they write one. */
import { z } from "zod";

import { pathPatchSchema } from "./paths.js";
import { pathName } from "./scalars.js";

export const settingListSchema = z
  .object({
    mediamtxVersion: z.string(),
    items: z.array(
      z.object({
        name: z.string(),
        section: z.enum(["source", "publisher", "recording", "readers", "alwaysAvailable", "commands"]),
        type: z.enum(["text", "boolean", "integer", "duration", "size", "choice", "list"]),
        accepts: z.string().meta({ description: "In words" }),
        choices: z.array(z.string()).optional(),
        help: z.string(),
        inherited: z.unknown().meta({
          description: "What a path gets that says nothing, and that the base configuration does not name",
        }),
        mediamtxDefault: z.unknown().meta({ description: "Where neither the path nor the base configuration says" }),
        minVersion: z.string().nullable().meta({ description: "Of MediaMTX; null: every supported one" }),
        isSupported: z.boolean().meta({ description: "By the MediaMTX that runs" }),
        secret: z
          .enum(["whole", "in-url"])
          .nullable()
          .meta({ description: "Answered with *** in its place; sent back so, it stays. in-url: the password in it" }),
        needsReconnect: z.boolean().meta({ description: "A change disconnects the source or publisher of this path" }),
      }),
    ),
  })
  .meta({ id: "PathSettingList" });

export const templateListSchema = z
  .object({ items: z.array(z.object({ id: z.string(), description: z.string() })) })
  .meta({ id: "TemplateList" });

const names = z.array(pathName).min(1).max(1_000);
const dryRun = z.boolean().default(false).meta({ description: "Tell what would be done, and do nothing" });

export const bulkSchema = z.strictObject({
  names,
  patch: pathPatchSchema.refine((patch) => Object.keys(patch).length > 0, { error: "expected at least one field" }),
  dryRun,
});

const format = z.enum(["csv", "yaml"]);

export const exportQuerySchema = z.strictObject({ format: format.default("csv") });

export const importSchema = z.strictObject({
  format,
  text: z.string().min(1).max(250_000),
  mode: z
    .enum(["merge", "replace"])
    .default("merge")
    .meta({ description: "merge leaves paths alone that the text does not mention, replace removes them" }),
  dryRun,
});

const listed = z.array(z.string());

export const batchReportSchema = z
  .object({
    dryRun: z.boolean(),
    created: listed,
    changed: listed,
    unchanged: listed,
    removed: listed,
    errors: z
      .array(z.object({ line: z.number(), path: z.string(), field: z.string(), message: z.string() }))
      .meta({ description: "Of a dry run; otherwise the whole request is refused with them" }),
    warnings: z.array(z.object({ path: z.string(), field: z.string(), message: z.string() })),
    effects: z
      .object({
        diff: z.string().meta({ description: "Of mediamtx.yml: unified, secrets masked" }),
        reconnects: z
          .array(z.object({ path: z.string(), reason: z.string() }))
          .meta({ description: "Paths whose publisher, source and viewers MediaMTX would cut off" }),
      })
      .nullable()
      .meta({ description: "Of a dry run; otherwise null" }),
  })
  .meta({ id: "PathBatchReport" });

/** Paths as the API takes and shows them: MediaMTX's settings flat under its own names, ours beside them. */
import { z } from "zod";

import { isReservedPathName, pathSettingsSchema } from "./path-settings.js";
import { instantOut, listOf, pathName, retention } from "./scalars.js";

const label = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[^\u0000-\u001F\u007F-\u009F\uD800-\uDFFF]+$/u, { error: "expected text without control characters" });

const group = label.refine((text) => !text.includes(".."), { error: "must not hold .." });

const ours = {
  enabled: z.boolean().meta({ description: "false: MediaMTX does not get the path at all" }),
  archive: z.enum(["all", "none"]).meta({ description: "none: files stay on disk until somebody deletes them" }),
  localRetention: retention
    .nullable()
    .meta({ description: "How long a proven local copy stays; null: LOCAL_RETENTION" }),
  archiveRetention: retention.nullable().meta({ description: "Kept and shown; nothing expires from the store yet" }),
  labels: z.array(label).max(32),
  group: group.nullable().meta({ description: "What the path is listed under; null: nothing" }),
};

const settings = pathSettingsSchema.shape;

export const newPathSchema = z.strictObject({
  name: pathName.refine((name) => !isReservedPathName(name), { error: "is MediaMTX's name for all other paths" }),
  ...settings,
  enabled: ours.enabled.default(true),
  archive: ours.archive.default("all"),
  localRetention: ours.localRetention.default(null),
  archiveRetention: ours.archiveRetention.default(null),
  labels: ours.labels.default([]),
  group: ours.group.default(null),
});

type Nullable<T extends z.ZodRawShape> = { [K in keyof T]: z.ZodOptional<z.ZodNullable<T[K]>> };

function nullable<T extends z.ZodRawShape>(shape: T): Nullable<T> {
  return Object.fromEntries(
    Object.entries(shape).map(([name, schema]) => [name, (schema as z.ZodType).nullable().optional()]),
  ) as unknown as Nullable<T>;
}

/** JSON merge (RFC 7396): what is not named stays, null resets a setting to what it inherits. */
export const pathPatchSchema = z.strictObject({
  ...nullable(settings),
  enabled: ours.enabled.optional(),
  archive: ours.archive.optional(),
  localRetention: ours.localRetention.optional(),
  archiveRetention: ours.archiveRetention.optional(),
  labels: ours.labels.optional(),
  group: ours.group.optional(),
});

const pathState = z
  .object({
    online: z.boolean().nullable().meta({ description: "null: MediaMTX cannot be asked" }),
    source: z.string().nullable().meta({ description: "MediaMTX's type of the source" }),
    since: instantOut.nullable().meta({ description: "Of the last ready or not-ready hook" }),
  })
  .meta({ description: "As MediaMTX sees it now" });

const effective = z
  .record(
    z.string(),
    z.object({
      value: z.unknown(),
      from: z.enum(["own", "defaults", "mediamtx"]),
      inherited: z.unknown().meta({ description: "What would count if the path said nothing" }),
    }),
  )
  .meta({
    description:
      "Each setting of GET /api/v1/config/settings as it counts: the path's own, inherited from the base configuration, or MediaMTX's own default",
  });

const notice = z.object({ field: z.string(), message: z.string() });

/** Parameters of the list. */
export const pathFilterSchema = z.strictObject({
  path: pathName.optional(),
  group: group.optional(),
  label: listOf(label).optional().meta({ description: "Those that have each of these labels" }),
  q: label.optional().meta({ description: "Text in name, group or a label, whatever its case" }),
});

export const pathSchema = z
  .object({
    name: z.string(),
    ...settings,
    ...ours,
    createdAt: instantOut,
    updatedAt: instantOut,
    recorded: z.boolean().meta({ description: "record as it counts: the path's own, or inherited" }),
    state: pathState,
    config: z
      .object({ applied: z.boolean(), error: z.string().nullable() })
      .meta({ description: "Whether MediaMTX runs what stands here" }),
    effective: effective.optional().meta({ description: "Of one path, not in lists" }),
    warnings: z.array(notice).optional().meta({ description: "What is allowed and seldom meant; not in lists" }),
  })
  .meta({ id: "Path" });

export const pathListSchema = z
  .object({
    items: z.array(pathSchema),
    others: z.array(z.object({ name: z.string(), state: pathState })).meta({
      description: "Paths with recordings that only MediaMTX's own configuration knows, or that were removed",
    }),
  })
  .meta({ id: "PathList" });

export type NewPath = z.infer<typeof newPathSchema>;
export type PathFilter = z.infer<typeof pathFilterSchema>;
export type PathPatch = z.infer<typeof pathPatchSchema>;

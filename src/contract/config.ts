/** The configuration as a whole: preview, history, rollback. */
import { z } from "zod";

import { instantOut, integer, pathName } from "./scalars.js";

const settings = z
  .record(z.string().max(64), z.unknown())
  .meta({ description: "As POST and PATCH of /api/v1/paths take them" });

const MOST_VERSION = 2_000_000_000;
const versionNumber = integer("a version", [1, MOST_VERSION]);
const versionInBody = z.int().min(1).max(MOST_VERSION);

export const previewSchema = z
  .strictObject({
    changes: z
      .array(
        z.discriminatedUnion("action", [
          z.strictObject({ action: z.literal("create"), name: pathName, settings: settings.default({}) }),
          z.strictObject({ action: z.literal("update"), name: pathName, settings: settings.default({}) }),
          z.strictObject({ action: z.literal("delete"), name: pathName }),
        ]),
      )
      .min(1)
      .max(1_000)
      .optional()
      .meta({ description: "In this order" }),
    rollbackTo: versionInBody.optional().meta({ description: "Instead of changes: a version of the history" }),
  })
  .superRefine(({ changes, rollbackTo }, context) => {
    if ((changes === undefined) !== (rollbackTo === undefined)) return;
    context.addIssue({ code: "custom", path: ["changes"], message: "expected either changes or rollbackTo" });
  });

const yaml = z.string().meta({ description: "mediamtx.yml, secrets masked" });
const diff = z.string().meta({ description: "Unified, secrets masked; empty: nothing changes but perhaps a secret" });
const reconnects = z
  .array(z.object({ path: z.string(), reason: z.string() }))
  .meta({ description: "Paths whose publisher, source and viewers MediaMTX would cut off" });
const warnings = z.array(z.object({ path: z.string(), field: z.string(), message: z.string() }));

export const previewedSchema = z
  .object({
    yaml,
    diff,
    reconnects,
    warnings,
  })
  .meta({ id: "ConfigPreview" });

export const configSchema = z
  .object({
    applied: z.boolean(),
    error: z.string().nullable(),
    version: z.number().nullable().meta({ description: "The newest of the history" }),
    drift: z.boolean().meta({ description: "MediaMTX or its file say something else; see GET /api/v1/config/drift" }),
  })
  .meta({ id: "Config" });

const shownValue = z.string().nullable().meta({ description: "Secrets masked; null: not set, or not told" });
const side = z.enum(["file", "server"]);

export const driftSchema = z
  .object({
    items: z.array(
      z.object({
        where: z.enum(["global", "pathDefaults", "path"]),
        path: z.string().nullable().meta({ description: "May be a pattern of the base configuration" }),
        setting: z.string().meta({ description: "Empty: whether there is an entry at all" }),
        table: shownValue.meta({ description: "What paths and base configuration say" }),
        file: shownValue.meta({ description: "What mediamtx.yml says" }),
        server: shownValue.meta({ description: "What MediaMTX runs" }),
        canTakeOver: z.array(side).meta({ description: "From where it can become the path's own setting" }),
      }),
    ),
    serverError: z.string().nullable().meta({ description: "Why MediaMTX cannot be asked" }),
    fileDiffers: z.boolean().meta({
      description:
        "mediamtx.yml is not to the letter what the paths make; without items only in comments, order or spelling",
    }),
  })
  .meta({ id: "ConfigDrift" });

export const resolveDriftSchema = z.strictObject({
  takeOver: z
    .array(
      z.strictObject({
        path: pathName,
        from: side,
        settings: z
          .array(z.string().max(64))
          .max(100)
          .optional()
          .meta({ description: "Absent: all that differ there; an empty one: the entry as a whole" }),
      }),
    )
    .max(1_000)
    .default([])
    .meta({ description: "What becomes the paths' own; everything else becomes again what the table says" }),
  dryRun: z.boolean().default(false),
});
export const resolvedDriftSchema = z
  .object({
    dryRun: z.boolean(),
    takenOver: z.array(z.string()).meta({ description: "Paths that changed, or would" }),
    warnings,
    effects: z
      .object({ diff, reconnects })
      .nullable()
      .meta({ description: "Of a dry run: from the file as it is, and from what MediaMTX runs, to what would be" }),
  })
  .meta({ id: "ConfigDriftResolved" });

const place = {
  where: z.string().meta({ examples: ["global", "pathDefaults", "paths/cam1", "base"] }),
  setting: z.string(),
};

export const adoptSchema = z.strictObject({
  yaml: z.string().min(1).max(250_000).meta({ description: "An existing mediamtx.yml" }),
  dryRun: z.boolean().default(true),
  leaveCommands: z
    .boolean()
    .default(false)
    .meta({ description: "Commands that no template holds are lost; without it they block" }),
});
export const adoptedSchema = z
  .object({
    dryRun: z.boolean(),
    create: z.array(z.object({ path: z.string(), settings: z.record(z.string(), z.unknown()) })),
    unchanged: z.array(z.string()),
    kept: z.array(z.object(place)).meta({ description: "What stays in the base file, with its comments" }),
    left: z
      .array(z.object({ ...place, why: z.string(), kind: z.enum(["told", "command", "blocks"]) }))
      .meta({ description: "What does not come along, and why" }),
    templates: z.string().nullable().meta({ description: "For the file MEDIAMTX_TEMPLATES, to keep the commands" }),
    baseDiff: diff.meta({ description: "Of the base file, unified, secrets masked" }),
    diff: diff.meta({ description: "From the given text to what MediaMTX would get, secrets masked" }),
    reconnects,
  })
  .meta({ id: "ConfigAdopted" });

export const historyQuerySchema = z.strictObject({
  limit: integer("1 to 200", [1, 200]).default(50),
  cursor: versionNumber.optional().meta({ description: "next of the page before" }),
});

export const historySchema = z
  .object({
    items: z.array(
      z.object({
        version: z.number(),
        at: instantOut,
        author: z.string(),
        summary: z.string(),
        reason: z.enum(["edit", "rollback", "adopt", "import", "start"]),
      }),
    ),
    next: z.string().nullable(),
  })
  .meta({ id: "ConfigHistory" });

export const versionParamsSchema = z.strictObject({ version: versionNumber });
export const configVersionSchema = z
  .object({
    version: z.number(),
    yaml,
    diff: diff.meta({ description: "From the version before it" }),
    diffToNow: diff.meta({ description: "From it to what stands in the table of paths now" }),
    sameBase: z.boolean().meta({ description: "False: the base file is another one now, and a rollback is refused" }),
    baseDiff: diff.meta({ description: "Of the base file, from now to the one of the version" }),
  })
  .meta({ id: "ConfigVersion" });

export const rollbackSchema = z.strictObject({
  version: versionInBody,
});
export const rolledBackSchema = z
  .object({
    version: z.number().meta({ description: "That the rollback itself is" }),
    exact: z.boolean().meta({
      description: "The YAML is that of the version to the byte; false: MediaMTX or our own settings are others now",
    }),
  })
  .meta({ id: "ConfigRolledBack" });

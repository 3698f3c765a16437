/** How it runs, as the API shows it. */
import { z } from "zod";

import { DOUBTS } from "../core/deletion-doubt.js";
import { instantOut } from "./scalars.js";

const stepSchema = z.string().nullable().meta({ description: "The step that is due, null for none" });

export const archiveStatusSchema = z
  .object({
    store: z.string(),
    backlog: z.object({
      segments: z.number().meta({ description: "Closed and not proven yet" }),
      bytes: z.number(),
      oldestUnarchivedAt: instantOut.nullable(),
      steps: z.array(z.object({ step: z.string(), segments: z.number(), bytes: z.number() })),
    }),
    bytesPerSec: z.number().meta({ description: "Uploaded lately" }),
    concurrency: z.number().meta({ description: "Uploads allowed at once now" }),
    drainSec: z.number().nullable().meta({ description: "Until the backlog is empty at this rate; null: cannot tell" }),
    lastError: z
      .string()
      .nullable()
      .meta({ description: "The store's last complaint; null when the last upload went well" }),
    errors: z.array(
      z.object({
        id: z.string(),
        path: z.string(),
        step: stepSchema,
        error: z.string(),
        attempts: z.number(),
        nextAttemptAt: instantOut,
        at: instantOut,
      }),
    ),
  })
  .meta({ id: "ArchiveStatus" });

export const rejectedFilesSchema = z
  .object({
    items: z.array(
      z.object({
        filePath: z.string().meta({ description: "Below the record directory; bytes that are no UTF-8 as \\xNN" }),
        reason: z.string(),
        bytes: z.number(),
        firstSeenAt: instantOut,
        lastSeenAt: instantOut,
      }),
    ),
  })
  .meta({ id: "RejectedFiles" });

export const scanSchema = z
  .object({
    running: z.boolean(),
    startedAt: instantOut.nullable(),
    finishedAt: instantOut.nullable(),
    directories: z.number(),
    files: z.number(),
    recorded: z.number().meta({ description: "Rows that were new or brought up to date" }),
    rejected: z.number(),
    missing: z.number(),
    doubted: z.number().meta({ description: "Files that vanished in such numbers that it is not believed" }),
    error: z.string().nullable(),
  })
  .meta({ id: "Scan" });

const deletionStopSchema = z.object({
  doubt: z.enum(DOUBTS),
  since: instantOut,
  message: z.string(),
  hint: z.string().meta({ description: "What to do before the release" }),
});

export const deletionsSchema = z
  .object({
    stopped: z.boolean().meta({ description: "Nothing is removed; everything else goes on" }),
    stops: z.array(deletionStopSchema),
  })
  .meta({ id: "Deletions" });

export const resumeSchema = z
  .strictObject({
    doubts: z
      .array(z.enum(DOUBTS))
      .min(1)
      .max(DOUBTS.length)
      .meta({ description: "Those that were looked at; one that was found since goes on to stop deletions" }),
  })
  .meta({ id: "ResumeDeletions" });

export const resumedSchema = z.object({ released: z.array(z.enum(DOUBTS)) }).meta({ id: "ResumedDeletions" });

export const healthSchema = z
  .object({
    checks: z.array(
      z.object({
        name: z.string(),
        status: z.enum(["ok", "warn", "fail"]),
        message: z.string(),
        hint: z.string().nullable().meta({ description: "What to do" }),
      }),
    ),
    publishUrls: z.array(z.string()).meta({ description: "Where cameras publish to" }),
    backup: z
      .object({
        lastAt: instantOut.nullable(),
        key: z.string().nullable().meta({ description: "Of the last one, in the store" }),
        bytes: z.number().nullable().meta({ description: "As it is stored" }),
        error: z.string().nullable().meta({ description: "Why the last attempt failed; null when it did not" }),
      })
      .nullable()
      .meta({ description: "Of the database; null when none is made: PostgreSQL, or switched off" }),
  })
  .meta({ id: "Health" });

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number(),
    detail: z.string(),
    hint: z.string().optional().meta({ description: "What to do" }),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: "Problem", description: "RFC 9457" });

/** What the API answers, by its own schemas. Types alone: no schema goes to the browser. */
import type { z } from "zod";

import type {
  adoptedSchema,
  configSchema,
  configVersionSchema,
  driftSchema,
  historySchema,
  previewedSchema,
  resolvedDriftSchema,
} from "../contract/config.js";
import type { exportListSchema, exportSchema } from "../contract/exports.js";
import type { archiveStatusSchema, healthSchema, problemSchema } from "../contract/operation.js";
import type { batchReportSchema, settingListSchema, templateListSchema } from "../contract/path-config.js";
import type { pathListSchema } from "../contract/paths.js";
import type { recordingPageSchema, recordingSchema } from "../contract/recordings.js";
import type { madeShareSchema, shareListSchema } from "../contract/shares.js";
import type { daysSchema, timelineSchema } from "../contract/timeline.js";
import type {
  apiTokenListSchema,
  auditListSchema,
  loggedInSchema,
  loginOptionsSchema,
  madeApiTokenSchema,
  meSchema,
  sessionListSchema,
  userListSchema,
} from "../contract/users.js";

export type Recording = z.infer<typeof recordingSchema>;
export type RecordingPage = z.infer<typeof recordingPageSchema>;
export type PathList = z.infer<typeof pathListSchema>;
export type Path = PathList["items"][number];
export type SettingList = z.infer<typeof settingListSchema>;
export type Setting = SettingList["items"][number];
export type TemplateList = z.infer<typeof templateListSchema>;
export type BatchReport = z.infer<typeof batchReportSchema>;
export type Config = z.infer<typeof configSchema>;
export type ConfigPreview = z.infer<typeof previewedSchema>;
export type ConfigHistory = z.infer<typeof historySchema>;
export type ConfigVersion = z.infer<typeof configVersionSchema>;
export type ConfigDrift = z.infer<typeof driftSchema>;
export type DriftItem = ConfigDrift["items"][number];
export type ResolvedDrift = z.infer<typeof resolvedDriftSchema>;
export type ConfigAdopted = z.infer<typeof adoptedSchema>;
export type ArchiveStatus = z.infer<typeof archiveStatusSchema>;
export type Health = z.infer<typeof healthSchema>;
export type Days = z.infer<typeof daysSchema>;
export type Timeline = z.infer<typeof timelineSchema>;
export type TimelinePath = Timeline["paths"][number];
export type TimelineEvent = TimelinePath["events"][number];
export type Export = z.infer<typeof exportSchema>;
export type ExportList = z.infer<typeof exportListSchema>;
export type Span = TimelinePath["spans"][number];
export type GapCause = Extract<Span, { kind: "gap" }>["cause"];
export type Where = Extract<Span, { kind: "footage" }>["where"];
export type Problem = Partial<z.infer<typeof problemSchema>>;
export type Me = z.infer<typeof meSchema>;
export type Role = Me["role"];
export type LoggedIn = z.infer<typeof loggedInSchema>;
export type LoginOptions = z.infer<typeof loginOptionsSchema>;
export type UserList = z.infer<typeof userListSchema>;
export type User = UserList["items"][number];
export type SessionList = z.infer<typeof sessionListSchema>;
export type Session = SessionList["items"][number];
export type ApiTokenList = z.infer<typeof apiTokenListSchema>;
export type ApiToken = ApiTokenList["items"][number];
export type MadeApiToken = z.infer<typeof madeApiTokenSchema>;
export type AuditList = z.infer<typeof auditListSchema>;
export type AuditEntry = AuditList["items"][number];
export type ShareList = z.infer<typeof shareListSchema>;
export type Share = ShareList["items"][number];
export type MadeShare = z.infer<typeof madeShareSchema>;

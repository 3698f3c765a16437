/** Users, how they log in, their sessions and tokens, and who did what. */
import { z } from "zod";

import { isPathPattern, type PathPattern, whyNotPathPattern } from "../core/path-pattern.js";
import { ROLES } from "../core/principal.js";
import { instantOut, instantUs, integer, uuid } from "./scalars.js";

const roleSchema = z.enum(ROLES).meta({ description: "Each may what the one before it may" });

const pathPattern = z
  .string()
  .max(202)
  .superRefine((text, context) => {
    const reason = whyNotPathPattern(text);
    if (reason !== undefined) context.addIssue({ code: "custom", message: reason });
  })
  .transform((text): PathPattern => {
    if (isPathPattern(text)) return text;
    throw new TypeError("unreachable: refined above");
  })
  .meta({ description: "A path, everything below a prefix, or every path", examples: ["cam1", "site-a/*", "*"] });

const patterns = z.array(pathPattern).max(500);

/** NIST SP 800-63B: length is what counts; no rules about kinds of characters. */
const password = z.string().min(12, { error: "expected 12 characters or more" }).max(256);

/** Lowercase, so that nobody can be taken for another. */
const userName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._@-]{0,63}$/, {
    error: "expected 1 to 64 lowercase letters, digits and . _ @ -, the first a letter or digit",
  })
  .meta({ examples: ["anna"] });

/** What is no name is a wrong name, in the same words. */
export const loginSchema = z.strictObject({ name: z.string().max(200), password: z.string().max(1_000) });

export const meSchema = z
  .object({
    kind: z.enum(["user", "token", "link", "share", "machine"]),
    id: z.string(),
    name: z.string(),
    role: roleSchema,
    paths: z.array(z.string()).nullable().meta({ description: "What is open; null: every path" }),
    sessionId: z.string().nullable(),
  })
  .meta({ id: "Me" });

export const loggedInSchema = z
  .object({
    user: meSchema,
    accessToken: z.string().meta({ description: "For scripts, as Authorization: Bearer; the page has cookies" }),
    accessTokenExpiresAt: instantOut,
  })
  .meta({ id: "LoggedIn" });

export const loginOptionsSchema = z
  .object({
    loginRequired: z.boolean(),
    password: z.boolean(),
    oidc: z.boolean().meta({ description: "A login provider is there: send the browser to /api/v1/login/oidc" }),
  })
  .meta({ id: "LoginOptions" });

export const oidcLoginQuerySchema = z.strictObject({
  returnTo: z
    .string()
    .max(2_000)
    .regex(/^\/(?:[?#][ -~]*)?$/, { error: "expected an address of the page, such as /?path=cam1" })
    .default("/"),
});

/** Providers add what they like. */
export const oidcAnswerSchema = z.record(z.string(), z.union([z.string(), z.array(z.string())]));

export const changePasswordSchema = z.strictObject({ current: z.string().max(1_000), new: password });

export const userSchema = z
  .object({
    id: uuid,
    name: z.string(),
    role: roleSchema,
    paths: z.array(z.string()).meta({ description: "Open to an operator or viewer; an admin sees every path" }),
    disabled: z.boolean(),
    hasPassword: z.boolean(),
    createdAt: instantOut,
    lastLoginAt: instantOut.nullable(),
  })
  .meta({ id: "User" });
export const userListSchema = z.object({ items: z.array(userSchema) }).meta({ id: "UserList" });
export const newUserSchema = z.strictObject({
  name: userName,
  role: roleSchema,
  paths: patterns.default([]),
  password,
});
export const userPatchSchema = z.strictObject({
  role: roleSchema.optional(),
  paths: patterns.optional(),
  disabled: z.boolean().optional(),
  password: password.optional(),
});

const sessionSchema = z
  .object({
    id: uuid,
    userId: uuid,
    createdAt: instantOut,
    lastUsedAt: instantOut,
    expiresAt: instantOut,
    address: z.string().nullable(),
    userAgent: z.string().nullable(),
    isCurrent: z.boolean(),
  })
  .meta({ id: "Session" });
export const sessionListSchema = z.object({ items: z.array(sessionSchema) }).meta({ id: "SessionList" });

const apiToken = {
  id: uuid,
  userId: uuid,
  name: z.string(),
  role: roleSchema,
  paths: z.array(z.string()),
  createdAt: instantOut,
  expiresAt: instantOut.nullable(),
  lastUsedAt: instantOut.nullable().meta({ description: "To the minute" }),
  revokedAt: instantOut.nullable(),
};
const apiTokenSchema = z.object(apiToken).meta({ id: "ApiToken" });
export const madeApiTokenSchema = z
  .object({ ...apiToken, token: z.string().meta({ description: "Told once, for only its hash is kept" }) })
  .meta({ id: "MadeApiToken" });
export const apiTokenListSchema = z.object({ items: z.array(apiTokenSchema) }).meta({ id: "ApiTokenList" });
export const newApiTokenSchema = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(100)
    .regex(/^[^\u0000-\u001F\u007F-\u009F\uD800-\uDFFF]*$/u, { error: "expected text without control characters" }),
  role: roleSchema.meta({ description: "At most one's own" }),
  paths: patterns.min(1).meta({ description: "Of those that are open to oneself" }),
  expiresAt: instantUs.nullable().default(null),
});

const auditText = z.string().min(1).max(300).optional();
export const auditQuerySchema = z.strictObject({
  search: auditText.meta({
    description:
      "Part of who did it and from where, of the action, the target, or what was before or after; upper and lower case alike",
  }),
  actor: auditText.meta({ description: "Name of whoever did it" }),
  action: auditText.meta({ description: "As in user.create, or the noun alone" }),
  target: auditText.meta({ description: "A path, user:NAME, token:ID, share:ID" }),
  from: instantUs.optional(),
  to: instantUs.optional(),
  limit: integer("1 to 500", [1, 500]).default(100),
  before: integer("1 to 2^53", [1, Number.MAX_SAFE_INTEGER])
    .optional()
    .meta({ description: "`next` of the page before" }),
});
export const auditListSchema = z
  .object({
    items: z.array(
      z.object({
        id: z.number(),
        at: instantOut,
        actor: z.object({ kind: z.string(), id: z.string(), name: z.string(), address: z.string().nullable() }),
        action: z.string(),
        target: z.string(),
        before: z.unknown(),
        after: z.unknown(),
      }),
    ),
    next: z.number().nullable().meta({ description: "Give it as `before`; null: this was the last page" }),
  })
  .meta({ id: "AuditList" });

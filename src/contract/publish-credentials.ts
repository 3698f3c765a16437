/** With what cameras may publish, where MediaMTX asks us (MEDIAMTX_AUTH). */
import { z } from "zod";

import { instantOut, pathName } from "./scalars.js";

/** What a URL, RTMP's query and SRT's stream id can carry as it is. */
const UNRESERVED = /^[0-9a-zA-Z._~-]+$/;

const publishUser = z
  .string()
  .min(1)
  .max(64)
  .regex(UNRESERVED, { error: "expected letters, digits and . _ ~ -" })
  .meta({ examples: ["camera"] });

export const newPublishCredentialSchema = z.strictObject({
  path: pathName,
  user: publishUser.default("camera"),
  password: z
    .string()
    .min(12, { error: "expected 12 characters or more" })
    .max(256)
    .regex(UNRESERVED, { error: "expected letters, digits and . _ ~ -" })
    .optional()
    .meta({ description: "Left out, one is made, which is also cheaper to check" }),
});

const credential = { path: z.string(), user: z.string(), setAt: instantOut };

export const publishCredentialListSchema = z
  .object({ items: z.array(z.object(credential).meta({ id: "PublishCredential" })) })
  .meta({ id: "PublishCredentialList" });

export const madePublishCredentialSchema = z
  .object({
    ...credential,
    password: z.string().nullable().meta({ description: "Told once; null for one that was given" }),
    urls: z.array(z.string()).meta({ description: "Where to publish to; add user and password" }),
  })
  .meta({ id: "MadePublishCredential" });

export const newStreamTokenSchema = z.strictObject({
  path: pathName,
  action: z.enum(["read", "playback"]).default("read").meta({ description: "read: live" }),
});

export const madeStreamTokenSchema = z
  .object({ token: z.string(), expiresAt: instantOut })
  .meta({ id: "MadeStreamToken" });

const text = z.string();
export const jwksSchema = z
  .object({ keys: z.array(z.object({ kty: text, crv: text, x: text, kid: text, alg: text, use: text })) })
  .meta({ id: "JwkSet" });

/** Share links and signed URLs. */
import { z } from "zod";

import { instantOut, instantUs, pathName, uuid } from "./scalars.js";

/** Two hours of a camera say much about its place; for more there are exports. */
const LONGEST_US = 86_400_000_000;
export const SHORTEST_SHARE_US = 60_000_000;
export const LONGEST_SHARE_US = 90 * 86_400_000_000;

export const newShareSchema = z
  .strictObject({
    path: pathName,
    from: instantUs.meta({ description: "What may be seen begins here, or at the sync sample before it" }),
    to: instantUs.meta({ description: "Nothing that begins here or later may be seen; at most 24 h after from" }),
    label: z
      .string()
      .max(200)
      .regex(/^[^\u0000-\u001F\u007F-\u009F\uD800-\uDFFF]*$/u, { error: "expected text without control characters" })
      .default("")
      .meta({ description: "Shown on its page" }),
    expiresAt: instantUs.meta({ description: "From 1 minute to 90 days from now" }),
  })
  .superRefine(({ from, to }, context) => {
    if (from >= to) context.addIssue({ code: "custom", path: ["to"], message: "expected an instant after from" });
    else if (to - from > LONGEST_US) {
      context.addIssue({ code: "custom", path: ["to"], message: "expected at most 24 h after from" });
    }
  });

const share = {
  id: uuid,
  path: z.string(),
  from: instantOut,
  to: instantOut,
  label: z.string(),
  createdBy: z.string(),
  createdAt: instantOut,
  expiresAt: instantOut,
  revokedAt: instantOut.nullable(),
  opened: z.number().meta({ description: "How often its page was opened" }),
  lastOpenedAt: instantOut.nullable(),
};

export const shareSchema = z.object(share).meta({ id: "Share" });
export const madeShareSchema = z
  .object({ ...share, url: z.string().meta({ description: "Of its page; told once, for only its hash is kept" }) })
  .meta({ id: "NewShare" });
export const shareListSchema = z.object({ items: z.array(shareSchema) }).meta({ id: "ShareList" });

const FROM_PLACE = "counts from PUBLIC_URL";

/** 256 random bits. */
export const shareToken = z.string().regex(/^[\w-]{43}$/, { error: "expected the token of a share" });

export const shareLinksSchema = z
  .object({
    label: z.string(),
    from: instantOut,
    to: instantOut,
    expiresAt: instantOut.meta({ description: "Of the share" }),
    playlist: z.string().meta({ description: `Signed, good for an hour at most; ${FROM_PLACE}` }),
    clip: z.string().meta({ description: `Signed, good for 5 minutes at most; ${FROM_PLACE}` }),
    picture: z.string().meta({ description: `Signed, good for 5 minutes at most; ${FROM_PLACE}` }),
  })
  .meta({ id: "ShareLinks" });

export const signUrlSchema = z.strictObject({
  url: z
    .string()
    .max(2_000)
    .meta({
      description:
        "Of a playlist, its media, a clip, a picture or a file, from /api/v1/ on, without a path of PUBLIC_URL",
      examples: ["/api/v1/clip.mp4?path=cam1&from=2026-11-20T17:00:00Z&to=2026-11-20T17:05:00Z"],
    }),
});
export const signedUrlSchema = z
  .object({ url: z.string().meta({ description: `From /api/v1/ on; ${FROM_PLACE}` }), expiresAt: instantOut })
  .meta({ id: "SignedUrl" });

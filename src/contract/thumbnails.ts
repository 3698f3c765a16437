/** Pictures of recordings. */
import { z } from "zod";

import { checkDay } from "./playlist.js";
import { instantUs, integer, pathName } from "./scalars.js";

export const thumbnailQuerySchema = z.strictObject({
  path: pathName,
  at: instantUs.optional().meta({ description: "The picture at or before it; the newest when absent" }),
  width: integer("Pixels, 16 to 1920; never wider than the video", [16, 1_920]).default(640),
  tolerance: integer(
    "Seconds, 0 to 3600: a periodic picture that is older than `at` by no more will do",
    [0, 3_600],
  ).default(0),
});

const spriteFields = {
  path: pathName,
  from: instantUs.meta({ description: "Pictures taken from then on" }),
  to: instantUs.meta({ description: "And before this; after `from` and at most 24 h later" }),
  width: integer("Pixels of a tile, 40 to 320; the height is 9/16 of it", [40, 320]).default(160),
  tiles: integer("At most so many, 1 to 300; more pictures are thinned out evenly", [1, 300]).default(100),
};

export const spriteIndexQuerySchema = z.strictObject(spriteFields).superRefine(checkDay);

export const spriteQuerySchema = z
  .strictObject({
    ...spriteFields,
    version: z
      .string()
      .regex(/^[0-9a-f]{32}$/, { error: "expected 32 hex digits" })
      .optional()
      .meta({ description: "As the index says: 404 when the pictures of the range are others by now" }),
  })
  .superRefine(checkDay);

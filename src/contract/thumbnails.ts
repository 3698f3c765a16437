/** Pictures of recordings. */
import { z } from "zod";

import { instantUs, integer, pathName } from "./scalars.js";

export const thumbnailQuerySchema = z.strictObject({
  path: pathName,
  at: instantUs.optional().meta({ description: "The picture at or before it; the newest when absent" }),
  width: integer("Pixels, 16 to 1920; never wider than the video", [16, 1_920]).default(640),
});

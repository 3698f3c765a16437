/** What a playlist is asked for with. */
import { z } from "zod";

import { US_PER_SEC } from "../core/instant.js";
import { instantUs, pathName } from "./scalars.js";

const LONGEST_RANGE_US = 86_400 * US_PER_SEC;

export const playlistQuerySchema = z
  .strictObject({
    path: pathName,
    from: instantUs,
    to: instantUs.meta({ description: "RFC 3339 date-time, after `from` and at most 24 h later" }),
  })
  .superRefine(({ from, to }, context) => {
    const message =
      to <= from
        ? "expected an instant after from"
        : to - from > LONGEST_RANGE_US
          ? "expected at most 24 h after from"
          : undefined;
    if (message !== undefined) context.addIssue({ code: "custom", path: ["to"], message });
  });

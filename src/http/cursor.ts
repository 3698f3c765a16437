/** Where a page ended, as opaque text. It holds no right and no secret, only a place; a changed one is refused. */
import { z } from "zod";

import type { PageKey, PageRequest } from "../catalog/recording-lists.js";
import { AppError } from "../core/errors.js";
import type { RecordingId } from "../core/recording.js";

const schema = z.tuple([z.enum(["newest", "oldest"]), z.int(), z.uuid()]);

export function encodeCursor(order: PageRequest["order"], key: PageKey): string {
  return Buffer.from(JSON.stringify([order, key.startUs, key.id])).toString("base64url");
}

/** Throws `invalid-argument` for a text that `encodeCursor` did not make, or one of a list in the other order. */
export function decodeCursor(text: string, order: PageRequest["order"]): PageKey {
  const parsed = schema.safeParse(parseJson(Buffer.from(text, "base64url").toString("utf8")));
  if (!parsed.success || encodeCursor(parsed.data[0], keyOf(parsed.data)) !== text) throw refused("is not one of ours");
  if (parsed.data[0] !== order) throw refused(`is of a list in the order "${parsed.data[0]}"`);
  return keyOf(parsed.data);
}

function keyOf([, startUs, id]: z.infer<typeof schema>): PageKey {
  return { startUs, id: id as RecordingId };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refused(reason: string): AppError {
  const message = `${reason}; take nextCursor of the page before, with the same parameters`;
  return new AppError({
    kind: "invalid-argument",
    message: `the cursor ${message}`,
    fields: [{ field: "cursor", message }],
  });
}

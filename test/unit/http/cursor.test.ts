import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { isAppError } from "../../../src/core/errors.js";
import type { RecordingId } from "../../../src/core/recording.js";
import { decodeCursor, encodeCursor } from "../../../src/http/cursor.js";

const order = fc.constantFrom("newest" as const, "oldest" as const);
const key = fc.record({ startUs: fc.maxSafeInteger(), id: fc.uuid().map((text) => text as RecordingId) });

describe("a cursor", () => {
  it("gives back the place that it was made of", () => {
    fc.assert(
      fc.property(order, key, (of, place) => {
        expect(decodeCursor(encodeCursor(of, place), of)).toEqual(place);
      }),
    );
  });

  it("is refused by its field when it is of the other order, changed or made up", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String(),
          fc.json().map((text) => Buffer.from(text).toString("base64url")),
        ),
        order,
        (text, of) => {
          expect(refusedField(text, of)).toBe("cursor");
        },
      ),
    );
    fc.assert(
      fc.property(key, fc.constantFrom("=", " ", "A", "\n"), (place, more) => {
        const own = encodeCursor("newest", place);
        expect(refusedField(own, "oldest")).toBe("cursor");
        for (const changed of [own + more, more + own, own.slice(1), own.slice(0, -1)]) {
          expect(refusedField(changed, "newest")).toBe("cursor");
        }
      }),
    );
  });
});

function refusedField(text: string, of: "newest" | "oldest"): string | undefined {
  try {
    decodeCursor(text, of);
    return undefined;
  } catch (error) {
    return isAppError(error, "invalid-argument") ? error.fields[0]?.field : String(error);
  }
}

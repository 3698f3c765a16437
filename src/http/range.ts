/** One byte range of a representation (RFC 9110, section 14). */
export type RangeVerdict =
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly start: number; readonly end: number }
  | { readonly kind: "unsatisfiable" };

/**
 * A malformed `Range`, one of several parts, or of another unit is ignored, as section 14.2 allows; only a well-formed
 * one that begins behind the end is unsatisfiable.
 */
export function parseRange(header: string | undefined, bytes: number): RangeVerdict {
  const match = /^bytes=(\d*)-(\d*)$/i.exec(header ?? "");
  const [, first = "", last = ""] = match ?? [];
  if (match === null || (first === "" && last === "")) return { kind: "whole" };
  if (first === "") {
    const suffix = Math.min(Number(last), bytes);
    return suffix === 0 ? { kind: "unsatisfiable" } : { kind: "part", start: bytes - suffix, end: bytes - 1 };
  }
  const start = Number(first);
  const end = last === "" ? bytes - 1 : Math.min(Number(last), bytes - 1);
  if (last !== "" && Number(last) < start) return { kind: "whole" };
  return start >= bytes ? { kind: "unsatisfiable" } : { kind: "part", start, end };
}

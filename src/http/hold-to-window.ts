/** A request for bytes, held to those that are open to it. */
import type { MediaWindow } from "../playback/media-window.js";
import { HttpError } from "./problem.js";
import type { MediaRequest } from "./send-recording.js";

/**
 * The same request, for no byte beyond the window; fewer may be sent than were asked for (RFC 9110, section 15.3.7).
 * Throws 416 for one that does not begin in it, or asks for all of the file.
 */
export function holdToWindow({ method, headers }: MediaRequest, window: MediaWindow): MediaRequest {
  if (method === "HEAD") return { method, headers: { ...headers, range: undefined, "if-range": undefined } };
  const [, first = "", last = ""] = /^bytes=(\d{1,15})-(\d{0,15})$/i.exec(headers.range ?? "") ?? [];
  const start = first === "" ? Number.NaN : Number(first);
  const isMedia = start >= window.start && start < window.end;
  const end = isMedia ? window.end : start < window.initBytes ? window.initBytes : undefined;
  if (end === undefined) {
    throw new HttpError(416, {
      kind: "invalid-argument",
      message: "only the bytes that its playlist names are open here, expected one of those ranges",
    });
  }
  const until = Math.min(last === "" ? end : Number(last) + 1, end);
  if (until <= start)
    throw new HttpError(416, { kind: "invalid-argument", message: "the range ends before it begins" });
  // If-Range could turn the range into the whole file.
  return {
    method,
    headers: { ...headers, range: `bytes=${String(start)}-${String(until - 1)}`, "if-range": undefined },
  };
}

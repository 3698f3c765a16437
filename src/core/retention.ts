/** When a proven local copy may go. */
import { parseDurationMs } from "./duration.js";
import { US_PER_MS } from "./instant.js";

/** `own` is the path's localRetention, null for the default. */
export function releaseDueAtUs(verifiedAtUs: number, own: string | null, defaultMs: number): number {
  const retentionMs = own === null ? defaultMs : parseDurationMs(own, "localRetention");
  return verifiedAtUs + retentionMs * US_PER_MS;
}

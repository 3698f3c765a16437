/** Every JSON answer leaves through here: no password or token of a URL stands in it, whichever text it came with. */
import { redactText } from "../core/redact.js";

export function jsonText(body: unknown): string {
  return JSON.stringify(body, (_key, value: unknown) =>
    typeof value === "string" && /:\/\/|[?&]/.test(value) ? redactText(value) : value,
  );
}

/** A source as the API shows it: without its password. What is shown may be sent back, and changes nothing. */
import { redactText } from "../core/redact.js";

const AUTHORITY_PASSWORD = /^([a-z+]+:\/\/[^:/?#@]*):[^/?#]*@/i;
const MASKED = /[:=]\*\*\*(?:[@&]|$)/;

export function maskSource(source: string): string {
  return redactText(source.replace(AUTHORITY_PASSWORD, "$1:***@"));
}

/** It holds a mask where a password belongs. */
export function isMasked(source: string): boolean {
  return MASKED.test(source);
}
